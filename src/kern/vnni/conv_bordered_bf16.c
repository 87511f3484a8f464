/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include <immintrin.h>
#include <string.h>

typedef __m512bh tile_terms;

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

TILE_INLINE tile_sum add(tile_sum sum, __m512bh pairs, __m512bh w)
{
    return _mm512_dpbf16_ps(sum, pairs, w);
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
                                    tile_begin_bias, broadcast, load, add, store });
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
