/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/conv_bordered_bf16.h"

enum { CHANNELS = 8 };

/* One place, CHANNELS channels from the panel on: biases in float32, then pairs of terms. */
static void compute_place(const struct cxn_conv_bordered *c, const uint16_t *src,
                          const float *panel, float sum[CHANNELS])
{
    const uint16_t *w = (const uint16_t *)(const void *)(panel + CHANNELS);
    for (size_t o = 0; o < CHANNELS; o++) sum[o] = panel[o];
    for (size_t t = 0; t < c->tap_rows; t++, src += c->tap_row_step)
        for (size_t i = 0; i < c->run; i += 2, w += 2 * CHANNELS)
            for (size_t o = 0; o < CHANNELS; o++)
                sum[o] += cxn_bf16_value(src[i]) * cxn_bf16_value(w[2 * o]) +
                          cxn_bf16_value(src[i + 1]) * cxn_bf16_value(w[2 * o + 1]);
}

void cxn_conv_bordered_bf16_c(const struct cxn_conv_bordered *c)
{
    float sum[CHANNELS];
    for (size_t first = 0; first < c->out; first += CHANNELS) {
        const float *panel = (const float *)c->w + first * (1 + c->tap_rows * c->run / 2);
        for (size_t p = 0; p < c->height * c->width; p++) {
            const size_t y = p / c->width, x = p % c->width;
            uint16_t *dst = (uint16_t *)c->dst + y * c->dst_row_step + x * c->dst_place_step;
            compute_place(c, (const uint16_t *)c->src + y * c->row_step + x * c->place_step,
                          panel, sum);
            for (size_t o = 0; o < CHANNELS && first + o < c->out; o++)
                dst[first + o] = cxn_bf16_round(c->relu && sum[o] < 0.0f ? 0.0f : sum[o]);
        }
    }
}

void cxn_conv_pair_bf16_c(uint16_t *restrict to, const float *restrict first,
                          const float *restrict second, size_t count)
{
    for (size_t o = 0; o < count; o++) { /* no branches: vectors */
        to[2 * o] = cxn_bf16_round(first[o]);
        to[2 * o + 1] = cxn_bf16_round(second[o]);
    }
}
