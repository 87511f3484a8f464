/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_F32_H
#define CXN_KERN_NORM_RELU_F32_H

#include "kern/kern.h"

/*
 * Batch norm with fixed statistics, then ReLU: dst[p][i] = max(0, src[p][i] * scale[i] + shift[i])
 * for count places p and channels i. Places are src_step and dst_step floats apart. dst may be src.
 * A NaN stays one.
 */
struct cxn_norm_relu_f32 {
    const float *src;
    size_t src_step;
    float *dst;
    size_t dst_step;
    size_t count, channels;
    const float *scale, *shift; /* [channels] */
};
typedef void cxn_norm_relu_f32_fn(const struct cxn_norm_relu_f32 *norm);

/* One function a level, kern/<level>/norm_relu_f32.c. */
cxn_norm_relu_f32_fn cxn_norm_relu_f32_c, cxn_norm_relu_f32_avx2, cxn_norm_relu_f32_avx512;

struct cxn_norm_relu_f32_kernel {
    struct cxn_kern_row row;
    cxn_norm_relu_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_relu_f32_kernel *cxn_norm_relu_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_relu_f32_op;

#endif
