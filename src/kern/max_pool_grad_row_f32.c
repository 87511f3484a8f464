/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_grad_row_f32.h"

#include "base/status.h"

static const struct cxn_max_pool_grad_row_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_max_pool_grad_row_f32_c },
};

const struct cxn_kern_op cxn_max_pool_grad_row_f32_op = {
    .name = "max_pool_grad_row_f32", .does = "gradient of the maximum of 3x3, one row of windows",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_max_pool_grad_row_kernel *cxn_max_pool_grad_row_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_max_pool_grad_row_f32_op, cpu)];
}
