/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ck.h"
#include "kern/conv_f32.h"

struct shape {
    size_t height, width, in, out, kernel, stride, pad;
};

static const struct cxn_conv_f32_kernel *row_of(const struct ck *t)
{
    return (const struct cxn_conv_f32_kernel *)(const void *)cxn_kern_row(t->op, t->row);
}

static void run(const struct ck *t, const void *args, float *dst)
{
    struct cxn_conv_f32 conv = *(const struct cxn_conv_f32 *)args;
    conv.dst = dst;
    row_of(t)->run(&conv);
}

/* Inputs of a shape; the weights as PyTorch has them go to *plain. */
static struct cxn_conv_f32 make(struct ck *t, const struct shape *s, enum ck_fill fill,
                                float **plain)
{
    const size_t src_step = s->in + ck_below(t, 3);
    const size_t taps = s->kernel * s->kernel;
    *plain = ck_f32(t, s->out * s->in * taps, CK_UNIT);
    float *w = ck_aligned(t, cxn_conv_f32_packed_count(row_of(t), s->out, s->in, s->kernel));
    cxn_conv_f32_pack(row_of(t), w, *plain, s->out, s->in, s->kernel);
    return (struct cxn_conv_f32){
        .src = ck_f32(t, (s->height * s->width - 1) * src_step + s->in, fill),
        .src_step = src_step, .height = s->height, .width = s->width, .in = s->in, .out = s->out,
        .kernel = s->kernel, .stride = s->stride, .pad = s->pad, .w = w,
        .zeros = ck_aligned(t, s->in), .dst_step = s->out + ck_below(t, 4)
    };
}

/* want and magnitude of output place (y, x), channel o. */
static void define(const struct cxn_conv_f32 *c, const float *w, size_t y, size_t x, size_t o,
                   double result[2])
{
    result[0] = result[1] = 0.0;
    for (size_t tap = 0; tap < c->kernel * c->kernel; tap++) {
        const size_t sy = y * c->stride + tap / c->kernel, sx = x * c->stride + tap % c->kernel;
        if (sy < c->pad || sx < c->pad || sy - c->pad >= c->height || sx - c->pad >= c->width)
            continue;
        const float *src = c->src + ((sy - c->pad) * c->width + sx - c->pad) * c->src_step;
        for (size_t i = 0; i < c->in; i++) {
            const double product =
                (double)src[i] * (double)w[(o * c->in + i) * c->kernel * c->kernel + tap];
            result[0] += product;
            result[1] += fabs(product);
        }
    }
}

static void check_shape(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    float *plain;
    const struct cxn_conv_f32 conv = make(t, s, fill, &plain);
    const size_t width = cxn_conv_side(&conv, s->width);
    const size_t count = cxn_conv_side(&conv, s->height) * width;
    double *want = ck_f64(t, count * s->out), *magnitude = ck_f64(t, count * s->out);
    for (size_t i = 0; i < count * s->out; i++) {
        const size_t place = i / s->out;
        double result[2];
        define(&conv, plain, place / width, place % width, i % s->out, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run, .args = &conv, .count = count, .step = conv.dst_step,
                               .width = s->out, .want = want, .magnitude = magnitude,
                               .terms = s->in * s->kernel * s->kernel };
    ck_verify(t, &c, "h=%zu w=%zu in=%zu out=%zu kernel=%zu stride=%zu pad=%zu fill=%d", s->height,
              s->width, s->in, s->out, s->kernel, s->stride, s->pad, (int)fill);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, 1, 1, 0 },     { 1, 1, 5, 3, 3, 1, 1 },    { 5, 7, 3, 17, 3, 1, 1 },
        { 9, 13, 129, 8, 1, 1, 0 },  { 3, 2, 257, 9, 1, 1, 0 },  { 6, 11, 31, 33, 3, 1, 1 },
        { 32, 32, 3, 64, 7, 2, 3 },  { 10, 6, 3, 5, 7, 2, 3 },   { 7, 7, 128, 32, 3, 1, 1 },
        { 14, 14, 96, 128, 1, 1, 0 }, { 2, 66, 4, 7, 3, 1, 1 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_shape(t, &shapes[i], fill);
}

/* DenseNet-121 on 224 x 224: the stem, and of each block its widest 1x1 and its 3x3. */
static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 224, 224, 3, 64, 7, 2, 3 }, { 56, 56, 224, 128, 1, 1, 0 }, { 56, 56, 128, 32, 3, 1, 1 },
        { 28, 28, 480, 128, 1, 1, 0 }, { 28, 28, 128, 32, 3, 1, 1 }, { 14, 14, 992, 128, 1, 1, 0 },
        { 14, 14, 128, 32, 3, 1, 1 }, { 7, 7, 992, 128, 1, 1, 0 },   { 7, 7, 128, 32, 3, 1, 1 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        float *plain;
        const struct cxn_conv_f32 conv = make(t, s, CK_UNIT, &plain);
        const size_t places = cxn_conv_side(&conv, s->height) * cxn_conv_side(&conv, s->width);
        const double products = (double)(places * s->out * s->in * s->kernel * s->kernel);
        ck_time(t, run, &conv, ck_aligned(t, places * conv.dst_step), 2.0 * products, 0.0,
                "%zux%zux%zu -> %zu, %zux%zu", s->height, s->width, s->in, s->out, s->kernel,
                s->kernel);
        ck_reset(t);
    }
}

const struct ck_check ck_conv = { &cxn_conv_f32_op, check, bench };
