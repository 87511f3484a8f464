/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_GRAD_LOOPS_F32_H
#define CXN_KERN_GRAD_LOOPS_F32_H

#include "kern/channel_sums.h"
#include "kern/norm_center.h"

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

/* dst may be grad, place by place, which gcc has to be told. */
#ifdef __clang__
#define GRAD_INDEPENDENT
#else
#define GRAD_INDEPENDENT _Pragma("GCC ivdep")
#endif

static inline void norm_center_place(float *dst, const float *grad, const float *restrict src,
                                     const struct cxn_norm_center *n)
{
    const float *restrict mean = n->mean, *restrict slope = n->slope, *restrict offset = n->offset;
    GRAD_INDEPENDENT
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

#endif
