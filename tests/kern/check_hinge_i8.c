/* SPDX-License-Identifier: Apache-2.0 */
/* hinge_conv_i8, hinge_pool_i8 and sums_u8. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/hinge_conv_i8.h"
#include "kern/hinge_pool_i8.h"
#include "kern/sums_u8.h"

/* Of bytes, some places; knots of 0 and 255 are among the hinges of all. */
struct map {
    const uint8_t *src;
    uint8_t *flip, *knot;
    size_t step, channels;
};

static struct map make_map(struct ck *t, size_t places, size_t channels)
{
    const size_t step = channels + ck_below(t, 40);
    struct map m = { .src = ck_u8(t, (places - 1) * step + channels), .step = step,
                     .flip = ck_u8(t, channels), .knot = ck_u8(t, channels),
                     .channels = channels };
    for (size_t i = 0; i < channels; i++) {
        m.flip[i] = ck_below(t, 2) > 0 ? 255 : 0;
        if (i >= 16) m.knot[i] /= 2; /* so that not most of them are 0 */
        else if (i < 8) m.knot[i] = (uint8_t)(i % 4 == 3 ? 255 : i % 4 * 60);
    }
    return m;
}

/* The hinged byte as norm and ReLU read: above or below the knot k. */
static int hinged(const struct map *m, size_t place, size_t channel)
{
    const int q = m->src[place * m->step + channel];
    const int k = m->flip[channel] ? 255 - m->knot[channel] : m->knot[channel];
    const int beyond = m->flip[channel] ? k - q : q - k;
    return beyond > 0 ? beyond : 0;
}

/* ---- hinge_conv_i8 ------------------------------------------------------------------------ */

struct shape {
    size_t height, width, in, out;
    bool two_parts;
};

struct conv {
    struct cxn_hinge_conv_i8 args;
    struct map map;
    struct cxn_conv_i8_weights weights;
};

static void run_conv(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_hinge_conv_i8_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_hinge_conv_i8 conv = *(const struct cxn_hinge_conv_i8 *)args;
    conv.dst = (uint8_t *)dst;
    row->run(&conv);
}

/* What is left in the panel from before must not matter: zero weights meet it. */
static void run_dirty_conv(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_hinge_conv_i8_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct cxn_hinge_conv_i8 *conv = args;
    memset(conv->panel, 0xff, row->places * cxn_hinge_conv_i8_step(conv->channels));
    run_conv(t, args, dst);
}

static int32_t sum_of(const struct conv *c, const int8_t *w, size_t place, size_t o)
{
    int32_t sum = 0;
    for (size_t i = 0; i < c->map.channels; i++)
        sum += hinged(&c->map, place, i) * w[i * c->weights.out + o];
    return sum;
}

static double byte_of(const struct conv *c, size_t place, size_t o)
{
    const struct cxn_conv_i8_weights *w = &c->weights;
    const int32_t sum = sum_of(c, w->w, place, o);
    const int32_t low = w->low ? sum_of(c, w->low, place, o) : 0;
    return ck_byte(ck_requantized(sum, w->low ? &low : NULL, w->m[o], w->b[o]));
}

typedef int8_t *make_weights_fn(struct ck *t, size_t count, int least, int most);

