/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_f32.h"

/* Output places and channels summed at once: 8 vector registers of sums. */
enum { PLACES = 4, CHANNELS = 8 };

/* Four neighbouring output channels. The compiler would not keep an array of sums in registers;
 * each lane is the same sum that a plain loop makes. */
typedef float quad __attribute__((vector_size(16)));

struct tile {
    const float *src[PLACES];
    quad sum[PLACES][CHANNELS / 4];
};

static const quad *as_quads(const float *w)
{
    return (const quad *)(const void *)w;
}

/* Up to PLACES places of row y from x on; places behind the row repeat its last. */
static void find_places(const struct cxn_conv_bordered *c, size_t y, size_t x, struct tile *t)
{
    for (size_t p = 0; p < PLACES; p++) {
        const size_t at = x + p < c->width ? x + p : c->width - 1;
        t->src[p] = (const float *)c->src + y * c->row_step + at * c->place_step;
    }
}

/* Sums of the tile over all terms, w beginning with the biases. */
static void add_terms(const struct cxn_conv_bordered *c, struct tile *t, const float *w)
{
    quad sum[PLACES][2];
    for (size_t p = 0; p < PLACES; p++) {
        sum[p][0] = as_quads(w)[0];
        sum[p][1] = as_quads(w)[1];
    }
    w += CHANNELS;
    for (size_t row = 0; row < c->tap_rows; row++) {
        const size_t first = row * c->tap_row_step;
        for (size_t i = first; i < first + c->run; i++, w += CHANNELS) {
            for (size_t p = 0; p < PLACES; p++) {
                sum[p][0] += t->src[p][i] * as_quads(w)[0];
                sum[p][1] += t->src[p][i] * as_quads(w)[1];
            }
        }
    }
    for (size_t p = 0; p < PLACES; p++) {
        t->sum[p][0] = sum[p][0];
        t->sum[p][1] = sum[p][1];
    }
}

static void store(const struct cxn_conv_bordered *c, const struct tile *t, size_t y, size_t x,
                  size_t channel)
{
    for (size_t p = 0; p < PLACES && x + p < c->width; p++) {
        float *dst = (float *)c->dst + y * c->dst_row_step + (x + p) * c->dst_place_step + channel;
        for (size_t o = 0; o < CHANNELS && channel + o < c->out; o++) {
            const float value = t->sum[p][o / 4][o % 4];
            dst[o] = c->relu && value < 0.0f ? 0.0f : value; /* in this order a NaN stays one */
        }
    }
}

void cxn_conv_bordered_f32_c(const struct cxn_conv_bordered *c)
{
    struct tile t;
    for (size_t channel = 0; channel < c->out; channel += CHANNELS) {
        const float *w = (const float *)c->w + channel * (1 + c->tap_rows * c->run);
        for (size_t y = 0; y < c->height; y++) {
            for (size_t x = 0; x < c->width; x += PLACES) {
                find_places(c, y, x, &t);
                add_terms(c, &t, w);
                store(c, &t, y, x, channel);
            }
        }
    }
}
