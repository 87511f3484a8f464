/* SPDX-License-Identifier: Apache-2.0 */
#include "model/utf8.h"

/* Bytes of the sequence that begins with `first`, 0 for none, and the range of its second byte. */
static size_t sequence(uint8_t first, uint8_t *lo, uint8_t *hi)
{
    *lo = 0x80;
    *hi = 0xbf;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return 2;
    if (first == 0xe0) *lo = 0xa0;
    if (first == 0xed) *hi = 0x9f;
    if (first >= 0xe0 && first <= 0xef) return 3;
    if (first == 0xf0) *lo = 0x90;
    if (first == 0xf4) *hi = 0x8f;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool cxn_utf8_is_valid(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint8_t lo, hi;
        const size_t length = sequence(s[i], &lo, &hi);
        if (length == 0 || length > n - i) return false;
        for (size_t k = 1; k < length; k++) {
            if (s[i + k] < lo || s[i + k] > hi) return false;
            lo = 0x80;
            hi = 0xbf;
        }
        i += length;
    }
    return true;
}
