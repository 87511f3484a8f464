/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_f32.h"

#include "base/status.h"

static const struct cxn_samples_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_samples_f32_c },
};

const struct cxn_kern_op cxn_samples_f32_op = {
    .name = "samples_f32", .does = "8-bit window to planes of floats",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_samples_kernel *cxn_samples_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_samples_f32_op, cpu)];
}
