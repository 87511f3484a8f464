/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_row_u8.h"

#include "base/status.h"

static const struct cxn_max_pool_row_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_max_pool_row_u8_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_max_pool_row_u8_avx2 },
#endif
};

const struct cxn_kern_op cxn_max_pool_row_u8_op = {
    .name = "max_pool_row_u8", .does = "8 bits: 3x3 maximum, stride 2, row by row",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_max_pool_row_kernel *cxn_max_pool_row_u8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_max_pool_row_u8_op, cpu)];
}
