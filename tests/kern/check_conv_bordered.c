/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ck.h"
#include "kern/bf16.h"
#include "kern/conv_bordered_bf16.h"
#include "kern/conv_bordered_f32.h"

/* Of the output; a window of kernel x kernel, places `stride` apart. */
struct shape {
    size_t height, width, in, out, kernel, stride;
    bool relu;
};

static const struct cxn_conv_bordered_kernel *row_of(const struct ck *t)
{
    return (const struct cxn_conv_bordered_kernel *)(const void *)cxn_kern_row(t->op, t->row);
}

static void run(const struct ck *t, const void *args, float *dst)
{
    struct cxn_conv_bordered conv = *(const struct cxn_conv_bordered *)args;
    conv.dst = dst;
    row_of(t)->run(&conv);
}

/* Bias and weights as the row wants them; for bfloat16 the weights are rounded in place, so that
 * the definition reads the same ones. */
static float *pack(struct ck *t, float *plain, size_t out, size_t terms)
{
    if (!ck_is_bf16(t)) {
        float *w = ck_aligned(t, cxn_conv_bordered_f32_packed_count(row_of(t), out, terms));
        cxn_conv_bordered_f32_pack(row_of(t), w, plain + out, plain, out, terms);
        return w;
    }
    float *w = ck_aligned(t, cxn_conv_bordered_bf16_packed_count(row_of(t), out, terms));
    for (size_t i = out; i < out * (1 + terms); i++)
        plain[i] = cxn_bf16_value(cxn_bf16_round(plain[i]));
    cxn_conv_bordered_bf16_pack(row_of(t), w, plain + out, plain, out, terms);
    return w;
}

/* Inputs of a shape; the weights, bias first, [1 + terms][out], go to *plain. */
static struct cxn_conv_bordered make(struct ck *t, const struct shape *s, enum ck_fill fill,
                                         float **plain)
{
    const size_t width = (s->width - 1) * s->stride + s->kernel;
    const size_t height = (s->height - 1) * s->stride + s->kernel;
    const size_t terms = s->kernel * s->kernel * s->in;
    const size_t place = s->in; /* rows may be whole places apart, and further than they are long */
    const size_t pitch = width * place + ck_below(t, 3) * (ck_below(t, 2) > 0 ? place : 1);
    *plain = ck_f32(t, s->out * (1 + terms), CK_UNIT);
    float *w = pack(t, *plain, s->out, terms);
    const size_t dst_step = s->out + ck_below(t, 4);
    return (struct cxn_conv_bordered){
        .src = ck_numbers(t, (height - 1) * pitch + width * place, fill),
        .place_step = place * s->stride, .row_step = pitch * s->stride, .tap_row_step = pitch,
        .tap_rows = s->kernel, .run = s->kernel * s->in, .height = s->height, .width = s->width,
        .out = s->out, .w = w, .dst_place_step = dst_step,
        .dst_row_step = s->width * dst_step + ck_below(t, 2 * dst_step),
        .relu = s->relu
    };
}

/* want and magnitude of output place (y, x), channel o. */
static void define(const struct ck *t, const struct cxn_conv_bordered *c, const float *plain,
                   size_t place, size_t o, double result[2])
{
    const size_t from = place / c->width * c->row_step + place % c->width * c->place_step;
    result[0] = (double)plain[o];
    result[1] = fabs(result[0]);
    for (size_t i = 0; i < c->tap_rows * c->run; i++) {
        const double product = ck_number(t, c->src, from + i / c->run * c->tap_row_step +
                                                            i % c->run) *
                               (double)plain[(1 + i) * c->out + o];
        result[0] += product;
        result[1] += fabs(product);
    }
    if (c->relu && result[0] < 0.0) result[0] = 0.0;
}

static void check_shape(struct ck *t, const struct shape *shape, enum ck_fill fill)
{
    struct shape even = *shape; /* bfloat16 takes channels in pairs */
    const struct shape *s = &even;
    if (ck_is_bf16(t)) even.in += even.in % 2;
    float *plain;
    const struct cxn_conv_bordered conv = make(t, s, fill, &plain);
    const size_t count = s->height * s->width;
    double *want = ck_f64(t, count * s->out), *magnitude = ck_f64(t, count * s->out);
    for (size_t i = 0; i < count * s->out; i++) {
        double result[2];
        define(t, &conv, plain, i / s->out, i % s->out, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run, .args = &conv, .count = count,
                               .step = conv.dst_place_step, .width = s->out, .row = s->width,
                               .row_step = conv.dst_row_step, .want = want,
                               .magnitude = magnitude, .terms = 1 + conv.tap_rows * conv.run,
                               .bf16 = ck_gives_bf16(t) };
    ck_verify(t, &c, "h=%zu w=%zu in=%zu out=%zu kernel=%zu stride=%zu relu=%d fill=%d", s->height,
              s->width, s->in, s->out, s->kernel, s->stride, s->relu, (int)fill);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, 1, 1, false },    { 1, 1, 5, 3, 3, 1, true },    { 5, 7, 3, 17, 3, 1, false },
        { 1, 117, 33, 8, 1, 1, true }, { 3, 2, 257, 9, 1, 1, false }, { 6, 11, 31, 33, 3, 1, true },
        { 16, 16, 2, 64, 7, 2, true }, { 5, 3, 4, 5, 7, 2, false }, { 7, 7, 128, 32, 3, 1, false },
        { 3, 14, 96, 128, 1, 1, true },
        { 2, 33, 4, 47, 3, 1, false }, { 3, 10, 9, 31, 1, 1, false },
        { 2, 6, 7, 16, 3, 1, true },    { 1, 5, 2, 65, 1, 1, false },  { 1, 4, 3, 40, 3, 1, true },
        { 9, 7, 32, 40, 3, 1, true },   { 5, 14, 64, 33, 3, 1, false },
        { 3, 16, 32, 70, 1, 1, true },  { 4, 20, 64, 31, 1, 1, false },
        { 2, 9, 32, 32, 1, 1, true },   { 1, 37, 32, 64, 7, 2, true },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_shape(t, &shapes[i], fill);
}

/* DenseNet-121 on 224 x 224: the stem, and of each block its widest 1x1 and its 3x3. */
static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 112, 112, 2, 64, 7, 2, true },   { 1, 56, 224, 128, 1, 1, true },
        { 56, 56, 128, 32, 3, 1, false },  { 2, 28, 480, 128, 1, 1, true },
        { 28, 28, 128, 32, 3, 1, false },  { 4, 14, 992, 128, 1, 1, true },
        { 14, 14, 128, 32, 3, 1, false },  { 7, 7, 992, 128, 1, 1, true },
        { 7, 7, 128, 32, 3, 1, false },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        float *plain;
        const struct cxn_conv_bordered conv = make(t, s, CK_UNIT, &plain);
        const size_t places = s->height * s->width;
        const double products = (double)(places * s->out * conv.tap_rows * conv.run);
        ck_time(t, run, &conv, ck_aligned(t, s->height * conv.dst_row_step), 2.0 * products, 0.0,
                "%zux%zux%zu -> %zu, %zux%zu", s->height, s->width, s->in, s->out, s->kernel,
                s->kernel);
        ck_reset(t);
    }
}

const struct ck_check ck_conv_bordered = { &cxn_conv_bordered_f32_op, check, bench };
const struct ck_check ck_conv_bordered_bf16 = { &cxn_conv_bordered_bf16_op, check, bench };
