/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/avx2/tiles_i8.h"
#include "kern/conv_i8_steps.h"

_Static_assert((int)TILE_CHANNELS == (int)CXN_CONV_I8_STEP_COLUMNS, "a panel is of one width");

/* `count` groups of `size` neighbouring steps, whose sums are added before they are widened: 3
 * instructions for 32 products, or 5 for 64. */
TILE_INLINE void add_groups(const struct cxn_conv_bordered *c, tile_sum sum[TILE_PLACES][2],
                            const char *src, const struct cxn_conv_i8_at *at, const __m256i *w,
                            size_t count, int size, int places)
{
    const ptrdiff_t step = (ptrdiff_t)c->place_step;
    const __m256i ones = _mm256_set1_epi16(1);
    for (size_t i = 0; i < count; i++) {
        const char *one[2], *four[2];
#pragma GCC unroll 2
        for (int s = 0; s < size; s++) {
            one[s] = src + at[s].tap_row * c->tap_row_step + at[s].term + step;
            four[s] = one[s] + 3 * step;
        }
#pragma GCC unroll 6
        for (int p = 0; p < places; p++) {
            const __m256i x = tile_broadcast(tile_place(one[0], four[0], step, p));
            __m256i low = _mm256_maddubs_epi16(x, w[0]), high = _mm256_maddubs_epi16(x, w[1]);
            if (size == 2) {
                const __m256i y = tile_broadcast(tile_place(one[1], four[1], step, p));
                low = _mm256_add_epi16(low, _mm256_maddubs_epi16(y, w[2]));
                high = _mm256_add_epi16(high, _mm256_maddubs_epi16(y, w[3]));
            }
            sum[p][0] += (tile_sum)_mm256_madd_epi16(low, ones);
            sum[p][1] += (tile_sum)_mm256_madd_epi16(high, ones);
        }
        at += size;
        w += 2 * size;
    }
}

/* Of all tap rows, which are told of as one: nothing comes behind these weights. */
TILE_INLINE const char *add_steps(const struct cxn_conv_bordered *c, tile_sum sum[TILE_PLACES][2],
                                  const char *src, const char *weights, int places)
{
    const struct cxn_conv_i8_steps *steps = (const void *)weights;
    const struct cxn_conv_i8_at *at = (const void *)(steps + 1);
    const __m256i *w = (const void *)((const char *)at + cxn_conv_i8_at_bytes(c->run));
    const size_t first = cxn_conv_i8_step_room(c->run) - steps->singles;
    add_groups(c, sum, src, at, w, steps->pairs, 2, places);
    add_groups(c, sum, src, at + first, w + 2 * first, steps->singles, 1, places);
    return weights;
}

void cxn_conv_bordered_i8_avx2(const struct cxn_conv_bordered *c)
{
    struct cxn_conv_bordered whole = *c;
    whole.run *= whole.tap_rows;
    whole.tap_rows = 1;
    tile_run_i8(&whole, cxn_conv_i8_steps_bytes(whole.run), add_steps);
}
