/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_i8.h"

#include "base/status.h"
#include "kern/hinge_panels.h"

static const struct cxn_hinge_conv_i8_kernel table[] = { /* slowest first */
    { { "c", 0 }, HINGE_PANEL_PLACES, cxn_hinge_conv_i8_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, HINGE_PANEL_PLACES, cxn_hinge_conv_i8_avx2 },
    { { "avxvnni", CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI }, HINGE_PANEL_PLACES,
      cxn_hinge_conv_i8_avxvnni },
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI }, HINGE_PANEL_PLACES,
      cxn_hinge_conv_i8_vnni },
    { { "amx", CXN_CPU_AVX512 | CXN_CPU_AMX_INT8 }, 32, cxn_hinge_conv_i8_amx },
#endif
};

const struct cxn_kern_op cxn_hinge_conv_i8_op = {
    .name = "hinge_conv_i8", .does = "8 bits: hinge functions, 1x1 convolution, requantisation",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_hinge_conv_i8_kernel *cxn_hinge_conv_i8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_hinge_conv_i8_op, cpu)];
}
