/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_ROW_H
#define CXN_KERN_MAX_POOL_ROW_H

#include "kern/kern.h"

/*
 * Largest value of each 3x3 window, stride 2, for one row of windows: window x reads places 2x,
 * 2x + 1 and 2x + 2 of each of three rows, which need not be neighbours. A NaN wins.
 */
struct cxn_max_pool_row {
    const void *src[3]; /* dense, [2 * count + 1][channels] */
    void *dst;           /* [count] places, dst_step numbers apart */
    size_t dst_step;
    size_t count, channels;
};
typedef void cxn_max_pool_row_fn(const struct cxn_max_pool_row *pool);

struct cxn_max_pool_row_kernel {
    struct cxn_kern_row row;
    cxn_max_pool_row_fn *run;
};

#endif
