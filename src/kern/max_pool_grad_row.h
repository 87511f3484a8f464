/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_GRAD_ROW_H
#define CXN_KERN_MAX_POOL_GRAD_ROW_H

#include "kern/kern.h"

/*
 * The gradient of max_pool_row: of each window the first place, in the order of rows and then of
 * places, that equals the largest number has grad[x][i] added to its number of dst. Numbers are not
 * negative.
 */
struct cxn_max_pool_grad_row {
    const void *src[3];  /* as of max_pool_row: dense, [2 * count + 1][channels] */
    const void *largest; /* what it gave: [count] places, largest_step numbers apart */
    const void *grad;    /* [count] places, grad_step numbers apart */
    size_t largest_step, grad_step;
    void *dst[3]; /* dense, [2 * count + 1][channels]; no two are the same row */
    size_t count, channels;
};
typedef void cxn_max_pool_grad_row_fn(const struct cxn_max_pool_grad_row *pool);

struct cxn_max_pool_grad_row_kernel {
    struct cxn_kern_row row;
    cxn_max_pool_grad_row_fn *run;
};

#endif
