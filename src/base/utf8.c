/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

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

size_t cxn_utf8_bytes(const uint8_t *s, size_t n)
{
    uint8_t lo, hi;
    const size_t length = n > 0 ? sequence(s[0], &lo, &hi) : 0;
    if (length > n) return 0;
    for (size_t k = 1; k < length; k++) {
        if (s[k] < lo || s[k] > hi) return 0;
        lo = 0x80;
        hi = 0xbf;
    }
    return length;
}

bool cxn_utf8_is_valid(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t length = cxn_utf8_bytes(s + i, n - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}
