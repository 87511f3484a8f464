/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CHANNEL_SUMS_F32_H
#define CXN_KERN_CHANNEL_SUMS_F32_H

#include "kern/channel_sums.h"

/* One function a level, kern/<level>/channel_sums_f32.c. */
cxn_channel_sums_fn cxn_channel_sums_f32_c, cxn_channel_sums_f32_avx2, cxn_channel_sums_f32_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_channel_sums_kernel *cxn_channel_sums_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_channel_sums_f32_op;

#endif
