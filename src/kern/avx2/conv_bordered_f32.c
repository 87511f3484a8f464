/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

#include <immintrin.h>

typedef __m256 tile_sum;

#include "kern/avx2/tiles.h"

TILE_INLINE tile_sum begin(const char *panel, size_t half)
{
    return _mm256_load_ps((const float *)(const void *)panel + 8 * half);
}

TILE_INLINE const char *add_row(const struct cxn_conv_bordered *c, tile_sum sum[TILE_PLACES][2],
                                const char *src, const char *weights, int places)
{
    const ptrdiff_t step = (ptrdiff_t)(c->place_step * sizeof(float));
    const char *one = src + step, *four = one + 3 * step;
    const float *w = (const float *)(const void *)weights;
    for (size_t i = 0; i < c->run; i++) {
        const __m256 w0 = _mm256_load_ps(w), w1 = _mm256_load_ps(w + 8);
#pragma GCC unroll 6
        for (int p = 0; p < places; p++) {
            const char *at = tile_place(one, four, step, p);
            const __m256 x = _mm256_broadcast_ss((const float *)(const void *)at);
            sum[p][0] = _mm256_fmadd_ps(x, w0, sum[p][0]);
            sum[p][1] = _mm256_fmadd_ps(x, w1, sum[p][1]);
        }
        one += sizeof(float);
        four += sizeof(float);
        w += TILE_CHANNELS;
    }
    return (const char *)w;
}

TILE_INLINE void store(const struct cxn_conv_bordered *c, const char *panel, char *to,
                       size_t count, __m256 first, __m256 second)
{
    float *dst = (float *)(void *)to;
    const __m256 least = _mm256_set1_ps(c->relu ? 0.0f : -__builtin_inff());
    const __m256 low = _mm256_max_ps(least, first);
    const __m256 high = _mm256_max_ps(least, second);
    (void)panel;
    if (count == TILE_CHANNELS) {
        _mm256_storeu_ps(dst, low);
        _mm256_storeu_ps(dst + 8, high);
        return;
    }
    float value[TILE_CHANNELS];
    _mm256_storeu_ps(value, low);
    _mm256_storeu_ps(value + 8, high);
    for (size_t o = 0; o < count; o++) dst[o] = value[o];
}

void cxn_conv_bordered_f32_avx2(const struct cxn_conv_bordered *c)
{
    const size_t line_bytes = TILE_CHANNELS * sizeof(float);
    tile_run(c, (struct tile_type){ sizeof(float), line_bytes,
                                    line_bytes + c->tap_rows * c->run * line_bytes,
                                    TILE_CHANNELS, begin, add_row, store });
}
