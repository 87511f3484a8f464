/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

#include <string.h>

#include "base/status.h"

static const struct cxn_conv_bordered_kernel table[] = { /* slowest first */
    { { "c", 0 }, 8, 1, 56, cxn_conv_bordered_f32_c, NULL },
#ifdef CXN_X86
    { { "avx2", CXN_CPU_AVX2 }, 16, 1, 56, cxn_conv_bordered_f32_avx2, NULL },
    { { "avx512", CXN_CPU_AVX512 }, 32, 1, 56, cxn_conv_bordered_f32_avx512, NULL },
#endif
};

const struct cxn_kern_op cxn_conv_bordered_f32_op = {
    .name = "conv_bordered_f32", .does = "convolution of a bordered map, bias, ReLU",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_conv_bordered_kernel *cxn_conv_bordered_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_conv_bordered_f32_op, cpu)];
}

size_t cxn_conv_bordered_f32_packed_count(const struct cxn_conv_bordered_kernel *row,
                                          size_t out, size_t terms)
{
    const size_t panels = (out + row->channels - 1) / row->channels;
    return panels * row->channels * (1 + terms);
}

/* `count` numbers, or zeros where src is NULL, and zeros up to `channels`. */
static float *pack_line(float *packed, const float *src, size_t count, size_t channels)
{
    if (!src) count = 0;
    if (src) memcpy(packed, src, count * sizeof *packed);
    memset(packed + count, 0, (channels - count) * sizeof *packed);
    return packed + channels;
}

void cxn_conv_bordered_f32_pack(const struct cxn_conv_bordered_kernel *row, float *packed,
                                const float *w, const float *bias, size_t out, size_t terms)
{
    for (size_t first = 0; first < out; first += row->channels) {
        const size_t left = out - first, count = left < row->channels ? left : row->channels;
        packed = pack_line(packed, bias ? bias + first : NULL, count, row->channels);
        for (size_t i = 0; i < terms; i++)
            packed = pack_line(packed, w + i * out + first, count, row->channels);
    }
}
