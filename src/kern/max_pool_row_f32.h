/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_ROW_F32_H
#define CXN_KERN_MAX_POOL_ROW_F32_H

#include "kern/kern.h"

/*
 * Largest value of each 3x3 window, stride 2, for one row of windows: window x reads places 2x,
 * 2x + 1 and 2x + 2 of each of three rows, which need not be neighbours. A NaN wins.
 */
struct cxn_max_pool_row_f32 {
    const float *src[3]; /* dense, [2 * count + 1][channels] */
    float *dst;          /* [count] places, dst_step floats apart */
    size_t dst_step;
    size_t count, channels;
};
typedef void cxn_max_pool_row_f32_fn(const struct cxn_max_pool_row_f32 *pool);

/* One function a level, kern/<level>/max_pool_row_f32.c. */
cxn_max_pool_row_f32_fn cxn_max_pool_row_f32_c, cxn_max_pool_row_f32_avx2,
    cxn_max_pool_row_f32_avx512;

struct cxn_max_pool_row_f32_kernel {
    struct cxn_kern_row row;
    cxn_max_pool_row_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_max_pool_row_f32_kernel *cxn_max_pool_row_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_max_pool_row_f32_op;

#endif
