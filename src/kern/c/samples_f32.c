/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/samples_f32.h"

void cxn_samples_f32_c(const struct cxn_samples *s)
{
    for (size_t y = 0; y < s->height; y++) {
        const uint8_t *row = s->src + y * s->stride_bytes;
        float *dst = (float *)s->dst + y * s->dst_row_step;
        for (size_t x = 0; x < s->width; x++) {
            const uint8_t *sample = row + (s->mirror ? s->width - 1 - x : x) * s->channels;
            for (size_t copy = 0; copy < s->copies; copy++) {
                for (size_t i = 0; i < s->taken; i++) *dst++ = sample[i];
                *dst++ = 1.0f;
            }
        }
    }
}
