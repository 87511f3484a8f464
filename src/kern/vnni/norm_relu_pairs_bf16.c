/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_pairs_bf16.h"

#include <stdbool.h>

#include "kern/vnni/parted.h"

enum { BLOCK = CXN_PAIRS_CHANNELS, PAIR = 2 * BLOCK }; /* PAIR: numbers of a pair of a block */

struct channels {
    __mmask32 mask;
    __m512 scale[2], shift[2];
};

/* The operand order of max keeps a NaN. Channels that there are not get 0. */
static inline void activate(__m512 to[2], const struct channels *c, const uint16_t *src)
{
    __m512 value[2];
    parted_numbers(value, src, c->mask);
    for (size_t i = 0; i < 2; i++)
        to[i] = _mm512_max_ps(_mm512_setzero_ps(),
                              _mm512_fmadd_ps(value[i], c->scale[i], c->shift[i]));
}

/* Two places, the second of which may be none. */
static inline void store_pair(uint16_t *dst, size_t block_step, bool wide, const __m512 first[2],
                              const __m512 second[2])
{
    __m512 to[2];
    const __m512i even = parted_interleave((__m512i)_mm512_cvtne2ps_pbh(second[0], first[0]));
    const __m512i odd = parted_interleave((__m512i)_mm512_cvtne2ps_pbh(second[1], first[1]));
    parted_join(to, _mm512_castsi512_ps(even), _mm512_castsi512_ps(odd));
    _mm512_storeu_ps(dst, to[0]);
    if (wide) _mm512_storeu_ps(dst + block_step, to[1]);
}

/* `count` places of the channels from i on, to pairs from dst on. */
static inline void turn_places(const struct cxn_norm_relu_pairs *norm, const uint16_t *src,
                               size_t i, size_t count, uint16_t *dst)
{
    struct channels c = { .mask = parted_mask(norm->channels - i) };
    const __m512 none[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
    const size_t step = norm->src_step;
    const bool wide = norm->channels - i > BLOCK;
    parted_floats(c.scale, norm->scale + i, c.mask);
    parted_floats(c.shift, norm->shift + i, c.mask);
    dst += i / BLOCK * norm->dst_block_step;
    for (src += i; count > 1; count -= 2, src += 2 * step, dst += PAIR) {
        __m512 first[2], second[2];
        activate(first, &c, src);
        activate(second, &c, src + step);
        store_pair(dst, norm->dst_block_step, wide, first, second);
    }
    if (count == 0) return;
    __m512 last[2];
    activate(last, &c, src);
    store_pair(dst, norm->dst_block_step, wide, last, none);
}

/* Pairs first..line / 2 - 1 of a row. */
static void clear_pairs(const struct cxn_norm_relu_pairs *norm, uint16_t *row, size_t first)
{
    for (size_t i = 0; i < norm->channels; i += BLOCK)
        for (size_t pair = first; pair < norm->line / 2; pair++)
            _mm512_storeu_ps(row + i / BLOCK * norm->dst_block_step + pair * PAIR,
                             _mm512_setzero_ps());
}

void cxn_norm_relu_pairs_bf16_vnni(const struct cxn_norm_relu_pairs *norm)
{
    for (size_t y = 0; y < norm->height; y++) {
        const uint16_t *src = norm->src + y * norm->src_row_step;
        uint16_t *row = norm->dst + y * norm->line * BLOCK;
        for (size_t x = 0, count; x < norm->width; x += count) {
            count = parted_places(norm->width - x);
            for (size_t i = 0; i < norm->channels; i += PARTED_CHANNELS)
                turn_places(norm, src + x * norm->src_step, i, count, row + x * BLOCK);
        }
        clear_pairs(norm, row, (norm->width + 1) / 2);
    }
}
