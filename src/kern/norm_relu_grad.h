/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_GRAD_H
#define CXN_KERN_NORM_RELU_GRAD_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * The first half of the gradient of norm_relu where the norm's statistics are those of src. With
 *     dz[p][i] = active[p][i] > 0 ? grad[p][i] : 0
 * over count places p and channels i:
 *     sum[i] += dz[p][i], product[i] += dz[p][i] * src[p][i]    in double
 *     dst[p][i] (+)= dz[p][i] * factor[i]
 * The second half is norm_center, once the sums are complete. Steps are in numbers; what a number
 * is (grad, active, src, dst) is the operation's. The order of a sum depends on `count` alone.
 */
struct cxn_norm_relu_grad {
    const void *grad;   /* by what norm_relu gave */
    const void *active; /* what it gave */
    const void *src;    /* what it read */
    void *dst;
    size_t grad_step, active_step, src_step, dst_step;
    size_t count, channels;
    const float *factor;   /* [channels] */
    double *sum, *product; /* [channels] */
    bool add;
};
typedef void cxn_norm_relu_grad_fn(const struct cxn_norm_relu_grad *norm);

struct cxn_norm_relu_grad_kernel {
    struct cxn_kern_row row;
    cxn_norm_relu_grad_fn *run;
};

#endif
