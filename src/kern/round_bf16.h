/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_ROUND_BF16_H
#define CXN_KERN_ROUND_BF16_H

#include "kern/kern.h"

/* Places of float32 to bfloat16: to nearest, ties to even; a NaN stays one. Steps in numbers. */
struct cxn_round_bf16 {
    const float *src;
    size_t src_step;
    uint16_t *dst;
    size_t dst_step;
    size_t count, channels;
};
typedef void cxn_round_bf16_fn(const struct cxn_round_bf16 *round);

/* One function a level, kern/<level>/round_bf16.c. */
cxn_round_bf16_fn cxn_round_bf16_c, cxn_round_bf16_avx2, cxn_round_bf16_avx512;

struct cxn_round_bf16_kernel {
    struct cxn_kern_row row;
    cxn_round_bf16_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_round_bf16_kernel *cxn_round_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_round_bf16_op;

#endif
