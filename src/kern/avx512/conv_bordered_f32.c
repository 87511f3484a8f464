/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

#include <immintrin.h>

typedef __m512 tile_terms;

#include "kern/avx512/tiles_float.h"

TILE_INLINE __m512 broadcast(const char *p)
{
    return _mm512_set1_ps(*(const float *)(const void *)p);
}

TILE_INLINE __m512 load(const char *w)
{
    return _mm512_load_ps(w);
}

TILE_INLINE __m512 add(__m512 sum, __m512 x, __m512 w)
{
    return _mm512_fmadd_ps(x, w, sum);
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
                                    tile_begin_bias, broadcast, load, add, store });
}
