/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_UTF8_H
#define CXN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 as in table 3-7 of the Unicode Standard: no surrogates, nothing overlong. */

/* Bytes of the character that the n bytes at s begin with, 1..4; 0 where they begin with none. */
size_t cxn_utf8_bytes(const uint8_t *s, size_t n);

bool cxn_utf8_is_valid(const uint8_t *s, size_t n);

#endif
