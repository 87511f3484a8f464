/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include <string.h>

#include "kern/avx512/requantize.h"

typedef int tile_sum __attribute__((vector_size(64)));

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

TILE_INLINE const char *add_run(tile_sum sum[TILE_PLACES][2], const char *const src[2],
                                ptrdiff_t step, const char *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i += 4) {
        const __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const __m512i x = broadcast(tile_place(one[g], four[g], step, p));
                tile_sum *to = sum[g * TILE_GROUP + p];
                to[0] = (tile_sum)_mm512_dpbusd_epi32((__m512i)to[0], x, w0);
                to[1] = (tile_sum)_mm512_dpbusd_epi32((__m512i)to[1], x, w1);
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
    const struct requantize r = load_requantize(panel);
    _mm256_mask_storeu_epi8(dst, mask, requantize_place(&r, (__m512i)low, (__m512i)high,
                                                        c->two_parts));
}

void cxn_conv_bordered_i8_vnni(const struct cxn_conv_bordered *c)
{
    tile_run(c, (struct tile_type){ sizeof(uint8_t), cxn_conv_i8_header_bytes(TILE_CHANNELS),
                                    cxn_conv_i8_outputs(TILE_CHANNELS, c->two_parts), begin,
                                    add_run, store });
}
