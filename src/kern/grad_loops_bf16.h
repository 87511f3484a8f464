/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_GRAD_LOOPS_BF16_H
#define CXN_KERN_GRAD_LOOPS_BF16_H

#include <stdbool.h>
#include <string.h>

#include "kern/bf16.h"
#include "kern/channel_sums.h"
#include "kern/max_pool_grad_row.h"

/*
 * Sums over maps of bfloat16 as loops that each level compiles with its own flags: a block of
 * channels over GRAD_PLACES places in float32, which are then added to the doubles. So few
 * roundings cost less than the numbers' own.
 */
enum { GRAD_CHANNELS = 32, GRAD_PLACES = 8 };

#define GRAD_INLINE static inline __attribute__((always_inline))

GRAD_INLINE void channel_sums_piece(const struct cxn_channel_sums *s, const uint16_t *restrict src,
                                    size_t count, size_t first, size_t channels)
{
    float sum[GRAD_CHANNELS] = { 0 }, square[GRAD_CHANNELS] = { 0 };
    for (size_t p = 0; p < count; p++, src += s->step) {
        for (size_t i = 0; i < channels; i++) {
            const float x = cxn_bf16_value(src[i]);
            sum[i] += x;
            square[i] += x * x;
        }
    }
    double *restrict to_sum = s->sum + first, *restrict to_square = s->square + first;
    for (size_t i = 0; i < channels; i++) {
        to_sum[i] += (double)sum[i];
        to_square[i] += (double)square[i];
    }
}

GRAD_INLINE void channel_sums_loop(const struct cxn_channel_sums *s)
{
    for (size_t p = 0; p < s->count; p += GRAD_PLACES) {
        const size_t left = s->count - p, count = left < GRAD_PLACES ? left : GRAD_PLACES;
        const uint16_t *src = (const uint16_t *)s->src + p * s->step;
        size_t i = 0;
        for (; i + GRAD_CHANNELS <= s->channels; i += GRAD_CHANNELS)
            channel_sums_piece(s, src + i, count, i, GRAD_CHANNELS);
        if (i < s->channels) channel_sums_piece(s, src + i, count, i, s->channels - i);
    }
}

/* What is left of a window's gradient goes to this place where its number is the largest: numbers
 * that are not negative are equal where their bits are. */
static inline void max_pool_grad_tap(uint16_t *restrict dst, const uint16_t *restrict src,
                                     const uint16_t *restrict largest, uint16_t *restrict left,
                                     size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        const bool is_largest = src[i] == largest[i];
        const float sum = cxn_bf16_value(dst[i]) + cxn_bf16_value(is_largest ? left[i] : 0);
        dst[i] = cxn_bf16_round(sum);
        left[i] = is_largest ? 0 : left[i];
    }
}

GRAD_INLINE void max_pool_grad_row_loop(const struct cxn_max_pool_grad_row *pool)
{
    uint16_t left[GRAD_CHANNELS];
    for (size_t x = 0; x < pool->count; x++) {
        for (size_t i = 0; i < pool->channels; i += GRAD_CHANNELS) {
            const size_t more = pool->channels - i;
            const size_t channels = more < GRAD_CHANNELS ? more : GRAD_CHANNELS;
            const uint16_t *largest =
                (const uint16_t *)pool->largest + x * pool->largest_step + i;
            memcpy(left, (const uint16_t *)pool->grad + x * pool->grad_step + i,
                   channels * sizeof *left);
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + i;
                max_pool_grad_tap((uint16_t *)pool->dst[tap / 3] + at,
                                  (const uint16_t *)pool->src[tap / 3] + at, largest, left,
                                  channels);
            }
        }
    }
}

#endif
