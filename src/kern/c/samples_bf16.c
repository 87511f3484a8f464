/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_bf16.h"

#include "kern/bf16.h"

static const uint16_t ONE = 0x3f80;

/* 8 bits are exact: nothing is rounded. */
static uint16_t to_bf16(uint8_t sample)
{
    const float value = sample;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static uint16_t *write_place(uint16_t *dst, const uint8_t *sample, size_t taken)
{
    for (size_t i = 0; i < taken; i++) *dst++ = to_bf16(sample[i]);
    *dst++ = ONE;
    return dst;
}

/* One sample a place, twice: nearly every picture. The two numbers of a copy are one word. */
static void write_grey(uint16_t *dst, const uint8_t *src, size_t width, ptrdiff_t step)
{
    for (size_t x = 0; x < width; x++, src += step) {
        const uint16_t copy[2] = { to_bf16(*src), ONE };
        uint32_t word;
        memcpy(&word, copy, sizeof word);
        memcpy(dst + 4 * x, &(uint64_t){ (uint64_t)word << 32 | word }, sizeof(uint64_t));
    }
}

void cxn_samples_bf16_c(const struct cxn_samples *s)
{
    const ptrdiff_t step = s->mirror ? -(ptrdiff_t)s->channels : (ptrdiff_t)s->channels;
    for (size_t y = 0; y < s->height; y++) {
        const uint8_t *src = s->src + y * s->stride_bytes;
        uint16_t *dst = (uint16_t *)s->dst + y * s->dst_row_step;
        if (s->mirror) src += (s->width - 1) * s->channels;
        if (s->taken == 1 && s->copies == 2) {
            write_grey(dst, src, s->width, step);
            continue;
        }
        for (size_t i = 0; i < s->width * s->copies; i++)
            dst = write_place(dst, src + (ptrdiff_t)(i / s->copies) * step, s->taken);
    }
}
