/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WGRAD_BF16_H
#define CXN_KERN_WGRAD_BF16_H

#include "kern/wgrad.h"

/*
 * src and grad of bfloat16; products are exact, sums float32, and a row may take a denormal for 0.
 * Where a number of src is not finite, any of dst may become a NaN. One function a level,
 * kern/<level>/wgrad_bf16.c.
 */
cxn_wgrad_fn cxn_wgrad_bf16_c, cxn_wgrad_bf16_vnni, cxn_wgrad_bf16_amx;

/* Scratch that any row needs for such a call. */
size_t cxn_wgrad_bf16_scratch_bytes(const struct cxn_wgrad *wgrad);

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_wgrad_kernel *cxn_wgrad_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_wgrad_bf16_op;

#endif
