/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_bf16.h"

#include "base/status.h"

static const struct cxn_norm_relu_grad_kernel grad_table[] = { /* slowest first */
    { { "c", 0 }, cxn_norm_relu_grad_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, cxn_norm_relu_grad_bf16_vnni },
#endif
};

static const struct cxn_norm_center_kernel center_table[] = { /* slowest first */
    { { "c", 0 }, cxn_norm_center_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, cxn_norm_center_bf16_vnni },
#endif
};

const struct cxn_kern_op cxn_norm_relu_grad_bf16_op = {
    .name = "norm_relu_grad_bf16", .does = "bfloat16: gradient of batch norm and ReLU",
    .rows = grad_table, .row_bytes = sizeof grad_table[0], .row_count = CXN_COUNTOF(grad_table)
};

const struct cxn_kern_op cxn_norm_center_bf16_op = {
    .name = "norm_center_bf16", .does = "to bfloat16: gradient through a batch's statistics",
    .rows = center_table, .row_bytes = sizeof center_table[0],
    .row_count = CXN_COUNTOF(center_table)
};

const struct cxn_norm_relu_grad_kernel *cxn_norm_relu_grad_bf16_pick(uint32_t cpu)
{
    return &grad_table[cxn_kern_best(&cxn_norm_relu_grad_bf16_op, cpu)];
}

const struct cxn_norm_center_kernel *cxn_norm_center_bf16_pick(uint32_t cpu)
{
    return &center_table[cxn_kern_best(&cxn_norm_center_bf16_op, cpu)];
}
