/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_BF16_LOOPS_H
#define CXN_KERN_BF16_LOOPS_H

#include "kern/bf16.h"
#include "kern/max_pool_row.h"
#include "kern/norm_relu.h"
#include "kern/norm_relu_pool.h"
#include "kern/round_bf16.h"

/*
 * What lies between convolutions and maps of bfloat16, as loops that each level compiles with its
 * own flags: the compiler's vectors are as good as any, and since no product is contracted
 * with a sum all levels give the same bits.
 */

static inline float activate_bf16(uint16_t number, float scale, float shift)
{
    const float value = cxn_bf16_value(number) * scale + shift;
    return value < 0.0f ? 0.0f : value; /* in this order a NaN stays one */
}

static inline void norm_relu_place(float *restrict dst, const uint16_t *restrict src,
                                   const float *restrict scale, const float *restrict shift,
                                   size_t channels)
{
    for (size_t i = 0; i < channels; i++) dst[i] = activate_bf16(src[i], scale[i], shift[i]);
}

static inline void norm_relu_loop(const struct cxn_norm_relu *norm)
{
    for (size_t p = 0; p < norm->count; p++)
        norm_relu_place((float *)norm->dst + p * norm->dst_step,
                        (const uint16_t *)norm->src + p * norm->src_step, norm->scale,
                        norm->shift, norm->channels);
}

/* src: a window's four places, row by row. */
static inline void norm_relu_pool_place(float *restrict dst, const uint16_t *const src[4],
                                        const float *restrict scale, const float *restrict shift,
                                        size_t channels)
{
    const uint16_t *restrict a = src[0], *restrict b = src[1];
    const uint16_t *restrict c = src[2], *restrict d = src[3];
    for (size_t i = 0; i < channels; i++)
        dst[i] = (activate_bf16(a[i], scale[i], shift[i]) +
                  activate_bf16(b[i], scale[i], shift[i]) +
                  activate_bf16(c[i], scale[i], shift[i]) +
                  activate_bf16(d[i], scale[i], shift[i])) * 0.25f;
}

static inline void norm_relu_pool_loop(const struct cxn_norm_relu_pool *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint16_t *upper = (const uint16_t *)pool->src + 2 * x * pool->src_step;
        const uint16_t *lower = upper + pool->src_row_step;
        const uint16_t *const window[4] = { upper, upper + pool->src_step, lower,
                                            lower + pool->src_step };
        norm_relu_pool_place((float *)pool->dst + x * pool->dst_step, window, pool->scale,
                             pool->shift, pool->channels);
    }
}

/* Numbers that are not negative are in the order of their bits, with any NaN behind infinity. */
static inline void max_pool_row_place(uint16_t *restrict dst, const uint16_t *const src[9],
                                      size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        int16_t most = 0;
        for (size_t tap = 0; tap < 9; tap++) {
            const int16_t value = (int16_t)(src[tap][i] & 0x7fff);
            most = value > most ? value : most;
        }
        dst[i] = (uint16_t)most;
    }
}

static inline void max_pool_row_loop(const struct cxn_max_pool_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint16_t *taps[9];
        for (size_t tap = 0; tap < 9; tap++)
            taps[tap] = (const uint16_t *)pool->src[tap / 3] + (2 * x + tap % 3) * pool->channels;
        max_pool_row_place((uint16_t *)pool->dst + x * pool->dst_step, taps, pool->channels);
    }
}

static inline void round_place(uint16_t *restrict dst, const float *restrict src, size_t channels)
{
    for (size_t i = 0; i < channels; i++) dst[i] = cxn_bf16_round(src[i]);
}

static inline void round_loop(const struct cxn_round_bf16 *round)
{
    for (size_t p = 0; p < round->count; p++)
        round_place(round->dst + p * round->dst_step, round->src + p * round->src_step,
                    round->channels);
}

#endif
