/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include <string.h>

#include "kern/avx512/bf16.h"
#include "kern/avx512/tiles.h"

/* Of each pair of numbers, the first or the second as float32, whose upper half it is. */
TILE_INLINE __m512 take(__m512i pairs, bool second)
{
    return _mm512_castsi512_ps(second ? _mm512_and_epi32(pairs, _mm512_set1_epi32(-65536)) :
                                        _mm512_slli_epi32(pairs, 16));
}

TILE_INLINE __m512i broadcast(const char *p)
{
    int pair; /* not aligned where a map's channels are not even */
    memcpy(&pair, p, sizeof pair);
    return _mm512_set1_epi32(pair);
}

TILE_INLINE const char *add_run(__m512 sum[TILE_PLACES][2], const char *const src[2],
                                ptrdiff_t step, const char *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i += 2) {
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            const __m512 w0 = take(_mm512_load_si512(w), k > 0);
            const __m512 w1 = take(_mm512_load_si512(w + 64), k > 0);
#pragma GCC unroll 2
            for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
                for (int p = 0; p < places; p++) {
                    const char *at = tile_place(one[g], four[g], step, p);
                    const __m512 x = take(broadcast(at), k > 0);
                    __m512 *to = sum[g * TILE_GROUP + p];
                    to[0] = _mm512_fmadd_ps(x, w0, to[0]);
                    to[1] = _mm512_fmadd_ps(x, w1, to[1]);
                }
            }
        }
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
            one[g] += 4;
            four[g] += 4;
        }
        w += 128;
    }
    return w;
}

TILE_INLINE void store(char *dst, uint32_t mask, __m512 low, __m512 high)
{
    _mm256_mask_storeu_epi16(dst, (__mmask16)(mask & 0xffff), bf16_round(low));
    _mm256_mask_storeu_epi16(dst + 32, (__mmask16)(mask >> 16), bf16_round(high));
}

void cxn_conv_bordered_bf16_avx512(const struct cxn_conv_bordered *c)
{
    tile_run(c, (struct tile_type){ sizeof(uint16_t), add_run, store });
}
