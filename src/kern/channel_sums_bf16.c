/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/channel_sums_bf16.h"

#include "base/status.h"

static const struct cxn_channel_sums_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_channel_sums_bf16_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_channel_sums_bf16_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_channel_sums_bf16_avx512 },
#endif
};

const struct cxn_kern_op cxn_channel_sums_bf16_op = {
    .name = "channel_sums_bf16", .does = "bfloat16: sums and sums of squares of channels",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_channel_sums_kernel *cxn_channel_sums_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_channel_sums_bf16_op, cpu)];
}
