/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_f32.h"

/* Output places and channels summed at once: 8 vector registers of sums, as the table says. */
enum { PLACES = 4, CHANNELS = 8 };

/* Places whose sources stay in cache while every panel of weights passes over them. */
enum { PLACES_A_ROUND = 64 };

/* Inputs added up before their sum joins the total: short sums lose less to rounding. */
enum { SUM_LENGTH = 128 };

/* Four neighbouring output channels. The compiler would not keep an array of sums in registers;
 * each lane is the same sum that a plain loop makes. */
typedef float quad __attribute__((vector_size(16)));

struct tile {
    const float *src[PLACES];
    quad total[PLACES][CHANNELS / 4];
};

/* total[p] += sum over i of src[p][i] * w[i], w[i] being CHANNELS weights. */
static void add_products(struct tile *t, const float *w, size_t count)
{
    quad sum[PLACES][CHANNELS / 4] = { 0 };
    for (size_t i = 0; i < count; i++) {
        const quad *panel = (const quad *)(const void *)(w + i * CHANNELS);
        for (size_t p = 0; p < PLACES; p++) {
            sum[p][0] += t->src[p][i] * panel[0];
            sum[p][1] += t->src[p][i] * panel[1];
        }
    }
    for (size_t p = 0; p < PLACES; p++) {
        t->total[p][0] += sum[p][0];
        t->total[p][1] += sum[p][1];
    }
}

/* What output place number `place` reads under tap (ky, kx) of the window. */
static const float *find_source(const struct cxn_conv_f32 *c, size_t place, size_t ky, size_t kx)
{
    const size_t out_width = cxn_conv_side(c, c->width);
    const size_t y = place / out_width * c->stride + ky - c->pad; /* wraps above the picture */
    const size_t x = place % out_width * c->stride + kx - c->pad;
    return y < c->height && x < c->width ? c->src + (y * c->width + x) * c->src_step : c->zeros;
}

static void store(const struct cxn_conv_f32 *c, const struct tile *t, size_t place, size_t last,
                  size_t channel)
{
    for (size_t p = 0; p < PLACES && place + p < last; p++) {
        float *dst = c->dst + (place + p) * c->dst_step + channel;
        for (size_t o = 0; o < CHANNELS && channel + o < c->out; o++)
            dst[o] = t->total[p][o / 4][o % 4];
    }
}

/* Up to PLACES places before `last`, and CHANNELS channels. */
static void compute_tile(const struct cxn_conv_f32 *c, size_t place, size_t last, size_t channel)
{
    const float *w = c->w + channel * c->kernel * c->kernel * c->in;
    struct tile t = { 0 };
    for (size_t ky = 0; ky < c->kernel; ky++) {
        for (size_t kx = 0; kx < c->kernel; kx++) {
            for (size_t p = 0; p < PLACES; p++)
                t.src[p] = place + p < last ? find_source(c, place + p, ky, kx) : c->zeros;
            for (size_t i = 0; i < c->in; i += SUM_LENGTH) {
                const size_t count = c->in - i < SUM_LENGTH ? c->in - i : SUM_LENGTH;
                add_products(&t, w, count);
                w += count * CHANNELS;
                for (size_t p = 0; p < PLACES; p++) t.src[p] += count;
            }
        }
    }
    store(c, &t, place, last, channel);
}

void cxn_conv_f32_c(const struct cxn_conv_f32 *c)
{
    const size_t places = cxn_conv_side(c, c->height) * cxn_conv_side(c, c->width);
    for (size_t first = 0; first < places; first += PLACES_A_ROUND) {
        const size_t last = places - first < PLACES_A_ROUND ? places : first + PLACES_A_ROUND;
        for (size_t channel = 0; channel < c->out; channel += CHANNELS)
            for (size_t place = first; place < last; place += PLACES)
                compute_tile(c, place, last, channel);
    }
}