static struct conv make_conv(struct ck *t, const struct shape *s, make_weights_fn *make_weights)
{
    const uint32_t needs = cxn_kern_row(t->op, t->row)->needs;
    const struct cxn_conv_bordered_i8_kernel *packer = cxn_conv_bordered_i8_pick(needs);
    const struct cxn_hinge_conv_i8_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    float *m = ck_f32(t, s->out, CK_UNIT), *b = ck_f32(t, s->out, CK_UNIT);
    for (size_t o = 0; o < s->out; o++) {
        m[o] = (1.0f + fabsf(m[o])) / sqrtf((float)s->in) / (s->two_parts ? 9000.0f : 70.0f);
        b[o] = 128.0f + 60.0f * b[o];
    }
    const struct map map = make_map(t, s->height * s->width, s->in);
    struct conv c = {
        .map = map,
        .weights = { .w = make_weights(t, s->in * s->out, -127, 127), .m = m, .b = b, .out = s->out,
                     .low = s->two_parts ? make_weights(t, s->in * s->out, -64, 63) : NULL,
                     .terms = s->in, .run = s->in, .knot = map.knot }
    };
    const size_t bytes = cxn_conv_bordered_i8_packed_bytes(packer, &c.weights);
    void *packed = ck_aligned(t, bytes / sizeof(float));
    cxn_conv_bordered_i8_pack(packer, packed, &c.weights);
    const size_t panel_bytes = row->places * cxn_hinge_conv_i8_step(s->in);
    const size_t dst_step = s->out + ck_below(t, 4);
    c.args = (struct cxn_hinge_conv_i8){
        .src = c.map.src, .src_step = c.map.step, .channels = s->in, .flip = c.map.flip,
        .knot = c.map.knot, .height = s->height, .width = s->width, .out = s->out, .w = packed,
        .two_parts = s->two_parts, .bounded = cxn_conv_bordered_i8_is_bounded(&c.weights),
        .dst_place_step = dst_step,
        .panel = (uint8_t *)ck_aligned(t, panel_bytes / sizeof(float)),
        .ahead = ck_ahead(t, packed, bytes),
        .dst_row_step = s->width * dst_step + ck_below(t, 2 * dst_step)
    };
    return c;
}

static void check_conv(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, false },     { 1, 5, 3, 17, true },     { 1, 117, 33, 8, false },
        { 3, 2, 257, 9, false },   { 3, 14, 96, 128, false }, { 7, 7, 64, 33, true },
        { 2, 16, 32, 70, false },  { 1, 33, 31, 64, true },   { 5, 56, 64, 32, false },
        { 17, 1, 300, 5, false },  { 2, 9, 1024, 40, false }, { 2, 31, 160, 16, true },
    };
    for (size_t i = 0; i < 2 * CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i / 2];
        const struct conv conv = make_conv(t, s, i % 2 == 0 ? ck_s8 : ck_s8_bell);
        const size_t count = s->height * s->width;
        double *want = ck_f64(t, count * s->out);
        for (size_t k = 0; k < count * s->out; k++)
            want[k] = byte_of(&conv, k / s->out, k % s->out);
        const struct ck_case c = { .run = run_dirty_conv, .args = &conv.args, .count = count,
                                   .step = conv.args.dst_place_step, .width = s->out,
                                   .row = s->width, .row_step = conv.args.dst_row_step,
                                   .want = want, .output = CK_BYTES };
        ck_verify(t, &c, "h=%zu w=%zu in=%zu out=%zu parts=%d", s->height, s->width, s->in, s->out,
                  1 + s->two_parts);
        ck_reset(t);
    }
}

static void bench_conv(struct ck *t)
{
    static const struct shape shapes[] = {
        { 8, 56, 128, 128, false }, { 16, 28, 256, 128, false }, { 14, 14, 512, 128, false },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        const struct conv conv = make_conv(t, s, ck_s8_bell);
        float *dst = ck_aligned(t, s->height * conv.args.dst_row_step / sizeof(float) + 1);
        ck_time(t, run_conv, &conv.args, dst,
                2.0 * (double)(s->height * s->width * s->in * s->out), 0.0, "%zux%zu %zu -> %zu",
                s->height, s->width, s->in, s->out);
        ck_reset(t);
    }
}

/* ---- hinge_pool_i8 ------------------------------------------------------------------------ */

static const size_t sizes[][2] = { { 1, 1 }, { 3, 7 }, { 2, 64 }, { 5, 33 }, { 9, 140 } };

static void run_pool(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_hinge_pool_i8_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_hinge_pool_i8 pool = *(const struct cxn_hinge_pool_i8 *)args;
    pool.dst = (uint8_t *)dst;
    row->run(&pool);
}

