/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_BF16_H
#define CXN_KERN_BF16_H

#include <stdint.h>
#include <string.h>

/* bfloat16: the upper half of a float32. */

static inline float cxn_bf16_value(uint16_t number)
{
    const uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To nearest, ties to even; a NaN stays one. Both are computed, so that loops have no branch. */
static inline uint16_t cxn_bf16_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t nan = bits >> 16 | 0x40;
    const uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : nearest);
}

#endif
