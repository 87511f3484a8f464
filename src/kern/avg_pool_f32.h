/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVG_POOL_F32_H
#define CXN_KERN_AVG_POOL_F32_H

#include "kern/kern.h"

/*
 * Mean of each whole 2x2 window, stride 2: dst[height / 2][width / 2] of src[height][width]. src is
 * dense, [..][channels]; places of dst are dst_step floats apart.
 */
typedef void cxn_avg_pool_f32_fn(float *dst, size_t dst_step, const float *src, size_t height,
                                 size_t width, size_t channels);

/* One function a level, kern/<level>/avg_pool_f32.c. */
cxn_avg_pool_f32_fn cxn_avg_pool_f32_c;

struct cxn_avg_pool_f32_kernel {
    struct cxn_kern_row row;
    cxn_avg_pool_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_avg_pool_f32_kernel *cxn_avg_pool_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_avg_pool_f32_op;

#endif
