/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SAMPLES_BF16_H
#define CXN_KERN_SAMPLES_BF16_H

#include "kern/samples.h"

/* One function a level, kern/<level>/samples_bf16.c. */
cxn_samples_fn cxn_samples_bf16_c;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_samples_kernel *cxn_samples_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_samples_bf16_op;

#endif
