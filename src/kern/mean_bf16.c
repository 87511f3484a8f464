/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/mean_bf16.h"

#include "base/status.h"

static const struct cxn_mean_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_mean_bf16_c },
};

const struct cxn_kern_op cxn_mean_bf16_op = {
    .name = "mean_bf16", .does = "bfloat16: mean over all places",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_mean_kernel *cxn_mean_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_mean_bf16_op, cpu)];
}
