/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_GRAD_ROW_F32_H
#define CXN_KERN_MAX_POOL_GRAD_ROW_F32_H

#include "kern/max_pool_grad_row.h"

/* One function a level, kern/<level>/max_pool_grad_row_f32.c. */
cxn_max_pool_grad_row_fn cxn_max_pool_grad_row_f32_c;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_max_pool_grad_row_kernel *cxn_max_pool_grad_row_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_max_pool_grad_row_f32_op;

#endif
