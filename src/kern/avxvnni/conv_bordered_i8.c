/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/avx2/tiles_i8.h"

TILE_INLINE const char *add_row(const struct cxn_conv_bordered *c, tile_sum sum[TILE_PLACES][2],
                                const char *src, const char *weights, int places)
{
    const ptrdiff_t step = (ptrdiff_t)c->place_step;
    const char *one = src + step, *four = one + 3 * step;
    const __m256i *w = (const __m256i *)(const void *)weights;
    for (size_t i = 0; i < c->run; i += 4) {
        const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
#pragma GCC unroll 6
        for (int p = 0; p < places; p++) {
            const __m256i x = tile_broadcast(tile_place(one, four, step, p));
            sum[p][0] = (tile_sum)_mm256_dpbusd_avx_epi32((__m256i)sum[p][0], x, w0);
            sum[p][1] = (tile_sum)_mm256_dpbusd_avx_epi32((__m256i)sum[p][1], x, w1);
        }
        one += 4;
        four += 4;
        w += 2;
    }
    return (const char *)w;
}

void cxn_conv_bordered_i8_avxvnni(const struct cxn_conv_bordered *c)
{
    tile_run_i8(c, c->tap_rows * c->run * TILE_CHANNELS, add_row);
}
