/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include "base/status.h"
#include "kern/bf16.h"

static const struct cxn_conv_bordered_kernel table[] = { /* slowest first */
    { { "c", 0 }, 8, 2, 56, cxn_conv_bordered_bf16_c, cxn_conv_pair_bf16_c },
#ifdef CXN_X86
    { { "vnni", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 }, 32, 2, 56, cxn_conv_bordered_bf16_vnni,
      cxn_conv_pair_bf16_vnni },
    { { "amx", CXN_CPU_AVX512 | CXN_CPU_AVX512_BF16 | CXN_CPU_AMX_BF16 }, 32, 32, 224,
      cxn_conv_bordered_bf16_amx, cxn_conv_pair_bf16_vnni },
#endif
};

const struct cxn_kern_op cxn_conv_bordered_bf16_op = {
    .name = "conv_bordered_bf16", .does = "bfloat16: convolution of a bordered map, bias, ReLU",
    .rows = table, .row_bytes = sizeof table[0], .row_count = CXN_COUNTOF(table)
};

const struct cxn_conv_bordered_kernel *cxn_conv_bordered_bf16_pick(uint32_t cpu)
{
    return &table[cxn_kern_best(&cxn_conv_bordered_bf16_op, cpu)];
}

static size_t filled_terms(const struct cxn_conv_bordered_kernel *row, size_t terms)
{
    return (terms + row->terms - 1) / row->terms * row->terms;
}

size_t cxn_conv_bordered_bf16_packed_count(const struct cxn_conv_bordered_kernel *row, size_t out,
                                           size_t terms)
{
    const size_t panels = (out + row->channels - 1) / row->channels;
    return panels * row->channels * (1 + filled_terms(row, terms) / 2);
}

/* Two terms of a panel in turns; either may be none. */
static void pack_pair(const struct cxn_conv_bordered_kernel *row, uint16_t *to, const float *first,
                      const float *second, size_t count)
{
    if (second) {
        row->pair(to, first, second, count);
    } else {
        for (size_t o = 0; o < count; o++) {
            to[2 * o] = first ? cxn_bf16_round(first[o]) : 0;
            to[2 * o + 1] = 0;
        }
    }
    for (size_t o = 2 * count; o < 2u * row->channels; o++) to[o] = 0;
}

void cxn_conv_bordered_bf16_pack(const struct cxn_conv_bordered_kernel *row, float *packed,
                                 const float *w, const float *bias, size_t out, size_t terms)
{
    const size_t channels = row->channels;
    for (size_t first = 0; first < out; first += channels) {
        const size_t count = out - first < channels ? out - first : channels;
        for (size_t o = 0; o < channels; o++)
            *packed++ = bias && o < count ? bias[first + o] : 0.0f;
        uint16_t *to = (uint16_t *)(void *)packed;
        for (size_t i = 0; i < filled_terms(row, terms); i += 2, to += 2 * channels)
            pack_pair(row, to, i < terms ? w + i * out + first : NULL,
                      i + 1 < terms ? w + (i + 1) * out + first : NULL, count);
        packed += filled_terms(row, terms) / 2 * channels;
    }
}
