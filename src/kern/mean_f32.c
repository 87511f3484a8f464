/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/mean_f32.h"

#include "base/status.h"

static const struct cxn_mean_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_mean_f32_c },
};

const struct cxn_kern_op cxn_mean_f32_op = {
    .name = "mean_f32", .does = "mean over all places",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_mean_kernel *cxn_mean_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_mean_f32_op, cpu)];
}
