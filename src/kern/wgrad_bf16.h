/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WGRAD_BF16_H
#define CXN_KERN_WGRAD_BF16_H

#include "kern/kern.h"
#include "kern/pairs.h"

/*
 * Gradient of a convolution's weights, for taps (y, x) of a kernel x kernel window:
 *     dst[y * kernel + x][o][i] += sum over p < count of
 *                                  src(p, i) * grad[o * grad_step + p - y * line - x]
 * src is a map in pairs (kern/pairs.h). grad is the gradient of the output turned to one strip of
 * places a channel, in the same lines; so (kernel - 1) * (line + 1) numbers before each strip are
 * read. bfloat16; products are exact, sums float32, a number's in an order that depends on sizes
 * alone, and a row may take a denormal for 0. All numbers of count places are read.
 */
struct cxn_wgrad_bf16 {
    const uint16_t *src;
    size_t src_block_step;
    const uint16_t *grad;
    size_t grad_step;
    size_t kernel, line;
    size_t count;   /* a multiple of CXN_PAIRS_PLACES */
    size_t in, out; /* src has whole blocks of channels */
    float *dst;
    size_t dst_step, dst_tap_step; /* from an output to the next, and from a tap to the next */
};
typedef void cxn_wgrad_bf16_fn(const struct cxn_wgrad_bf16 *wgrad);

/* One function a level, kern/<level>/wgrad_bf16.c. */
cxn_wgrad_bf16_fn cxn_wgrad_bf16_c, cxn_wgrad_bf16_vnni, cxn_wgrad_bf16_amx;

struct cxn_wgrad_bf16_kernel {
    struct cxn_kern_row row;
    cxn_wgrad_bf16_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_wgrad_bf16_kernel *cxn_wgrad_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_wgrad_bf16_op;

#endif
