/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCKS_BF16_H
#define CXN_KERN_AMX_BLOCKS_BF16_H

#include "kern/amx/blocks.h"

/* Sums begin with the biases: a tile all of whose rows are one. */
TILE_INLINE void begin_biases(const char *panel, bool pair)
{
    _tile_loadd(0, panel, 0);
    _tile_loadd(1, panel + ROW_BYTES, 0);
    if (!pair) return;
    _tile_loadd(2, panel, 0);
    _tile_loadd(3, panel + ROW_BYTES, 0);
}

TILE_INLINE void multiply_bf16(void)
{
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
}

TILE_INLINE void multiply_second_bf16(void)
{
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

TILE_INLINE void store_bf16(const struct cxn_conv_bordered *c, const char *panel, block_sums sums,
                            size_t count, __mmask32 mask, char *dst, size_t step)
{
    const __m512 least = _mm512_set1_ps(c->relu ? 0.0f : -__builtin_inff());
    (void)panel;
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++, dst += step) {
        const __m512 low = _mm512_max_ps(least, _mm512_load_ps(sums[p])); /* keeps a second NaN */
        const __m512 high = _mm512_max_ps(least, _mm512_load_ps(sums[p] + ROW_BYTES));
        _mm512_mask_storeu_epi16(dst, mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
}

TILE_INLINE struct block_type block_type_bf16(void)
{
    return (struct block_type){ sizeof(uint16_t), CHANNELS * sizeof(float), CHANNELS, begin_biases,
                                multiply_bf16, multiply_second_bf16, store_bf16 };
}

#endif