/* Windows in a row over a map of two rows. */
static struct cxn_hinge_pool_i8 make_pool(struct ck *t, const struct map *m, size_t count)
{
    return (struct cxn_hinge_pool_i8){
        .src = m->src, .src_step = m->step, .src_row_step = 2 * count * m->step,
        .dst_step = m->channels + ck_below(t, 3), .count = count, .channels = m->channels,
        .flip = m->flip, .knot = m->knot
    };
}

static void check_pool(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes); k++) {
        const size_t count = sizes[k][0], channels = sizes[k][1];
        const struct map m = make_map(t, 4 * count, channels);
        const struct cxn_hinge_pool_i8 p = make_pool(t, &m, count);
        double *want = ck_f64(t, count * channels);
        for (size_t i = 0; i < count * channels; i++) {
            const size_t place = i / channels * 2, o = i % channels;
            const int sum = hinged(&m, place, o) + hinged(&m, place + 1, o) +
                            hinged(&m, place + 2 * count, o) + hinged(&m, place + 2 * count + 1, o);
            want[i] = floor(sum / 4.0 + 0.5);
        }
        const struct ck_case c = { .run = run_pool, .args = &p, .count = count,
                                   .step = p.dst_step, .width = channels, .want = want,
                                   .output = CK_BYTES };
        ck_verify(t, &c, "count=%zu channels=%zu", count, channels);
        ck_reset(t);
    }
}

static void bench_pool(struct ck *t)
{
    const struct map m = make_map(t, 4 * 14, 512);
    const struct cxn_hinge_pool_i8 p = make_pool(t, &m, 14);
    ck_time(t, run_pool, &p, ck_aligned(t, p.count * p.dst_step), 0.0, 14.0 * 512.0 * 5,
            "14 windows x 512");
    ck_reset(t);
}

/* ---- sums_u8 ------------------------------------------------------------------------------ */

static void run_sums(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_sums_u8_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_sums_u8 sums = *(const struct cxn_sums_u8 *)args;
    sums.dst = (int32_t *)(void *)dst;
    row->run(&sums);
}

static struct cxn_sums_u8 make_sums(const struct map *m, size_t count)
{
    return (struct cxn_sums_u8){ .src = m->src, .src_step = m->step, .count = count,
                                 .channels = m->channels, .flip = m->flip, .knot = m->knot };
}

static void check_sums(struct ck *t)
{
    static const size_t counts[] = { 1, 49, 300 };
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CXN_COUNTOF(counts); k++) {
        const size_t count = counts[k % CXN_COUNTOF(counts)];
        const size_t channels = sizes[k / CXN_COUNTOF(counts)][1];
        const struct map m = make_map(t, count, channels);
        const struct cxn_sums_u8 s = make_sums(&m, count);
        double *want = ck_f64(t, channels);
        for (size_t i = 0; i < count * channels; i++)
            want[i % channels] += hinged(&m, i / channels, i % channels);
        const struct ck_case c = { .run = run_sums, .args = &s, .count = 1, .step = channels,
                                   .width = channels, .want = want, .output = CK_INTS };
        ck_verify(t, &c, "count=%zu channels=%zu", count, channels);
        ck_reset(t);
    }
}

static void bench_sums(struct ck *t)
{
    const struct map m = make_map(t, 49, 1024);
    const struct cxn_sums_u8 s = make_sums(&m, 49);
    ck_time(t, run_sums, &s, ck_aligned(t, 1024), 0.0, 49.0 * 1024.0, "49 places x 1024");
    ck_reset(t);
}

const struct ck_check ck_hinge_conv_i8 = { &cxn_hinge_conv_i8_op, check_conv, bench_conv };
const struct ck_check ck_hinge_pool_i8 = { &cxn_hinge_pool_i8_op, check_pool, bench_pool };
const struct ck_check ck_sums_u8 = { &cxn_sums_u8_op, check_sums, bench_sums };
