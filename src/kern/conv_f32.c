/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_f32.h"

#include "base/status.h"

static const struct cxn_conv_f32_kernel table[] = { /* slowest first */
    { { "c", 0 }, 4, 8, cxn_conv_f32_c },
};

const struct cxn_kern_op cxn_conv_f32_op = {
    .name = "conv_f32", .does = "convolution, any window and stride",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_conv_f32_kernel *cxn_conv_f32_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_conv_f32_op, cpu)];
}

size_t cxn_conv_f32_packed_count(const struct cxn_conv_f32_kernel *row, size_t out, size_t in,
                                 size_t kernel)
{
    const size_t panels = (out + row->channels - 1) / row->channels;
    return panels * row->channels * in * kernel * kernel;
}

void cxn_conv_f32_pack(const struct cxn_conv_f32_kernel *row, float *packed, const float *w,
                       size_t out, size_t in, size_t kernel)
{
    const size_t taps = kernel * kernel;
    for (size_t first = 0; first < out; first += row->channels)
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t i = 0; i < in; i++)
                for (size_t o = first; o < first + row->channels; o++)
                    *packed++ = o < out ? w[(o * in + i) * taps + tap] : 0.0f;
}
