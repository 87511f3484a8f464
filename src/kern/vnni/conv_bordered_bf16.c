/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include <string.h>

#include "kern/avx512/tiles_float.h"
#include "kern/bf16.h"

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

TILE_INLINE const char *add_run(tile_sum sum[TILE_PLACES][2], const char *const src[2],
                                ptrdiff_t step, const char *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i += 2) {
        const __m512bh w0 = load(w), w1 = load(w + 64);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const __m512bh x = broadcast(tile_place(one[g], four[g], step, p));
                tile_sum *to = sum[g * TILE_GROUP + p];
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

TILE_INLINE void store(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                       uint32_t mask, tile_sum low, tile_sum high)
{
    (void)panel;
    _mm512_mask_storeu_epi16(
        dst, mask, (__m512i)_mm512_cvtne2ps_pbh(tile_relu(c, high), tile_relu(c, low)));
}

void cxn_conv_bordered_bf16_vnni(const struct cxn_conv_bordered *c)
{
    tile_run(c, (struct tile_type){ sizeof(uint16_t), TILE_CHANNELS * sizeof(float), TILE_CHANNELS,
                                    tile_begin_bias, add_run, store });
}

/* As cxn_bf16_round() does, denormal numbers included, but both at once in 32 bits. */
void cxn_conv_pair_bf16_vnni(uint16_t *restrict to, const float *restrict first,
                             const float *restrict second, size_t count)
{
    for (size_t o = 0; o < count; o++) {
        const uint32_t pair = (uint32_t)cxn_bf16_round(second[o]) << 16 | cxn_bf16_round(first[o]);
        memcpy(to + 2 * o, &pair, sizeof pair);
    }
}
