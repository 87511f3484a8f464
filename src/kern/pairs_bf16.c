/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/pairs_bf16.h"

#include "base/status.h"

static const struct cxn_pairs_bf16_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_pairs_bf16_c },
#ifdef CXN_X86
    { { "avx512", CXN_CPU_AVX512 }, cxn_pairs_bf16_avx512 },
#endif
};

const struct cxn_kern_op cxn_pairs_bf16_op = {
    .name = "pairs_bf16", .does = "bfloat16: places to pairs of places",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_pairs_bf16_kernel *cxn_pairs_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_pairs_bf16_op, cpu)];
}
