/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "kern/conv_i8_steps.h"
#include "kern/conv_i8_units.h"

static const struct cxn_conv_bordered_i8_kernel table[] = { /* slowest first */
    { { "c", 0 }, 8, CXN_CONV_I8_TERMS, 56, false, false, cxn_conv_bordered_i8_c },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, CXN_CONV_I8_STEP_COLUMNS, CXN_CONV_I8_TERMS, 56, true, false,
      cxn_conv_bordered_i8_avx2 },
    { { "avxvnni", CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI }, 16, CXN_CONV_I8_TERMS, 56, false, false,
      cxn_conv_bordered_i8_avxvnni },
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI }, 32, CXN_CONV_I8_TERMS, 56, false, false,
      cxn_conv_bordered_i8_vnni },
    { { "amx", CXN_CPU_AVX512 | CXN_CPU_AMX_INT8 }, 32, CXN_CONV_I8_TERMS_AMX, 224, false, true,
      cxn_conv_bordered_i8_amx },
#endif
};

const struct cxn_kern_op cxn_conv_bordered_i8_op = {
    .name = "conv_bordered_i8", .does = "8 bits: convolution of a bordered map, requantisation",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_conv_bordered_i8_kernel *cxn_conv_bordered_i8_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_conv_bordered_i8_op, cpu)];
}

static struct cxn_conv_i8_units units_of(const struct cxn_conv_bordered_i8_kernel *row,
                                         const struct cxn_conv_i8_weights *weights)
{
    if (!row->in_units) return (struct cxn_conv_i8_units){ 0, 0, 0 };
    return cxn_conv_i8_units_of(weights->terms / weights->run, weights->run, weights->place_step,
                                row->terms);
}

static size_t panel_bytes(const struct cxn_conv_bordered_i8_kernel *row,
                          const struct cxn_conv_i8_weights *weights)
{
    const struct cxn_conv_i8_units units = units_of(row, weights);
    const size_t terms = units.count > 0 ? units.count * units.bytes : weights->terms;
    const size_t filled = (terms + row->terms - 1) / row->terms * row->terms;
    return cxn_conv_i8_header_bytes(row->columns) +
           (row->stepwise ? cxn_conv_i8_steps_bytes(terms) : filled * row->columns);
}

size_t cxn_conv_bordered_i8_packed_bytes(const struct cxn_conv_bordered_i8_kernel *row,
                                         const struct cxn_conv_i8_weights *weights)
{
    const size_t outputs = cxn_conv_i8_outputs(row->columns, weights->low);
    return (weights->out + outputs - 1) / outputs * panel_bytes(row, weights);
}

/* [terms / 4][columns][4]: `count` outputs of a part of the weights. */
static void pack_part(int8_t *to, const struct cxn_conv_bordered_i8_kernel *row,
                      const struct cxn_conv_i8_weights *weights, const int8_t *part, size_t count)
{
    const struct cxn_conv_i8_units units = units_of(row, weights);
    const size_t run = weights->run;
    for (size_t i = 0; i < weights->terms; i++) {
        const size_t term =
            units.count > 0 ? cxn_conv_i8_unit_term(&units, i / run, i % run) : i;
        const int8_t *from = part + i * weights->out;
        int8_t *at = to + term / 4 * 4 * row->columns + term % 4;
        for (size_t o = 0; o < count; o++) at[4 * o] = from[o];
    }
}

static void pack_weights(const struct cxn_conv_bordered_i8_kernel *row, int8_t *to,
                         const struct cxn_conv_i8_weights *weights, size_t first, size_t count)
{
    const size_t columns = row->columns;
    memset(to, 0, panel_bytes(row, weights) - cxn_conv_i8_header_bytes(columns));
    pack_part(to, row, weights, weights->w + first, count);
    if (weights->low)
        pack_part(to + 4 * (columns / 2), row, weights, weights->low + first, count);
}

/* What each column's sum is multiplied by, and what is added. */
static void pack_header(float *factor, size_t columns, const struct cxn_conv_i8_weights *weights,
                        size_t first, size_t count)
{
    const size_t last = weights->low ? columns / 2 : 0; /* column of the part that has m and b */
    memset(factor, 0, cxn_conv_i8_header_bytes(columns));
    memcpy(factor + last, weights->m + first, count * sizeof *factor);
    memcpy(factor + columns + last, weights->b + first, count * sizeof *factor);
    for (size_t o = 0; o < count && weights->low; o++) factor[o] = 128.0f * weights->m[first + o];
}

void cxn_conv_bordered_i8_pack(const struct cxn_conv_bordered_i8_kernel *row, void *packed,
                               const struct cxn_conv_i8_weights *weights)
{
    const size_t outputs = cxn_conv_i8_outputs(row->columns, weights->low);
    const size_t bytes = panel_bytes(row, weights);
    char *panel = packed;
    for (size_t first = 0; first < weights->out; first += outputs, panel += bytes) {
        const size_t left = weights->out - first, count = left < outputs ? left : outputs;
        void *to = panel + cxn_conv_i8_header_bytes(row->columns);
        pack_header((float *)(void *)panel, row->columns, weights, first, count);
        if (row->stepwise) cxn_conv_i8_steps_pack(to, weights, first);
        else pack_weights(row, to, weights, first, count);
    }
}

bool cxn_conv_bordered_i8_is_bounded(const struct cxn_conv_i8_weights *weights)
{
    const double most = 255.0 * (weights->low ? 128.0 * 128 + 64 : 128.0);
    const double reach = (double)weights->terms * most;
    for (size_t o = 0; o < weights->out; o++) /* what rounding adds is less than the other half */
        if (!(reach * fabs((double)weights->m[o]) + fabs((double)weights->b[o]) < 0x1p30))
            return false;
    return true;
}
