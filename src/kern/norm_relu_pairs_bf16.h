/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_NORM_RELU_PAIRS_BF16_H
#define CXN_KERN_NORM_RELU_PAIRS_BF16_H

#include "kern/kern.h"
#include "kern/pairs.h"

/*
 * Batch norm with fixed statistics, ReLU, and the map turned to pairs (kern/pairs.h):
 *     dst(y * line + x, i) = max(0, src[y * src_row_step + x * src_step + i] * scale[i] + shift[i])
 * and zeros for the places width..line - 1 of each row, and for the channels that fill the last
 * block. A NaN stays one.
 */
struct cxn_norm_relu_pairs {
    const uint16_t *src;
    size_t src_step, src_row_step;
    size_t height, width, channels;
    size_t line; /* even */
    uint16_t *dst;
    size_t dst_block_step;
    const float *scale, *shift; /* [channels] */
};
typedef void cxn_norm_relu_pairs_fn(const struct cxn_norm_relu_pairs *norm);

/* One function a level, kern/<level>/norm_relu_pairs_bf16.c. */
cxn_norm_relu_pairs_fn cxn_norm_relu_pairs_bf16_c, cxn_norm_relu_pairs_bf16_vnni;

struct cxn_norm_relu_pairs_kernel {
    struct cxn_kern_row row;
    cxn_norm_relu_pairs_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_norm_relu_pairs_kernel *cxn_norm_relu_pairs_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_norm_relu_pairs_bf16_op;

#endif
