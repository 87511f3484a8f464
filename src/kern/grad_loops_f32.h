/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_GRAD_LOOPS_F32_H
#define CXN_KERN_GRAD_LOOPS_F32_H

#include <string.h>

#include "kern/channel_sums.h"
#include "kern/max_pool_grad_row.h"
#include "kern/norm_center.h"
#include "kern/norm_relu_grad.h"

/*
 * What lies between the convolutions of the backward pass, as loops that each level compiles with
 * its own flags. Sums of a block of channels stay in registers, or near them, over all places.
 */
enum { GRAD_CHANNELS = 32 };

#define GRAD_INLINE static inline __attribute__((always_inline))

GRAD_INLINE void channel_sums_block(const struct cxn_channel_sums *s, size_t first, size_t channels)
{
    double sum[GRAD_CHANNELS] = { 0 }, square[GRAD_CHANNELS] = { 0 };
    const float *restrict src = (const float *)s->src + first;
    for (size_t p = 0; p < s->count; p++, src += s->step) {
        for (size_t i = 0; i < channels; i++) {
            const double x = (double)src[i];
            sum[i] += x;
            square[i] += x * x;
        }
    }
    for (size_t i = 0; i < channels; i++) {
        s->sum[first + i] += sum[i];
        s->square[first + i] += square[i];
    }
}

GRAD_INLINE void channel_sums_loop(const struct cxn_channel_sums *s)
{
    size_t i = 0;
    for (; i + GRAD_CHANNELS <= s->channels; i += GRAD_CHANNELS)
        channel_sums_block(s, i, GRAD_CHANNELS);
    if (i < s->channels) channel_sums_block(s, i, s->channels - i);
}

GRAD_INLINE void norm_relu_grad_block(const struct cxn_norm_relu_grad *n, size_t first,
                                      size_t channels, bool add)
{
    double sum[GRAD_CHANNELS] = { 0 }, product[GRAD_CHANNELS] = { 0 };
    const float *restrict grad = (const float *)n->grad + first;
    const float *restrict active = (const float *)n->active + first;
    const float *restrict src = (const float *)n->src + first;
    const float *restrict factor = n->factor + first;
    float *restrict dst = (float *)n->dst + first;
    for (size_t p = 0; p < n->count; p++) {
        for (size_t i = 0; i < channels; i++) {
            const float dz = active[i] > 0.0f ? grad[i] : 0.0f;
            sum[i] += (double)dz;
            product[i] += (double)dz * (double)src[i];
            dst[i] = (add ? dst[i] : 0.0f) + dz * factor[i];
        }
        grad += n->grad_step;
        active += n->active_step;
        src += n->src_step;
        dst += n->dst_step;
    }
    for (size_t i = 0; i < channels; i++) {
        n->sum[first + i] += sum[i];
        n->product[first + i] += product[i];
    }
}

GRAD_INLINE void norm_relu_grad_loop(const struct cxn_norm_relu_grad *n)
{
    size_t i = 0;
    for (; i + GRAD_CHANNELS <= n->channels; i += GRAD_CHANNELS) {
        if (n->add) norm_relu_grad_block(n, i, GRAD_CHANNELS, true);
        else norm_relu_grad_block(n, i, GRAD_CHANNELS, false);
    }
    if (i < n->channels) norm_relu_grad_block(n, i, n->channels - i, n->add);
}

static inline void norm_center_place(float *dst, const float *grad, const float *restrict src,
                                     const struct cxn_norm_center *n)
{
    const float *restrict mean = n->mean, *restrict slope = n->slope, *restrict offset = n->offset;
#pragma GCC ivdep
    for (size_t i = 0; i < n->channels; i++)
        dst[i] = grad[i] + (src[i] - mean[i]) * slope[i] + offset[i];
}

GRAD_INLINE void norm_center_loop(const struct cxn_norm_center *n)
{
    for (size_t p = 0; p < n->count; p++)
        norm_center_place((float *)n->dst + p * n->dst_step,
                          (const float *)n->grad + p * n->grad_step,
                          (const float *)n->src + p * n->src_step, n);
}

/* What is left of a window's gradient goes to this place where its number is the largest. */
static inline void max_pool_grad_tap(float *restrict dst, const float *restrict src,
                                     const float *restrict largest, float *restrict left,
                                     size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        const float taken = src[i] == largest[i] ? left[i] : 0.0f;
        dst[i] += taken;
        left[i] -= taken;
    }
}

GRAD_INLINE void max_pool_grad_row_loop(const struct cxn_max_pool_grad_row *pool)
{
    float left[GRAD_CHANNELS];
    for (size_t x = 0; x < pool->count; x++) {
        for (size_t i = 0; i < pool->channels; i += GRAD_CHANNELS) {
            const size_t more = pool->channels - i;
            const size_t channels = more < GRAD_CHANNELS ? more : GRAD_CHANNELS;
            const float *largest = (const float *)pool->largest + x * pool->largest_step + i;
            memcpy(left, (const float *)pool->grad + x * pool->grad_step + i,
                   channels * sizeof *left);
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + i;
                max_pool_grad_tap((float *)pool->dst[tap / 3] + at,
                                  (const float *)pool->src[tap / 3] + at, largest, left, channels);
            }
        }
    }
}

#endif
