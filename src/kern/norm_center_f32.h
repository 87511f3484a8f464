/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_CENTER_F32_H
#define CXN_KERN_NORM_CENTER_F32_H

#include "kern/norm_center.h"

/* One function a level, kern/<level>/norm_center_f32.c. */
cxn_norm_center_fn cxn_norm_center_f32_c, cxn_norm_center_f32_avx2, cxn_norm_center_f32_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_center_kernel *cxn_norm_center_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_center_f32_op;

#endif
