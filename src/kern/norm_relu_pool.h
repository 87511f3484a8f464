/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_POOL_H
#define CXN_KERN_NORM_RELU_POOL_H

#include "kern/kern.h"

/*
 * Batch norm, ReLU and the mean of each 2x2 window, for one row of windows:
 *     dst[x][i] = the mean over the four places of max(0, src * scale[i] + shift[i])
 * of places 2x and 2x + 1 of two rows. A transition's 1x1 convolution and its pooling are both
 * linear, so pooling first gives the same sums at a quarter of the work.
 */
struct cxn_norm_relu_pool {
    const void *src; /* upper row; places are src_step numbers apart */
    size_t src_step, src_row_step;
    void *dst;
    size_t dst_step;
    size_t count, channels; /* windows; channels of each */
    const float *scale, *shift; /* [channels] */
};
typedef void cxn_norm_relu_pool_fn(const struct cxn_norm_relu_pool *pool);

struct cxn_norm_relu_pool_kernel {
    struct cxn_kern_row row;
    cxn_norm_relu_pool_fn *run;
};

#endif
