/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CHANNEL_SUMS_BF16_H
#define CXN_KERN_CHANNEL_SUMS_BF16_H

#include "kern/channel_sums.h"

/* One function a level, kern/<level>/channel_sums_bf16.c. Rows above c add a few places in float32
 * and those in double. */
cxn_channel_sums_fn cxn_channel_sums_bf16_c, cxn_channel_sums_bf16_avx2,
    cxn_channel_sums_bf16_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_channel_sums_kernel *cxn_channel_sums_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_channel_sums_bf16_op;

#endif
