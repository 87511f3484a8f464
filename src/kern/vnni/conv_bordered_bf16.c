/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include <string.h>

#include "kern/avx512/tiles.h"

enum { TERMS = 2, NUMBER_BYTES = 2 }; /* a pair of samples is broadcast */

TILE_INLINE __m512bh broadcast(const char *p)
{
    int pair; /* not aligned where a map's channels are not even */
    memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

TILE_INLINE __m512bh load(const char *w)
{
    return (__m512bh)_mm512_load_si512(w);
}

/* sum += the products of one tap row: `run` samples of each place times their weights. */
TILE_INLINE const char *add_run(__m512 sum[TILE_PLACES][2], const char *const src[2],
                                ptrdiff_t step, const char *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i += TERMS) {
        const __m512bh w0 = load(w), w1 = load(w + 64);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const __m512bh x = broadcast(tile_place(one[g], four[g], step, p));
                __m512 *to = sum[g * TILE_GROUP + p];
                to[0] = _mm512_dpbf16_ps(to[0], x, w0);
                to[1] = _mm512_dpbf16_ps(to[1], x, w1);
            }
            one[g] += 4;
            four[g] += 4;
        }
        w += 128;
    }
    return w;
}

TILE_INLINE void store(const struct cxn_conv_bordered *c, char *dst, uint32_t mask,
                       const __m512 sum[2])
{
    __m512 low = sum[0], high = sum[1];
    if (c->relu) {
        low = _mm512_max_ps(_mm512_setzero_ps(), low); /* in this order a NaN stays one */
        high = _mm512_max_ps(_mm512_setzero_ps(), high);
    }
    _mm512_mask_storeu_epi16(dst, mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* groups and places are constants wherever this is called. */
TILE_INLINE void compute(const struct cxn_conv_bordered *c, const struct tile *tile, int groups,
                         int places)
{
    const size_t terms = c->tap_rows * c->run / TERMS;
    const char *w = (const char *)c->w + tile->channel * (1 + terms) * 4;
    const ptrdiff_t step = (ptrdiff_t)(c->place_step * NUMBER_BYTES);
    const __m512 bias0 = _mm512_load_ps(w), bias1 = _mm512_load_ps(w + 64);
    __m512 sum[TILE_PLACES][2];
#pragma GCC unroll 14
    for (int p = 0; p < TILE_PLACES; p++) {
        sum[p][0] = bias0;
        sum[p][1] = bias1;
    }
    w += 128;
    const char *src[2] = { tile->src[0], tile->src[1] };
    for (size_t t = 0; t < c->tap_rows; t++) {
        w = add_run(sum, src, step, w, c->run, groups, places);
        src[0] += c->tap_row_step * NUMBER_BYTES;
        src[1] += c->tap_row_step * NUMBER_BYTES;
    }
#pragma GCC unroll 2
    for (int g = 0; g < groups; g++)
#pragma GCC unroll 7
        for (int p = 0; p < places; p++)
            store(c, tile->dst[g] + ((size_t)p * c->dst_place_step + tile->channel) * NUMBER_BYTES,
                  tile_mask(c, tile->channel), sum[g * TILE_GROUP + p]);
}

static void compute_pair(const struct cxn_conv_bordered *c, const struct tile *tile)
{
    compute(c, tile, 2, TILE_GROUP);
}

static void compute_group(const struct cxn_conv_bordered *c, const struct tile *tile,
                          size_t places)
{
    switch (places) {
    case 7: compute(c, tile, 1, 7); break;
    case 6: compute(c, tile, 1, 6); break;
    case 5: compute(c, tile, 1, 5); break;
    case 4: compute(c, tile, 1, 4); break;
    case 3: compute(c, tile, 1, 3); break;
    case 2: compute(c, tile, 1, 2); break;
    default: compute(c, tile, 1, 1); break;
    }
}

void cxn_conv_bordered_bf16_vnni(const struct cxn_conv_bordered *c)
{
    run_tiles(c, NUMBER_BYTES, compute_pair, compute_group);
}
