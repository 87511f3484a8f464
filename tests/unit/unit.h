/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_UNIT_UNIT_H
#define CXN_TESTS_UNIT_UNIT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* A copy of exactly that size, so that a sanitizer sees what is read beyond it; free(). */
static inline uint8_t *copy_exactly(const void *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0) memcpy(copy, data, size);
    return copy;
}

/* Time of this process's CPU, which a busy machine does not stretch, and what reading any file may
 * take of it: a second, and of a build whose every access is checked several. */
static inline double case_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}
#ifdef CXN_SANITIZED
enum { CASE_SECONDS_MAX = 10 };
#else
enum { CASE_SECONDS_MAX = 1 };
#endif

#endif
