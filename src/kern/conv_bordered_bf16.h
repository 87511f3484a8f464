/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_BORDERED_BF16_H
#define CXN_KERN_CONV_BORDERED_BF16_H

#include "kern/conv_bordered.h"

/* One function a level, kern/<level>/conv_bordered_bf16.c. */
cxn_conv_bordered_fn cxn_conv_bordered_bf16_c, cxn_conv_bordered_bf16_vnni,
    cxn_conv_bordered_bf16_amx;
cxn_conv_pair_fn cxn_conv_pair_bf16_c, cxn_conv_pair_bf16_vnni;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_conv_bordered_kernel *cxn_conv_bordered_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_conv_bordered_bf16_op;

/* In float32s: of each panel its biases, then [terms / 2][channels][2] weights in bfloat16; the
 * last panel, and the terms to a multiple of the row's, are filled up with zeros. run is even.
 * Products are exact; their sums are float32, and a row may take a denormal number for 0. */
size_t cxn_conv_bordered_bf16_packed_count(const struct cxn_conv_bordered_kernel *row,
                                           size_t out, size_t terms);

/* w: [terms][out]; bias: [out], or NULL for zeros. packed is aligned to 64 bytes. */
void cxn_conv_bordered_bf16_pack(const struct cxn_conv_bordered_kernel *row, float *packed,
                                 const float *w, const float *bias, size_t out, size_t terms);

#endif
