/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/sums_u8.h"

#include "base/status.h"

static const struct cxn_sums_u8_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_sums_u8_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_sums_u8_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_sums_u8_avx512 },
#endif
};

const struct cxn_kern_op cxn_sums_u8_op = {
    .name = "sums_u8", .does = "8 bits: hinge functions and sums over all places",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_sums_u8_kernel *cxn_sums_u8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_sums_u8_op, cpu)];
}
