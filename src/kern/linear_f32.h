/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_LINEAR_F32_H
#define CXN_KERN_LINEAR_F32_H

#include "kern/kern.h"

/* dst[o] = bias[o] + sum over i of w[o][i] * src[i]. */
typedef void cxn_linear_f32_fn(float *dst, const float *src, const float *w, const float *bias,
                               size_t out, size_t in);

/* One function a level, kern/<level>/linear_f32.c. */
cxn_linear_f32_fn cxn_linear_f32_c;

struct cxn_linear_f32_kernel {
    struct cxn_kern_row row;
    cxn_linear_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_linear_f32_kernel *cxn_linear_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_linear_f32_op;

#endif
