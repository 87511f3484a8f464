/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_u8.h"

enum { INSIDE = 255 };

/* One grey picture after the other is what a clinic has, and the compiler has vectors for it where
 * nothing but the place varies. */
static void write_grey_row(uint8_t *restrict dst, const uint8_t *restrict src, size_t width)
{
    for (size_t x = 0; x < width; x++) {
        dst[2 * x] = src[x];
        dst[2 * x + 1] = INSIDE;
    }
}

static void write_grey_row_mirrored(uint8_t *restrict dst, const uint8_t *restrict src,
                                    size_t width)
{
    for (size_t x = 0; x < width; x++) {
        dst[2 * x] = src[width - 1 - x];
        dst[2 * x + 1] = INSIDE;
    }
}

static void write_row(const struct cxn_samples *s, uint8_t *dst, const uint8_t *sample)
{
    const ptrdiff_t step = s->mirror ? -(ptrdiff_t)s->channels : (ptrdiff_t)s->channels;
    if (s->mirror) sample += (s->width - 1) * s->channels;
    for (size_t x = 0; x < s->width; x++, sample += step)
        for (size_t copy = 0; copy < s->copies; copy++) {
            for (size_t i = 0; i < s->taken; i++) *dst++ = sample[i];
            *dst++ = INSIDE;
        }
}

void cxn_samples_u8_c(const struct cxn_samples *s)
{
    const bool grey = s->channels == 1 && s->copies == 1;
    for (size_t y = 0; y < s->height; y++) {
        const uint8_t *src = s->src + y * s->stride_bytes;
        uint8_t *dst = (uint8_t *)s->dst + y * s->dst_row_step;
        if (!grey) write_row(s, dst, src);
        else if (s->mirror) write_grey_row_mirrored(dst, src, s->width);
        else write_grey_row(dst, src, s->width);
    }
}
