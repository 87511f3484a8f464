/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SIGMOID_F32_H
#define CXN_KERN_SIGMOID_F32_H

#include "kern/kern.h"

/*
 * dst[i] = 1 / (1 + exp(-src[i])); dst may be src. The exponential is our own: libm's differs in
 * the last bit from one CPU to another, and probabilities must not.
 */
typedef void cxn_sigmoid_f32_fn(float *dst, const float *src, size_t count);

/* One function a level, kern/<level>/sigmoid_f32.c. */
cxn_sigmoid_f32_fn cxn_sigmoid_f32_c;

struct cxn_sigmoid_f32_kernel {
    struct cxn_kern_row row;
    cxn_sigmoid_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_sigmoid_f32_kernel *cxn_sigmoid_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_sigmoid_f32_op;

#endif
