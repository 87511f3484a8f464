/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include <string.h>

#include "kern/avx512/requantize.h"

typedef int tile_sum __attribute__((vector_size(64)));
typedef __m512i tile_terms;

#include "kern/avx512/tiles.h"

TILE_INLINE __m512i broadcast(const char *p)
{
    int four;
    memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

TILE_INLINE tile_sum begin(const char *panel, size_t half)
{
    (void)panel;
    (void)half;
    return (tile_sum){ 0 };
}

TILE_INLINE __m512i load(const char *w)
{
    return _mm512_load_si512(w);
}

TILE_INLINE tile_sum add(tile_sum sum, __m512i fours, __m512i w)
{
    return (tile_sum)_mm512_dpbusd_epi32((__m512i)sum, fours, w);
}

TILE_INLINE void store(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                       uint32_t mask, tile_sum low, tile_sum high)
{
    const struct requantize r = load_requantize(panel);
    _mm256_mask_storeu_epi8(dst, mask, requantize_place(&r, (__m512i)low, (__m512i)high,
                                                        c->two_parts, c->bounded));
}

void cxn_conv_bordered_i8_vnni(const struct cxn_conv_bordered *c)
{
    tile_run(c, (struct tile_type){ sizeof(uint8_t), cxn_conv_i8_header_bytes(TILE_CHANNELS),
                                    cxn_conv_i8_outputs(TILE_CHANNELS, c->two_parts), begin,
                                    broadcast, load, add, store });
}
