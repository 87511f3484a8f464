/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/avx2/tiles_i8.h"

/*
 * Products of 16 bits and their sums of two are exact. Of four neighbouring samples in a lane a
 * mask leaves the first and the third as 16 bits, and a shift the others, which is why weights are
 * packed in that order.
 */
TILE_INLINE const char *add_run(tile_sum sum[TILE_PLACES][2], const char *src, ptrdiff_t step,
                                const char *weights, size_t run, int places)
{
    const char *one = src + step, *four = one + 3 * step;
    const __m256i *w = (const __m256i *)(const void *)weights;
    const __m256i mask = _mm256_set1_epi16(0xff);
    for (size_t i = 0; i < run; i += 4) {
#pragma GCC unroll 6
        for (int p = 0; p < places; p++) {
            const __m256i x = tile_broadcast(tile_place(one, four, step, p));
            const __m256i even = _mm256_and_si256(x, mask), odd = _mm256_srli_epi16(x, 8);
            sum[p][0] += (tile_sum)_mm256_madd_epi16(even, w[0]);
            sum[p][1] += (tile_sum)_mm256_madd_epi16(even, w[1]);
            sum[p][0] += (tile_sum)_mm256_madd_epi16(odd, w[2]);
            sum[p][1] += (tile_sum)_mm256_madd_epi16(odd, w[3]);
        }
        one += 4;
        four += 4;
        w += 4;
    }
    return (const char *)w;
}

void cxn_conv_bordered_i8_avx2(const struct cxn_conv_bordered *c)
{
    tile_run_i8(c, sizeof(int16_t), add_run);
}
