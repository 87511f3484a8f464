/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_BF16_H
#define CXN_KERN_NORM_RELU_BF16_H

#include "kern/norm_relu.h"

/* One function a level, kern/<level>/norm_relu_bf16.c. */
cxn_norm_relu_fn cxn_norm_relu_bf16_c, cxn_norm_relu_bf16_vnni;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_relu_kernel *cxn_norm_relu_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_relu_bf16_op;

#endif
