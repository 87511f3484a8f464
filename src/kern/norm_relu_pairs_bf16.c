/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_pairs_bf16.h"

#include "base/status.h"

static const struct cxn_norm_relu_pairs_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_norm_relu_pairs_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, cxn_norm_relu_pairs_bf16_vnni },
#endif
};

const struct cxn_kern_op cxn_norm_relu_pairs_bf16_op = {
    .name = "norm_relu_pairs_bf16", .does = "bfloat16: batch norm and ReLU into pairs of places",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_norm_relu_pairs_kernel *cxn_norm_relu_pairs_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_norm_relu_pairs_bf16_op, cpu)];
}
