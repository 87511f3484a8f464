/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_GRAD_LOOPS_BF16_H
#define CXN_KERN_GRAD_LOOPS_BF16_H

#include "kern/bf16.h"
#include "kern/channel_sums.h"

/*
 * Sums over maps of bfloat16 as loops that each level compiles with its own flags: a block of
 * channels over GRAD_PLACES places in float32, which are then added to the doubles. So few roundings
 * cost less than the numbers' own.
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

#endif
