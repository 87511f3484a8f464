/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SAMPLES_F32_H
#define CXN_KERN_SAMPLES_F32_H

#include "kern/samples.h"

/* One function a level, kern/<level>/samples_f32.c. */
cxn_samples_fn cxn_samples_f32_c;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_samples_kernel *cxn_samples_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_samples_f32_op;

#endif
