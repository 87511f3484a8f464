/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_u8.h"

enum { INSIDE = 255 };

void cxn_samples_u8_c(const struct cxn_samples *s)
{
    const ptrdiff_t step = s->mirror ? -(ptrdiff_t)s->channels : (ptrdiff_t)s->channels;
    for (size_t y = 0; y < s->height; y++) {
        const uint8_t *sample = s->src + y * s->stride_bytes;
        uint8_t *dst = (uint8_t *)s->dst + y * s->dst_row_step;
        if (s->mirror) sample += (s->width - 1) * s->channels;
        for (size_t x = 0; x < s->width; x++, sample += step)
            for (size_t copy = 0; copy < s->copies; copy++) {
                for (size_t i = 0; i < s->taken; i++) *dst++ = sample[i];
                *dst++ = INSIDE;
            }
    }
}
