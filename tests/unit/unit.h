/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_UNIT_UNIT_H
#define CXN_TESTS_UNIT_UNIT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#endif
