/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/bf16.h"
#include "kern/hinge_conv_bf16.h"

struct shape {
    size_t height, width, in, out;
};

static void run(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_hinge_conv_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_hinge_conv conv = *(const struct cxn_hinge_conv *)args;
    conv.dst = (uint16_t *)(void *)dst;
    row->run(&conv);
}

/* What an earlier call left in the panel behind the channels is no number. */
static void run_dirty(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_hinge_conv_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct cxn_hinge_conv *conv = args;
    memset(conv->panel, 0xff, row->places * cxn_hinge_conv_step(conv->channels) * 2);
    run(t, args, dst);
}

/* A channel's hinge as its contract says it. */
struct hinge {
    double knot;
    bool rises;
};

static double value_of(const struct hinge *hinge, double x)
{
    return hinge->rises == (x > hinge->knot) ? x : hinge->knot;
}

/* Hinges of all four kinds, some at 0, -0 and the ends of the range. */
static void make_hinges(struct ck *t, struct hinge *hinges, uint16_t *knot, uint16_t *turn,
                        size_t count)
{
    static const uint16_t special[] = { 0, 0x8000, 0x7f7f, 0xff7f, 0x7f80, 0xff80 };
    const uint16_t *numbers = ck_numbers(t, count, CK_UNIT);
    for (size_t i = 0; i < count; i++) {
        const size_t draw = ck_below(t, 4 * CXN_COUNTOF(special));
        const uint16_t at = draw < CXN_COUNTOF(special) && count > 8 ? special[draw] : numbers[i];
        hinges[i] = (struct hinge){ (double)cxn_bf16_value(at), ck_below(t, 2) > 0 };
        /* What an end of the range would make of every sum is no test. */
        if (hinges[i].rises ? hinges[i].knot > 2.0 : hinges[i].knot < -2.0)
            hinges[i].rises = !hinges[i].rises;
        cxn_hinge_set(at, hinges[i].rises, &knot[i], &turn[i]);
    }
}

/* The convolution's row of the same name packs the weights. */
static float *pack(struct ck *t, float *plain, size_t out, size_t terms)
{
    const uint32_t needs = cxn_kern_row(t->op, t->row)->needs;
    const struct cxn_conv_bordered_kernel *row = cxn_conv_bordered_bf16_pick(needs);
    float *w = ck_aligned(t, cxn_conv_bordered_bf16_packed_count(row, out, terms));
    for (size_t i = out; i < out * (1 + terms); i++)
        plain[i] = cxn_bf16_value(cxn_bf16_round(plain[i]));
    cxn_conv_bordered_bf16_pack(row, w, plain + out, plain, out, terms);
    return w;
}

/* Inputs; the weights, bias first, [1 + in][out], go to *plain. */
static struct cxn_hinge_conv make(struct ck *t, const struct shape *s, enum ck_fill fill,
                                  struct hinge *hinges, float **plain)
{
    const struct cxn_hinge_conv_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    uint16_t *knot = (uint16_t *)(void *)ck_f32(t, s->in, CK_UNIT);
    uint16_t *turn = (uint16_t *)(void *)ck_f32(t, s->in, CK_UNIT);
    const size_t src_step = s->in + ck_below(t, 40), dst_step = s->out + ck_below(t, 4);
    make_hinges(t, hinges, knot, turn, s->in);
    *plain = ck_f32(t, s->out * (1 + s->in), CK_UNIT);
    float *w = pack(t, *plain, s->out, s->in);
    const struct cxn_ahead ahead = ck_ahead(t, w, s->in * s->out * 2);
    return (struct cxn_hinge_conv){
        .src = ck_numbers(t, (s->height * s->width - 1) * src_step + s->in, fill),
        .src_step = src_step, .channels = s->in, .knot = knot, .turn = turn, .height = s->height,
        .width = s->width, .out = s->out, .w = w, .ahead = ahead,
        .panel = (uint16_t *)(void *)ck_aligned(t, row->places * cxn_hinge_conv_step(s->in) / 2),
        .dst_place_step = dst_step,
        .dst_row_step = s->width * dst_step + ck_below(t, 2 * dst_step)
    };
}

/* want and magnitude of channel o of a place. */
static void define(const struct ck *t, const struct cxn_hinge_conv *c, const struct hinge *hinges,
                   const float *plain, size_t place, size_t o, double result[2])
{
    result[0] = (double)plain[o];
    result[1] = fabs(result[0]);
    for (size_t i = 0; i < c->channels; i++) {
        const double x = ck_number(t, c->src, place * c->src_step + i);
        const double product = value_of(&hinges[i], x) * (double)plain[(1 + i) * c->out + o];
        result[0] += product;
        result[1] += fabs(product);
    }
    if (result[0] < 0.0) result[0] = 0.0;
}

static void check_shape(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    struct hinge hinges[512];
    float *plain;
    const struct cxn_hinge_conv conv = make(t, s, fill, hinges, &plain);
    const size_t count = s->height * s->width;
    double *want = ck_f64(t, count * s->out), *magnitude = ck_f64(t, count * s->out);
    for (size_t i = 0; i < count * s->out; i++) {
        double result[2];
        define(t, &conv, hinges, plain, i / s->out, i % s->out, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run_dirty, .args = &conv, .count = count,
                               .step = conv.dst_place_step, .width = s->out, .row = s->width,
                               .row_step = conv.dst_row_step, .want = want,
                               .magnitude = magnitude, .terms = 1 + s->in, .bf16 = true };
    ck_verify(t, &c, "h=%zu w=%zu in=%zu out=%zu fill=%d", s->height, s->width, s->in, s->out,
              (int)fill);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1 },     { 1, 5, 3, 17 },   { 1, 117, 33, 8 }, { 3, 2, 257, 9 },
        { 3, 14, 96, 128 }, { 7, 7, 64, 33 },  { 2, 16, 32, 70 }, { 1, 33, 31, 64 },
        { 5, 56, 64, 32 },  { 17, 1, 300, 5 },  { 2, 61, 34, 40 }, { 3, 113, 65, 33 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) /* what becomes of a NaN is left open */
        for (enum ck_fill fill = CK_UNIT; fill <= CK_EXTREMES; fill++)
            check_shape(t, &shapes[i], fill);
}

static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 8, 56, 128, 128 }, { 16, 28, 256, 128 }, { 14, 14, 512, 128 },
    };
    struct hinge hinges[512];
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        float *plain;
        const struct cxn_hinge_conv conv = make(t, s, CK_UNIT, hinges, &plain);
        float *dst = ck_aligned(t, s->height * conv.dst_row_step);
        ck_time(t, run, &conv, dst, 2.0 * (double)(s->height * s->width * s->in * s->out), 0.0,
                "%zux%zu %zu -> %zu", s->height, s->width, s->in, s->out);
        ck_reset(t);
    }
}

const struct ck_check ck_hinge_conv = { &cxn_hinge_conv_bf16_op, check, bench };
