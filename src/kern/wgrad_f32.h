/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WGRAD_F32_H
#define CXN_KERN_WGRAD_F32_H

#include "kern/wgrad.h"

/* One function a level, kern/<level>/wgrad_f32.c. */
cxn_wgrad_fn cxn_wgrad_f32_c, cxn_wgrad_f32_avx2, cxn_wgrad_f32_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_wgrad_kernel *cxn_wgrad_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_wgrad_f32_op;

#endif
