/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_BYTE_LOOPS_H
#define CXN_KERN_BYTE_LOOPS_H

#include "kern/hinge_pool_i8.h"
#include "kern/max_pool_row_u8.h"
#include "kern/sums_u8.h"

/* What lies between convolutions of bytes, as loops that each level compiles with its own flags:
 * the compiler's vectors are as good as any. */

/* src: a window's four places, row by row. */
static inline void hinge_pool_place(uint8_t *restrict dst, const uint8_t *const src[4],
                                    const uint8_t *restrict flip, const uint8_t *restrict knot,
                                    size_t channels)
{
    const uint8_t *restrict a = src[0], *restrict b = src[1];
    const uint8_t *restrict c = src[2], *restrict d = src[3];
    for (size_t i = 0; i < channels; i++) {
        const uint16_t upper = (uint16_t)(cxn_hinge_byte(a[i], flip[i], knot[i]) +
                                          cxn_hinge_byte(b[i], flip[i], knot[i]));
        const uint16_t lower = (uint16_t)(cxn_hinge_byte(c[i], flip[i], knot[i]) +
                                          cxn_hinge_byte(d[i], flip[i], knot[i]));
        dst[i] = (uint8_t)((uint16_t)(upper + lower + 2) >> 2);
    }
}

static inline void hinge_pool_loop(const struct cxn_hinge_pool_i8 *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint8_t *upper = pool->src + 2 * x * pool->src_step;
        const uint8_t *lower = upper + pool->src_row_step;
        const uint8_t *const window[4] = { upper, upper + pool->src_step, lower,
                                           lower + pool->src_step };
        hinge_pool_place(pool->dst + x * pool->dst_step, window, pool->flip, pool->knot,
                         pool->channels);
    }
}

static inline void max_bytes_place(uint8_t *restrict dst, const uint8_t *const src[9],
                                   size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        uint8_t most = 0;
        for (size_t tap = 0; tap < 9; tap++) most = src[tap][i] > most ? src[tap][i] : most;
        dst[i] = most;
    }
}

static inline void max_bytes_loop(const struct cxn_max_pool_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint8_t *taps[9];
        for (size_t tap = 0; tap < 9; tap++)
            taps[tap] = (const uint8_t *)pool->src[tap / 3] + (2 * x + tap % 3) * pool->channels;
        max_bytes_place((uint8_t *)pool->dst + x * pool->dst_step, taps, pool->channels);
    }
}

static inline void sum_bytes_place(int32_t *restrict sum, const uint8_t *restrict src,
                                   const uint8_t *restrict flip, const uint8_t *restrict knot,
                                   size_t channels)
{
    for (size_t i = 0; i < channels; i++) sum[i] += cxn_hinge_byte(src[i], flip[i], knot[i]);
}

static inline void sum_bytes_loop(const struct cxn_sums_u8 *sums)
{
    for (size_t i = 0; i < sums->channels; i++) sums->dst[i] = 0;
    for (size_t p = 0; p < sums->count; p++)
        sum_bytes_place(sums->dst, sums->src + p * sums->src_step, sums->flip, sums->knot,
                        sums->channels);
}

#endif
