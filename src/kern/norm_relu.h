/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_H
#define CXN_KERN_NORM_RELU_H

#include "kern/kern.h"

/*
 * Batch norm with fixed statistics, then ReLU: dst[p][i] = max(0, src[p][i] * scale[i] + shift[i])
 * for count places p and channels i. Places are src_step and dst_step numbers apart, float32 or
 * bfloat16 as the operation says. dst may be src. A NaN stays one.
 */
struct cxn_norm_relu {
    const void *src;
    size_t src_step;
    void *dst;
    size_t dst_step;
    size_t count, channels;
    const float *scale, *shift; /* [channels] */
};
typedef void cxn_norm_relu_fn(const struct cxn_norm_relu *norm);

struct cxn_norm_relu_kernel {
    struct cxn_kern_row row;
    cxn_norm_relu_fn *run;
};

#endif
