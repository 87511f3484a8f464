/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_GRAD_BF16_H
#define CXN_KERN_NORM_GRAD_BF16_H

#include "kern/norm_center.h"
#include "kern/norm_grad.h"

/* One function each a level, kern/<level>/norm_grad_bf16.c: panels of bfloat16; norm_center from
 * float32 to bfloat16. */
cxn_norm_grad_fn cxn_norm_grad_bf16_c, cxn_norm_grad_bf16_vnni;
cxn_norm_data_fn cxn_norm_data_bf16_c, cxn_norm_data_bf16_vnni;
cxn_norm_center_fn cxn_norm_center_bf16_c, cxn_norm_center_bf16_vnni;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_grad_kernel *cxn_norm_grad_bf16_pick(uint32_t cpu);
const struct cxn_norm_data_kernel *cxn_norm_data_bf16_pick(uint32_t cpu);
const struct cxn_norm_center_kernel *cxn_norm_center_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_grad_bf16_op, cxn_norm_data_bf16_op,
    cxn_norm_center_bf16_op;

#endif
