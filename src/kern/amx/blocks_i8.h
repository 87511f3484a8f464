/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCKS_I8_H
#define CXN_KERN_AMX_BLOCKS_I8_H

#include "kern/amx/blocks.h"
#include "kern/avx512/requantize.h"
#include "kern/conv_bordered_i8.h"

_Static_assert((int)ROW_BYTES == (int)CXN_CONV_I8_TERMS_AMX, "a row of a tile is so many bytes");

TILE_INLINE void begin_zeros(const char *panel, bool pair)
{
    (void)panel;
    _tile_zero(0);
    _tile_zero(1);
    if (!pair) return;
    _tile_zero(2);
    _tile_zero(3);
}

TILE_INLINE void multiply_i8(void)
{
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
}

TILE_INLINE void multiply_second_i8(void)
{
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
}

TILE_INLINE void store_i8(const struct cxn_conv_bordered *c, const char *panel, block_sums sums,
                          size_t count, __mmask32 mask, char *dst, size_t step)
{
    const struct requantize r = load_requantize(panel);
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++, dst += step)
        _mm256_mask_storeu_epi8(dst, mask,
                                requantize_place(&r, _mm512_load_si512(sums[p]),
                                                 _mm512_load_si512(sums[p] + ROW_BYTES),
                                                 c->two_parts, c->bounded));
}

TILE_INLINE struct block_type block_type_i8(bool two_parts)
{
    return (struct block_type){ sizeof(uint8_t), cxn_conv_i8_header_bytes(CHANNELS),
                                cxn_conv_i8_outputs(CHANNELS, two_parts), begin_zeros,
                                multiply_i8, multiply_second_i8, store_i8 };
}

#endif
