/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MEAN_F32_H
#define CXN_KERN_MEAN_F32_H

#include "kern/kern.h"

/* Mean over all places: dst[i] = sum over p of src[p][i] / count; src is dense, count >= 1. */
typedef void cxn_mean_fn(float *dst, const void *src, size_t count, size_t channels);

/* One function a level, kern/<level>/mean_f32.c. */
cxn_mean_fn cxn_mean_f32_c;

struct cxn_mean_kernel {
    struct cxn_kern_row row;
    cxn_mean_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_mean_kernel *cxn_mean_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_mean_f32_op;

#endif
