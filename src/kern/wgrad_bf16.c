/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_bf16.h"

#include "base/status.h"
#include "kern/wgrad_strips.h"

static const struct cxn_wgrad_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_wgrad_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, cxn_wgrad_bf16_vnni },
    { { "amx", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 | CXN_CPU_AMX_BF16 }, cxn_wgrad_bf16_amx },
#endif
};

const struct cxn_kern_op cxn_wgrad_bf16_op = {
    .name = "wgrad_bf16", .does = "bfloat16: gradient of a convolution by its weights",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_wgrad_kernel *cxn_wgrad_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_wgrad_bf16_op, cpu)];
}

size_t cxn_wgrad_bf16_scratch_bytes(const struct cxn_wgrad *wgrad)
{
    return cxn_wgrad_strips(wgrad).scratch_bytes;
}
