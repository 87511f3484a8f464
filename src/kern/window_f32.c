/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/window_f32.h"

#include "base/status.h"

const float cxn_window_mean[3] = { 0.485f, 0.456f, 0.406f };
const float cxn_window_deviation[3] = { 0.229f, 0.224f, 0.225f };

static const struct cxn_window_f32_kernel table[] = { /* slowest first */
    { { "c", 0 }, cxn_window_f32_c },
};

const struct cxn_kern_op cxn_window_f32_op = {
    .name = "window_f32", .does = "8-bit window to normalised input",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_window_f32_kernel *cxn_window_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_window_f32_op, cpu)];
}
