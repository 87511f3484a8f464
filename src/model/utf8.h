/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_UTF8_H
#define CXN_MODEL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 as in table 3-7 of the Unicode Standard: no surrogates, nothing overlong. */
bool cxn_utf8_is_valid(const uint8_t *s, size_t n);

#endif
