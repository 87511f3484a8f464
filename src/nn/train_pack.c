/* SPDX-License-Identifier: Apache-2.0 */
/* Between the tensors of a flat block, [out][in][height][width], and what the kernels read and
 * write, [terms][out]. */
#include <string.h>

#include "kern/bf16.h"
#include "kern/window_f32.h"
#include "nn/train_cpu.h"

/* Terms of either direction: rows of the window of so many channels. */
static size_t count_terms(const cxn_trainer_state *s, const struct cxn_train_conv *conv,
                          bool backward)
{
    const size_t channels = backward ? conv->out : conv->in;
    return conv->kernel * cxn_train_terms(&s->kernels, conv->kernel * channels);
}

size_t cxn_train_packed_count(const cxn_trainer_state *s, const struct cxn_train_conv *conv,
                              bool backward)
{
    return s->kernels.packed_count(s->kernels.conv, backward ? conv->in : conv->out,
                                   count_terms(s, conv, backward));
}

size_t cxn_train_stem_terms(const cxn_trainer_state *s, size_t planes)
{
    const size_t place = planes * s->kernels.stem_copies;
    return CXN_TRAIN_STEM_KERNEL * cxn_train_terms(&s->kernels, s->kernels.stem_columns * place);
}

size_t cxn_train_stem_count(const cxn_trainer_state *s, size_t planes)
{
    return s->kernels.packed_count(s->kernels.conv, s->conv0.out,
                                   cxn_train_stem_terms(s, planes));
}

enum { ROWS = 8 }; /* that are turned at once, each read on and on, as the CPU sees ahead */

/* plain: [terms][out] from [out][in][taps], whose taps are in rows of `kernel`. */
static void plain_forward(const struct cxn_train_conv *c, const float *w, size_t row, float *plain)
{
    const size_t step = c->in * c->kernel * c->kernel;
    for (size_t o = 0; o < c->out; o += ROWS, w += ROWS * step) {
        const size_t count = c->out - o < ROWS ? c->out - o : ROWS;
        const float *from = w;
        for (size_t i = 0; i < c->in; i++)
            for (size_t y = 0; y < c->kernel; y++)
                for (size_t x = 0; x < c->kernel; x++, from++) {
                    float *to = plain + (y * row + x * c->in + i) * c->out + o;
                    for (size_t n = 0; n < count; n++) to[n] = from[n * step];
                }
    }
}

/* The convolution that takes a gradient back reads the window turned by half. */
static void plain_backward(const struct cxn_train_conv *c, const float *w, size_t row, float *plain)
{
    const size_t taps = c->kernel * c->kernel, in = c->in;
    for (size_t o = 0; o < c->out; o++, w += in * taps) {
        for (size_t tap = 0; tap < taps; tap++) {
            const size_t turned = taps - 1 - tap;
            float *to = plain + (turned / c->kernel * row + turned % c->kernel * c->out + o) * in;
            for (size_t i = 0; i < in; i++) to[i] = w[i * taps + tap];
        }
    }
}

static void pack_conv(const cxn_trainer_state *s, const struct cxn_train_conv *c, bool backward,
                      float *plain)
{
    const float *w = s->weights + c->tensor->offset;
    const size_t terms = count_terms(s, c, backward), out = backward ? c->in : c->out;
    if (terms != c->kernel * c->kernel * (backward ? c->out : c->in))
        memset(plain, 0, terms * out * sizeof *plain);
    if (backward && c->kernel == 1 && terms == c->out) plain = NULL; /* as it is */
    else if (backward) plain_backward(c, w, terms / c->kernel, plain);
    else plain_forward(c, w, terms / c->kernel, plain);
    s->kernels.pack(s->kernels.conv, backward ? c->backward : c->forward, plain ? plain : w, NULL,
                    out, terms);
}

/* What packing rounds away of a copy's weight is the next one's. */
static void put_copies(const cxn_trainer_state *s, float *to, size_t step, float w)
{
    for (size_t copy = 1; copy < s->kernels.stem_copies; copy++, to += step) {
        *to = cxn_bf16_value(cxn_bf16_round(w));
        w -= *to;
    }
    *to = w;
}

/* The stem on samples as they are: (sample / 255 - mean) / deviation is linear in the sample and in
 * the 1 of the plane behind it. A grey sample's weight is the sum over the channels. */
