/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_center_f32.h"

#include "base/status.h"

static const struct cxn_norm_center_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_norm_center_f32_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_norm_center_f32_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_norm_center_f32_avx512 },
#endif
};

const struct cxn_kern_op cxn_norm_center_f32_op = {
    .name = "norm_center_f32", .does = "gradient of norms through their statistics",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_norm_center_kernel *cxn_norm_center_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_norm_center_f32_op, cpu)];
}
