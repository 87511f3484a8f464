/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_GRAD_BF16_H
#define CXN_KERN_NORM_RELU_GRAD_BF16_H

#include "kern/norm_center.h"
#include "kern/norm_relu_grad.h"

/* Both halves of the gradient on maps of bfloat16, one function each a level,
 * kern/<level>/norm_relu_grad_bf16.c. norm_relu_grad gives float32; a row above c adds a few places
 * in float32 and those in double. norm_center reads a gradient of float32 and gives bfloat16. */
cxn_norm_relu_grad_fn cxn_norm_relu_grad_bf16_c, cxn_norm_relu_grad_bf16_vnni;
cxn_norm_center_fn cxn_norm_center_bf16_c, cxn_norm_center_bf16_vnni;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_relu_grad_kernel *cxn_norm_relu_grad_bf16_pick(uint32_t cpu);
const struct cxn_norm_center_kernel *cxn_norm_center_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_relu_grad_bf16_op, cxn_norm_center_bf16_op;

#endif
