/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_REQUANTIZE_H
#define CXN_KERN_REQUANTIZE_H

#include <stdint.h>
#include <string.h>

/* To the nearest byte, ties to even; what is beyond 0 .. 255 to its end, a NaN to 0. The sum with
 * 1.5 * 2^23 is rounded to a whole number, which its low bits then are. The value is a product and
 * a sum, two roundings: whatever computes it needs -ffp-contract=off. */
static inline uint8_t cxn_to_byte(float value)
{
    const float positive = value > 0.0f ? value : 0.0f;
    const float shifted = (positive < 255.0f ? positive : 255.0f) + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (uint8_t)bits;
}

#endif
