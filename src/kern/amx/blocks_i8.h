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

TILE_INLINE void multiply_i8(int sums)
{
    switch (sums) {
    case 0: _tile_dpbusd(0, 4, 6); break;
    case 1: _tile_dpbusd(1, 4, 7); break;
    case 2: _tile_dpbusd(2, 5, 6); break;
    default: _tile_dpbusd(3, 5, 7); break;
    }
}

TILE_INLINE struct ending end_i8(const struct cxn_conv_bordered *c, const char *panel,
                                 __mmask32 mask)
{
    const struct requantize r = load_requantize(panel);
    return (struct ending){ .factor = { r.factor[0], r.factor[1] },
                            .shift = { r.shift[0], r.shift[1] }, .mask = mask,
                            .two_parts = c->two_parts, .bounded = c->bounded };
}

TILE_INLINE void store_bytes(const struct ending *e, struct target one, struct target two,
                             bool two_parts, bool bounded)
{
    const struct requantize r = { { e->factor[0], e->factor[1] }, { e->shift[0], e->shift[1] } };
    const __m512i bytes = requantize_two(&r, one.sums, two.sums, two_parts, bounded);
    _mm256_mask_storeu_epi8(one.dst, e->mask, _mm512_castsi512_si256(bytes));
    _mm256_mask_storeu_epi8(two.dst, e->mask, _mm512_extracti64x4_epi64(bytes, 1));
}

TILE_INLINE void store_i8(const struct ending *e, struct target one, struct target two)
{
    store_bytes(e, one, two, e->two_parts, e->bounded);
}

TILE_INLINE void store_i8_bounded(const struct ending *e, struct target one, struct target two)
{
    store_bytes(e, one, two, false, true);
}

TILE_INLINE void store_i8_parts(const struct ending *e, struct target one, struct target two)
{
    store_bytes(e, one, two, true, true);
}

TILE_INLINE struct block_type block_type_i8(bool two_parts)
{
    return (struct block_type){ sizeof(uint8_t), cxn_conv_i8_header_bytes(CHANNELS),
                                cxn_conv_i8_outputs(CHANNELS, two_parts), begin_zeros,
                                multiply_i8, end_i8, store_i8 };
}

/* What nearly all weights are: in one part, and bounded. */
TILE_INLINE struct block_type block_type_i8_bounded(void)
{
    struct block_type type = block_type_i8(false);
    type.store = store_i8_bounded;
    return type;
}

/* As the stem's are: in two, and bounded. */
TILE_INLINE struct block_type block_type_i8_parts(void)
{
    struct block_type type = block_type_i8(true);
    type.store = store_i8_parts;
    return type;
}

#endif
