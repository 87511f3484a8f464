/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/channel_sums_f32.h"

#include "base/status.h"

static const struct cxn_channel_sums_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_channel_sums_f32_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_channel_sums_f32_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_channel_sums_f32_avx512 },
#endif
};

const struct cxn_kern_op cxn_channel_sums_f32_op = {
    .name = "channel_sums_f32", .does = "sums and sums of squares of channels",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_channel_sums_kernel *cxn_channel_sums_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_channel_sums_f32_op, cpu)];
}