static void pack_stem(const cxn_trainer_state *s, size_t planes, float *packed, float *plain)
{
    const struct cxn_train_conv *c = &s->conv0;
    const size_t taps = c->kernel * c->kernel, ones = planes - 1;
    const size_t terms = cxn_train_stem_terms(s, planes), row = terms / c->kernel;
    const size_t place = planes * s->kernels.stem_copies;
    memset(plain, 0, terms * c->out * sizeof *plain);
    for (size_t o = 0; o < c->out; o++) {
        for (size_t tap = 0; tap < taps; tap++) {
            double sum[CXN_TRAIN_PLANES] = { 0 };
            for (size_t i = 0; i < 3; i++) {
                const double w = (double)s->weights[c->tensor->offset + (o * 3 + i) * taps + tap] /
                                 (double)cxn_window_deviation[i];
                sum[ones == 1 ? 0 : i] += w / 255.0;
                sum[ones] -= w * (double)cxn_window_mean[i];
            }
            float *to = plain + (tap / c->kernel * row + tap % c->kernel * place) * c->out + o;
            for (size_t p = 0; p < planes; p++) put_copies(s, to + p * c->out, planes * c->out,
                                                           (float)sum[p]);
        }
    }
    s->kernels.pack(s->kernels.conv, packed, plain, NULL, c->out, terms);
}

static void pack_piece(void *ctx, size_t i, unsigned thread)
{
    const cxn_trainer_state *s = ctx;
    float *plain = s->plain + thread * s->partial_count;
    if (i < 2 * s->conv_count) pack_conv(s, s->convs[i / 2], i % 2 > 0, plain);
    else if (i == 2 * s->conv_count) pack_stem(s, 2, s->conv0.forward, plain);
    else pack_stem(s, CXN_TRAIN_PLANES, s->conv0.backward, plain);
}

void cxn_train_pack(cxn_trainer_state *s)
{
    cxn_pool_run(s->env.pool, 2 * s->conv_count + 2, pack_piece, s);
    s->stale = false;
}

/* ---- gradients ---------------------------------------------------------------------------- */

enum { GATHER_PIECES = 16, GATHER_OUTPUTS = 64 };

struct gather {
    const cxn_trainer_state *s;
    const struct cxn_train_conv *conv;
    float *slot;
};

/* A run of outputs of one term, summed over the chunks in their order. */
static void sum_term(const cxn_trainer_state *s, size_t at, size_t count, float *sum)
{
    memcpy(sum, s->partial + at, count * sizeof *sum);
    for (size_t k = 1; k < s->chunks; k++) {
        const float *more = s->partial + k * s->partial_count + at;
        for (size_t o = 0; o < count; o++) sum[o] += more[o];
    }
}

/* Some of the input channels, all taps of each. */
static void gather_piece(void *ctx, size_t piece, unsigned thread)
{
    const struct gather *g = ctx;
    const struct cxn_train_conv *c = g->conv;
    const size_t taps = c->kernel * c->kernel;
    float sum[GATHER_OUTPUTS];
    (void)thread;
    for (size_t from = 0; from < c->out; from += GATHER_OUTPUTS) {
        const size_t left = c->out - from, count = left < GATHER_OUTPUTS ? left : GATHER_OUTPUTS;
        for (size_t i = c->in * piece / GATHER_PIECES; i < c->in * (piece + 1) / GATHER_PIECES; i++)
            for (size_t tap = 0; tap < taps; tap++) {
                float *to = g->slot + c->tensor->offset + (from * c->in + i) * taps + tap;
                sum_term(g->s, (tap * c->in + i) * c->out + from, count, sum);
                for (size_t o = 0; o < count; o++) to[o * c->in * taps] = sum[o];
            }
    }
}

void cxn_train_gather(cxn_trainer_state *s, const struct cxn_train_conv *conv, float *slot)
{
    struct gather gather = { s, conv, slot };
    cxn_pool_run(s->env.pool, GATHER_PIECES, gather_piece, &gather);
}

/* Gradients of planes are those of channels: each channel's sample is the planes' by the same line
 * that folded its weight. */
void cxn_train_gather_stem(cxn_trainer_state *s, size_t planes, float *slot)
{
    const struct cxn_train_conv *c = &s->conv0;
    const size_t taps = c->kernel * c->kernel, ones = planes - 1;
    const size_t row = cxn_train_stem_terms(s, planes) / c->kernel;
    const size_t place = planes * s->kernels.stem_copies; /* of which copies have one gradient */
    for (size_t tap = 0; tap < taps; tap++) {
        for (size_t o = 0; o < c->out; o++) {
            double sum[CXN_TRAIN_PLANES] = { 0 };
            for (size_t p = 0; p < planes; p++)
                for (size_t k = 0; k < s->chunks; k++)
                    sum[p] += (double)s->partial[k * s->partial_count +
                                                 (tap / c->kernel * row +
                                                  tap % c->kernel * place + p) * c->out + o];
            for (size_t i = 0; i < 3; i++)
                slot[c->tensor->offset + (o * 3 + i) * taps + tap] =
                    (float)((sum[ones == 1 ? 0 : i] / 255.0 -
                             sum[ones] * (double)cxn_window_mean[i]) /
                            (double)cxn_window_deviation[i]);
        }
    }
}
