/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_TRANSPOSE_BF16_H
#define CXN_KERN_TRANSPOSE_BF16_H

#include "kern/kern.h"

/* Places to strips: dst[i * dst_step + p] = src[p * src_step + i], of count places p and channels
 * i. Any 16 bits. */
struct cxn_transpose_bf16 {
    const uint16_t *src;
    size_t src_step;
    uint16_t *dst;
    size_t dst_step;
    size_t count, channels;
};
typedef void cxn_transpose_bf16_fn(const struct cxn_transpose_bf16 *transpose);

/* One function a level, kern/<level>/transpose_bf16.c. */
cxn_transpose_bf16_fn cxn_transpose_bf16_c, cxn_transpose_bf16_avx512;

struct cxn_transpose_bf16_kernel {
    struct cxn_kern_row row;
    cxn_transpose_bf16_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_transpose_bf16_kernel *cxn_transpose_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_transpose_bf16_op;

#endif
