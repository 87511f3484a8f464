/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_pool_i8.h"

#include "base/status.h"

static const struct cxn_hinge_pool_i8_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_hinge_pool_i8_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_hinge_pool_i8_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_hinge_pool_i8_avx512 },
#endif
};

const struct cxn_kern_op cxn_hinge_pool_i8_op = {
    .name = "hinge_pool_i8", .does = "8 bits: hinge functions and 2x2 mean",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_hinge_pool_i8_kernel *cxn_hinge_pool_i8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_hinge_pool_i8_op, cpu)];
}
