/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MEAN_BF16_H
#define CXN_KERN_MEAN_BF16_H

#include "kern/mean_f32.h"

/* Mean over all places: dst[i] = sum over p of src[p][i] / count; src is dense and bfloat16, sums
 * are float32; count >= 1. */

/* One function a level, kern/<level>/mean_bf16.c. */
cxn_mean_fn cxn_mean_bf16_c;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_mean_kernel *cxn_mean_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_mean_bf16_op;

#endif
