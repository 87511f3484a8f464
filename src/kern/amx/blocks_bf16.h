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

TILE_INLINE void multiply_bf16(int sums)
{
    switch (sums) {
    case 0: _tile_dpbf16ps(0, 4, 6); break;
    case 1: _tile_dpbf16ps(1, 4, 7); break;
    case 2: _tile_dpbf16ps(2, 5, 6); break;
    default: _tile_dpbf16ps(3, 5, 7); break;
    }
}

TILE_INLINE struct ending end_bf16(const struct cxn_conv_bordered *c, const char *panel,
                                   __mmask32 mask)
{
    (void)panel;
    return (struct ending){ .least = _mm512_set1_ps(c->relu ? 0.0f : -__builtin_inff()),
                            .mask = mask };
}

TILE_INLINE void store_place_bf16(const struct ending *e, struct target place)
{
    const __m512 low = _mm512_max_ps(e->least, _mm512_load_ps(place.sums)); /* keeps a second NaN */
    const __m512 high = _mm512_max_ps(e->least, _mm512_load_ps(place.sums + ROW_BYTES));
    _mm512_mask_storeu_epi16(place.dst, e->mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

TILE_INLINE void store_bf16(const struct ending *e, struct target one, struct target two)
{
    store_place_bf16(e, one);
    store_place_bf16(e, two);
}

TILE_INLINE struct block_type block_type_bf16(void)
{
    return (struct block_type){ sizeof(uint16_t), CHANNELS * sizeof(float), CHANNELS, begin_biases,
                                multiply_bf16, end_bf16, store_bf16 };
}

#endif
