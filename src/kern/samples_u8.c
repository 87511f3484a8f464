/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_u8.h"

#include "base/status.h"

static const struct cxn_samples_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_samples_u8_c },
};

const struct cxn_kern_op cxn_samples_u8_op = {
    .name = "samples_u8", .does = "8-bit window to planes of bytes",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_samples_kernel *cxn_samples_u8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_samples_u8_op, cpu)];
}
