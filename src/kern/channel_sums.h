/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CHANNEL_SUMS_H
#define CXN_KERN_CHANNEL_SUMS_H

#include "kern/kern.h"

/*
 * What the mean and the variance of channels are made from: sum[i] += src[p][i] and
 * square[i] += src[p][i] * src[p][i] over count places p, in double. Places are `step` numbers
 * apart, float32 or bfloat16 as the operation says. The order of a sum depends on `count` alone.
 */
struct cxn_channel_sums {
    const void *src;
    size_t step;
    size_t count, channels;
    double *sum, *square; /* [channels] */
};
typedef void cxn_channel_sums_fn(const struct cxn_channel_sums *sums);

struct cxn_channel_sums_kernel {
    struct cxn_kern_row row;
    cxn_channel_sums_fn *run;
};

#endif
