/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_f32.h"

#include "base/status.h"

static const struct cxn_wgrad_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_wgrad_f32_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, cxn_wgrad_f32_avx2 },
    { { "avx512", CXN_CPU_AVX512 }, cxn_wgrad_f32_avx512 },
#endif
};

const struct cxn_kern_op cxn_wgrad_f32_op = {
    .name = "wgrad_f32", .does = "gradient of a convolution by its weights",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_wgrad_kernel *cxn_wgrad_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_wgrad_f32_op, cpu)];
}
