/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_F32_H
#define CXN_KERN_MAX_POOL_F32_H

#include "kern/kern.h"

/*
 * Largest value of each 3x3 window, stride 2, one place of border that never wins:
 * dst[(height + 1) / 2][(width + 1) / 2], of src[height][width]. src is dense, [..][channels];
 * places of dst are dst_step floats apart.
 */
typedef void cxn_max_pool_f32_fn(float *dst, size_t dst_step, const float *src, size_t height,
                                 size_t width, size_t channels);

/* One function a level, kern/<level>/max_pool_f32.c. */
cxn_max_pool_f32_fn cxn_max_pool_f32_c;

struct cxn_max_pool_f32_kernel {
    struct cxn_kern_row row;
    cxn_max_pool_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_max_pool_f32_kernel *cxn_max_pool_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_max_pool_f32_op;

#endif
