/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_GRAD_H
#define CXN_KERN_NORM_GRAD_H

#include "kern/kern.h"

/*
 * The gradient of norm and ReLU from what went in, src, where the norm is src * scale + shift. With
 *     dz[p][i] = src[p][i] * scale[i] + shift[i] > 0 ? grad[p][i] : 0
 * over count places p and channels i, first, unless dst is NULL,
 *     dst[p][i] += scale[i] * dz[p][i]
 * and the sums that the statistics' share needs, a few places in float32 and those in double,
 *     sum[i] += dz[p][i], product[i] += dz[p][i] * src[p][i]
 * in an order that depends on `count` alone. src is bfloat16, grad what the operation says, and dst
 * float32. Places are steps apart, in numbers; those of grad may be 0.
 */
struct cxn_norm_grad {
    const void *grad;
    const uint16_t *src;
    float *dst;
    size_t grad_step, src_step, dst_step;
    size_t count, channels;
    const float *scale, *shift; /* [channels] */
    double *sum, *product;      /* [channels] */
};
typedef void cxn_norm_grad_fn(const struct cxn_norm_grad *norm);

struct cxn_norm_grad_kernel {
    struct cxn_kern_row row;
    cxn_norm_grad_fn *run;
};

/*
 * Once the sums are known, all of it:
 *     dst[p][i] = scale[i] * dz[p][i] + (src[p][i] - mean[i]) * slope[i] + offset[i]
 * grad and dst are what the operation says; they may be the same.
 */
struct cxn_norm_data {
    const void *grad;
    const uint16_t *src;
    void *dst;
    size_t grad_step, src_step, dst_step;
    size_t count, channels;
    const float *scale, *shift, *mean, *slope, *offset; /* [channels] */
};
typedef void cxn_norm_data_fn(const struct cxn_norm_data *norm);

struct cxn_norm_data_kernel {
    struct cxn_kern_row row;
    cxn_norm_data_fn *run;
};

#endif
