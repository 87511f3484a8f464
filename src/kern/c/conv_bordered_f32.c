/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

enum { CHANNELS = 8 };

/* One place, CHANNELS channels from w's panel on. */
static void compute_place(const struct cxn_conv_bordered_f32 *c, const float *src, const float *w,
                          float sum[CHANNELS])
{
    for (size_t o = 0; o < CHANNELS; o++) sum[o] = *w++;
    for (size_t t = 0; t < c->tap_rows; t++)
        for (size_t i = 0; i < c->run; i++, w += CHANNELS)
            for (size_t o = 0; o < CHANNELS; o++) sum[o] += src[t * c->tap_row_step + i] * w[o];
}

void cxn_conv_bordered_f32_c(const struct cxn_conv_bordered_f32 *c)
{
    float sum[CHANNELS];
    for (size_t first = 0; first < c->out; first += CHANNELS) {
        const float *w = c->w + first * (1 + c->tap_rows * c->run);
        for (size_t p = 0; p < c->height * c->width; p++) {
            const size_t y = p / c->width, x = p % c->width;
            float *dst = c->dst + y * c->dst_row_step + x * c->dst_place_step + first;
            compute_place(c, c->src + y * c->row_step + x * c->place_step, w, sum);
            for (size_t o = 0; o < CHANNELS && first + o < c->out; o++)
                dst[o] = c->relu && sum[o] < 0.0f ? 0.0f : sum[o];
        }
    }
}
