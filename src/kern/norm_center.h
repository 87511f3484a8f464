/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_CENTER_H
#define CXN_KERN_NORM_CENTER_H

#include "kern/kern.h"

/*
 * The second half of the gradient of norms: what goes through the mean and the variance of src,
 *     dst[p][i] = grad[p][i] + (src[p][i] - mean[i]) * slope[i] + offset[i]
 * for count places p and channels i. Steps are in numbers; what a number is (grad, src, dst) is the
 * operation's. dst may be grad where both are alike.
 */
struct cxn_norm_center {
    const void *grad, *src;
    void *dst;
    size_t grad_step, src_step, dst_step;
    size_t count, channels;
    const float *mean, *slope, *offset; /* [channels] */
};
typedef void cxn_norm_center_fn(const struct cxn_norm_center *norm);

struct cxn_norm_center_kernel {
    struct cxn_kern_row row;
    cxn_norm_center_fn *run;
};

#endif
