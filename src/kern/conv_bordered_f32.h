/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_BORDERED_F32_H
#define CXN_KERN_CONV_BORDERED_F32_H

#include "kern/conv_bordered.h"

/* One function a level, kern/<level>/conv_bordered_f32.c. */
cxn_conv_bordered_fn cxn_conv_bordered_f32_c, cxn_conv_bordered_f32_avx2,
    cxn_conv_bordered_f32_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_conv_bordered_kernel *cxn_conv_bordered_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_conv_bordered_f32_op;

/* Floats of [panel][1 + terms][channels]: of each panel its biases, then its weights; the last is
 * filled up with zeros. terms = tap_rows * run. */
size_t cxn_conv_bordered_f32_packed_count(const struct cxn_conv_bordered_kernel *row,
                                          size_t out, size_t terms);

/* w: [terms][out]; bias: [out], or NULL for zeros. packed is aligned to 64 bytes. */
void cxn_conv_bordered_f32_pack(const struct cxn_conv_bordered_kernel *row, float *packed,
                                const float *w, const float *bias, size_t out, size_t terms);

#endif
