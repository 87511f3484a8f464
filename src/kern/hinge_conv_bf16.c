/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_bf16.h"

#include "base/status.h"
#include "kern/hinge_panels.h"

static const struct cxn_hinge_conv_kernel table[] = { /* slowest first */
    { { "c", 0 }, HINGE_PANEL_PLACES, cxn_hinge_conv_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, HINGE_PANEL_PLACES,
      cxn_hinge_conv_bf16_vnni },
    { { "amx", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 | CXN_CPU_AMX_BF16 }, 32,
      cxn_hinge_conv_bf16_amx },
#endif
};

const struct cxn_kern_op cxn_hinge_conv_bf16_op = {
    .name = "hinge_conv_bf16", .does = "bfloat16: hinge functions, 1x1 convolution, bias, ReLU",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_hinge_conv_kernel *cxn_hinge_conv_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_hinge_conv_bf16_op, cpu)];
}

/*
 * The greatest of the turned numbers, as unsigned integers, is what the hinge gives:
 *     rises, knot >= 0  negative numbers are to lose: turn the sign
 *     rises, knot < 0   a positive number is to win, of two negative ones the lesser magnitude:
 *                       turn all
 *     falls, knot >= 0  a negative number is to win, of two positive ones the lesser: turn all but
 *                       the sign
 *     falls, knot < 0   positive numbers are to lose, of two negative ones the greater magnitude is
 *                       to win: turn none
 */
void cxn_hinge_set(uint16_t knot, bool rises, uint16_t *turned_knot, uint16_t *turn)
{
    const bool negative = knot >> 15;
    if (rises) *turn = negative ? 0xffff : 0x8000;
    else *turn = negative ? 0 : 0x7fff;
    *turned_knot = knot ^ *turn;
}
