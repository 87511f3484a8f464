/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

#include "kern/avx512/tiles_float.h"

TILE_INLINE __m512 broadcast(const char *p)
{
    return _mm512_set1_ps(*(const float *)(const void *)p);
}

TILE_INLINE __m512 load(const char *w)
{
    return _mm512_load_ps(w);
}

TILE_INLINE const char *add_run(tile_sum sum[TILE_PLACES][2], const char *const src[2],
                                ptrdiff_t step, const char *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i++) {
        const __m512 w0 = load(w), w1 = load(w + 64);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const __m512 x = broadcast(tile_place(one[g], four[g], step, p));
                tile_sum *to = sum[g * TILE_GROUP + p];
                to[0] = _mm512_fmadd_ps(x, w0, to[0]);
                to[1] = _mm512_fmadd_ps(x, w1, to[1]);
            }
            one[g] += 4;
            four[g] += 4;
        }
        w += 128;
    }
    return w;
}

TILE_INLINE void store(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                       uint32_t mask, tile_sum low, tile_sum high)
{
    (void)panel;
    _mm512_mask_storeu_ps(dst, (__mmask16)(mask & 0xffff), tile_relu(c, low));
    _mm512_mask_storeu_ps(dst + 64, (__mmask16)(mask >> 16), tile_relu(c, high));
}

void cxn_conv_bordered_f32_avx512(const struct cxn_conv_bordered *c)
{
    tile_run(c, (struct tile_type){ sizeof(float), TILE_CHANNELS * sizeof(float), TILE_CHANNELS,
                                    tile_begin_bias, add_run, store });
}
