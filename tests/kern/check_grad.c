/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the backward pass: wgrad, channel_sums, norm_relu_grad, norm_center and
 * max_pool_grad_row. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/channel_sums_f32.h"
#include "kern/max_pool_grad_row_f32.h"
#include "kern/norm_center_f32.h"
#include "kern/norm_relu_grad_f32.h"
#include "kern/wgrad_f32.h"

static const size_t sizes[][2] = { /* places, channels */
    { 1, 1 }, { 3, 5 }, { 7, 128 }, { 20, 31 }, { 9, 33 }, { 5, 64 }, { 56, 100 }, { 2, 16 },
};

/* ---- wgrad -------------------------------------------------------------------------------- */

struct weighing {
    struct cxn_wgrad wgrad;
    const float *before; /* what dst holds where the sum joins it */
};

struct shape {
    size_t maps, height, width, in, out, kernel, stride;
    bool add;
};

static size_t terms_of(const struct cxn_wgrad *w)
{
    return w->tap_rows * w->run;
}

static void run_wgrad(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_wgrad_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct weighing *weighing = args;
    struct cxn_wgrad w = weighing->wgrad;
    w.dst = dst;
    if (w.add) memcpy(dst, weighing->before, terms_of(&w) * w.out * sizeof *dst);
    row->run(&w);
}

static struct weighing make_wgrad(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    const size_t pitch = ((s->width - 1) * s->stride + s->kernel) * s->in + ck_below(t, 3);
    const size_t map = ((s->height - 1) * s->stride + s->kernel) * pitch + ck_below(t, 5);
    const size_t grad_step = s->out + ck_below(t, 4);
    const size_t grad_row = s->width * grad_step + ck_below(t, 7);
    const size_t grad_map = s->height * grad_row + ck_below(t, 7);
    return (struct weighing){
        .wgrad = { .src = ck_numbers(t, s->maps * map, fill), .place_step = s->in * s->stride,
                   .row_step = pitch * s->stride, .map_step = map, .tap_row_step = pitch,
                   .tap_rows = s->kernel, .run = s->kernel * s->in,
                   .grad = ck_numbers(t, s->maps * grad_map, CK_UNIT),
                   .grad_place_step = grad_step, .grad_row_step = grad_row,
                   .grad_map_step = grad_map, .maps = s->maps, .height = s->height,
                   .width = s->width, .out = s->out, .add = s->add },
        .before = ck_f32(t, s->kernel * s->kernel * s->in * s->out, CK_UNIT)
    };
}

/* The sum and its magnitude of term i, output o. */
static void define_wgrad(const struct ck *t, const struct weighing *weighing, size_t i, size_t o,
                         double result[2])
{
    const struct cxn_wgrad *w = &weighing->wgrad;
    result[0] = w->add ? (double)weighing->before[i * w->out + o] : 0.0;
    result[1] = fabs(result[0]);
    for (size_t p = 0; p < w->maps * w->height * w->width; p++) {
        const size_t x = p % w->width, y = p / w->width % w->height, m = p / w->width / w->height;
        const size_t from = m * w->map_step + y * w->row_step + x * w->place_step +
                            i / w->run * w->tap_row_step + i % w->run;
        const size_t grad = m * w->grad_map_step + y * w->grad_row_step + x * w->grad_place_step;
        const double product = ck_number(t, w->src, from) * ck_number(t, w->grad, grad + o);
        result[0] += product;
        result[1] += fabs(product);
    }
}

static void check_wgrad_shape(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    const struct weighing weighing = make_wgrad(t, s, fill);
    const size_t terms = terms_of(&weighing.wgrad);
    double *want = ck_f64(t, terms * s->out), *magnitude = ck_f64(t, terms * s->out);
    for (size_t i = 0; i < terms * s->out; i++) {
        double result[2];
        define_wgrad(t, &weighing, i / s->out, i % s->out, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run_wgrad, .args = &weighing, .count = terms,
                               .step = s->out, .width = s->out, .want = want,
                               .magnitude = magnitude,
                               .terms = 1 + s->maps * s->height * s->width };
    ck_verify(t, &c, "maps=%zu h=%zu w=%zu in=%zu out=%zu kernel=%zu stride=%zu add=%d fill=%d",
              s->maps, s->height, s->width, s->in, s->out, s->kernel, s->stride, (int)s->add,
              (int)fill);
    ck_reset(t);
}

static void check_wgrad(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, 1, 1, 1, false },   { 1, 1, 37, 33, 47, 1, 1, true },
        { 2, 3, 5, 4, 32, 3, 1, false },  { 3, 7, 7, 16, 32, 3, 1, true },
        { 1, 1, 112, 96, 128, 1, 1, true }, { 1, 5, 6, 2, 64, 7, 2, false },
        { 1, 2, 9, 5, 16, 3, 1, true },   { 2, 1, 4, 15, 5, 1, 1, false },
        { 1, 3, 4, 9, 31, 1, 1, true },   { 1, 4, 4, 7, 17, 3, 2, false },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++)
            check_wgrad_shape(t, &shapes[i], fill);
}

/* DenseNet-121 on 224 x 224: the stem, some channels of a 1x1, and each block's 3x3. */
static void bench_wgrad(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 2, 112, 2, 64, 7, 2, true },  { 1, 1, 224, 128, 128, 1, 1, true },
        { 1, 4, 56, 128, 32, 3, 1, true }, { 1, 8, 28, 128, 32, 3, 1, true },
        { 1, 14, 14, 128, 32, 3, 1, true }, { 5, 7, 7, 128, 32, 3, 1, true },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        const struct weighing weighing = make_wgrad(t, s, CK_UNIT);
        const size_t count = terms_of(&weighing.wgrad) * s->out;
        ck_time(t, run_wgrad, &weighing, ck_aligned(t, count),
                2.0 * (double)(count * s->maps * s->height * s->width), 0.0,
                "%zux%zux%zux%zu -> %zu, %zux%zu", s->maps, s->height, s->width, s->in, s->out,
                s->kernel, s->kernel);
        ck_reset(t);
    }
}

/* ---- channel_sums ------------------------------------------------------------------------- */

enum { CHANNELS_MAX = 128 };

/* Sums begin where the others ended: at 1 and 2. */
static void begin_sums(double first[CHANNELS_MAX], double second[CHANNELS_MAX])
{
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        first[i] = 1.0;
        second[i] = 2.0;
    }
}

static void give_sums(float *dst, size_t channels, const double first[CHANNELS_MAX],
                      const double second[CHANNELS_MAX])
{
    for (size_t i = 0; i < channels; i++) {
        dst[i] = (float)first[i];
        dst[channels + i] = (float)second[i];
    }
}

static void run_sums(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_channel_sums_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_channel_sums s = *(const struct cxn_channel_sums *)args;
    double sum[CHANNELS_MAX], square[CHANNELS_MAX];
    begin_sums(sum, square);
    s.sum = sum;
    s.square = square;
    row->run(&s);
    give_sums(dst, s.channels, sum, square);
}

static struct cxn_channel_sums make_sums(struct ck *t, const size_t size[2], enum ck_fill fill)
{
    const size_t step = size[1] + ck_below(t, 40);
    return (struct cxn_channel_sums){ .src = ck_numbers(t, (size[0] - 1) * step + size[1], fill),
                                      .step = step, .count = size[0], .channels = size[1] };
}

/* Two rows of sums, each rounded once, from double to float32. */
static void verify_sums(struct ck *t, ck_run_fn *run, const void *args, const size_t size[2],
                        const double *want, const double *magnitude)
{
    const struct ck_case c = { .run = run, .args = args, .count = 2, .step = size[1],
                               .width = size[1], .want = want, .magnitude = magnitude,
                               .terms = 1 };
    ck_verify(t, &c, "sums: count=%zu channels=%zu", size[0], size[1]);
}

static void check_sums(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t *size = sizes[k / CK_FILLS], channels = size[1];
        const struct cxn_channel_sums s = make_sums(t, size, k % CK_FILLS);
        double *want = ck_f64(t, 2 * channels), *magnitude = ck_f64(t, 2 * channels);
        for (size_t i = 0; i < 2 * channels; i++) want[i] = magnitude[i] = i < channels ? 1.0 : 2.0;
        for (size_t i = 0; i < size[0] * channels; i++) {
            const double x = ck_number(t, s.src, i / channels * s.step + i % channels);
            want[i % channels] += x;
            magnitude[i % channels] += fabs(x);
            want[channels + i % channels] += x * x;
            magnitude[channels + i % channels] += x * x;
        }
        verify_sums(t, run_sums, &s, size, want, magnitude);
        ck_reset(t);
    }
}

static void bench_sums(struct ck *t)
{
    const struct cxn_channel_sums s = make_sums(t, (const size_t[]){ 56, 128 }, CK_UNIT);
    ck_time(t, run_sums, &s, ck_aligned(t, 256), 0.0, 56.0 * 128.0 * sizeof(float),
            "56 places x 128");
    ck_reset(t);
}

/* ---- norm_relu_grad ----------------------------------------------------------------------- */

struct halving {
    struct cxn_norm_relu_grad norm;
    const float *before;
};

static void run_norm(const struct ck *t, const struct halving *h, float *dst, double *sum,
                     double *product)
{
    const struct cxn_norm_relu_grad_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu_grad n = h->norm;
    begin_sums(sum, product);
    for (size_t i = 0; n.add && i < n.count * n.channels; i++)
        dst[i / n.channels * n.dst_step + i % n.channels] = h->before[i];
    n.dst = dst;
    n.sum = sum;
    n.product = product;
    row->run(&n);
}

static void run_norm_dst(const struct ck *t, const void *args, float *dst)
{
    double sum[CHANNELS_MAX], product[CHANNELS_MAX];
    run_norm(t, args, dst, sum, product);
}

static void run_norm_sums(const struct ck *t, const void *args, float *dst)
{
    const struct halving *h = args;
    double sum[CHANNELS_MAX], product[CHANNELS_MAX];
    float *ignored = (float *)(uintptr_t)h->norm.dst;
    run_norm(t, h, ignored, sum, product);
    give_sums(dst, h->norm.channels, sum, product);
}

static struct halving make_norm(struct ck *t, const size_t size[2], enum ck_fill fill, bool add)
{
    const size_t channels = size[1], steps[3] = { channels + ck_below(t, 9),
                                                  channels + ck_below(t, 9),
                                                  channels + ck_below(t, 9) };
    const size_t dst_step = channels + ck_below(t, 9);
    return (struct halving){
        .norm = { .grad = ck_numbers(t, size[0] * steps[0], CK_UNIT), .grad_step = steps[0],
                  .active = ck_numbers(t, size[0] * steps[1], fill), .active_step = steps[1],
                  .src = ck_numbers(t, size[0] * steps[2], fill == CK_NAN ? CK_UNIT : fill),
                  .src_step = steps[2], .dst_step = dst_step, .count = size[0],
                  .channels = channels, .factor = ck_f32(t, channels, CK_UNIT), .add = add,
                  .dst = ck_aligned(t, size[0] * dst_step) },
        .before = ck_f32(t, size[0] * channels, CK_UNIT)
    };
}

static void check_norm_size(struct ck *t, const size_t size[2], enum ck_fill fill, bool add)
{
    const struct halving h = make_norm(t, size, fill, add);
    const struct cxn_norm_relu_grad *n = &h.norm;
    const size_t channels = size[1], count = size[0] * channels;
    double *want = ck_f64(t, count), *magnitude = ck_f64(t, count);
    double *sums = ck_f64(t, 2 * channels), *sizes_of_sums = ck_f64(t, 2 * channels);
    for (size_t i = 0; i < 2 * channels; i++) sums[i] = sizes_of_sums[i] = i < channels ? 1.0 : 2.0;
    for (size_t i = 0; i < count; i++) {
        const size_t p = i / channels, o = i % channels;
        const bool passes = ck_number(t, n->active, p * n->active_step + o) > 0.0;
        const double dz = passes ? ck_number(t, n->grad, p * n->grad_step + o) : 0.0;
        const double product = dz * ck_number(t, n->src, p * n->src_step + o);
        want[i] = dz * (double)n->factor[o] + (add ? (double)h.before[i] : 0.0);
        magnitude[i] = fabs(dz * (double)n->factor[o]) + (add ? fabs((double)h.before[i]) : 0.0);
        sums[o] += dz;
        sizes_of_sums[o] += fabs(dz);
        sums[channels + o] += product;
        sizes_of_sums[channels + o] += fabs(product);
    }
    const struct ck_case c = { .run = run_norm_dst, .args = &h, .count = size[0],
                               .step = n->dst_step, .width = channels, .want = want,
                               .magnitude = magnitude, .terms = 2 };
    ck_verify(t, &c, "count=%zu channels=%zu add=%d fill=%d", size[0], channels, (int)add,
              (int)fill);
    verify_sums(t, run_norm_sums, &h, size, sums, sizes_of_sums);
    ck_reset(t);
}

static void check_norm(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        check_norm_size(t, sizes[k / CK_FILLS], k % CK_FILLS, false);
        check_norm_size(t, sizes[k / CK_FILLS], k % CK_FILLS, true);
    }
}

static void bench_norm(struct ck *t)
{
    const struct halving h = make_norm(t, (const size_t[]){ 56, 128 }, CK_UNIT, false);
    ck_time(t, run_norm_dst, &h, ck_aligned(t, 56 * h.norm.dst_step), 0.0,
            56.0 * 128.0 * 4 * sizeof(float), "56 places x 128");
    ck_reset(t);
}

/* ---- norm_center -------------------------------------------------------------------------- */

static void run_center(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_center_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_center n = *(const struct cxn_norm_center *)args;
    n.dst = dst;
    row->run(&n);
}

static struct cxn_norm_center make_center(struct ck *t, const size_t size[2], enum ck_fill fill)
{
    const size_t channels = size[1], steps[2] = { channels + ck_below(t, 9),
                                                  channels + ck_below(t, 9) };
    return (struct cxn_norm_center){
        .grad = ck_numbers(t, size[0] * steps[0], fill), .grad_step = steps[0],
        .src = ck_numbers(t, size[0] * steps[1], CK_UNIT), .src_step = steps[1],
        .dst_step = channels + ck_below(t, 5), .count = size[0], .channels = channels,
        .mean = ck_f32(t, channels, CK_UNIT), .slope = ck_f32(t, channels, CK_UNIT),
        .offset = ck_f32(t, channels, CK_UNIT)
    };
}

static void check_center(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t *size = sizes[k / CK_FILLS], count = size[0] * size[1];
        const struct cxn_norm_center n = make_center(t, size, k % CK_FILLS);
        double *want = ck_f64(t, count), *magnitude = ck_f64(t, count);
        for (size_t i = 0; i < count; i++) {
            const size_t p = i / size[1], o = i % size[1];
            const double grad = ck_number(t, n.grad, p * n.grad_step + o);
            const double src = ck_number(t, n.src, p * n.src_step + o), mean = (double)n.mean[o];
            const double slope = (double)n.slope[o], offset = (double)n.offset[o];
            want[i] = grad + (src - mean) * slope + offset;
            magnitude[i] = fabs(grad) + (fabs(src) + fabs(mean)) * fabs(slope) + fabs(offset);
        }
        const struct ck_case c = { .run = run_center, .args = &n, .count = size[0],
                                   .step = n.dst_step, .width = size[1], .want = want,
                                   .magnitude = magnitude, .terms = 4 };
        ck_verify(t, &c, "count=%zu channels=%zu", size[0], size[1]);
        ck_reset(t);
    }
}

static void bench_center(struct ck *t)
{
    const struct cxn_norm_center n = make_center(t, (const size_t[]){ 56, 128 }, CK_UNIT);
    ck_time(t, run_center, &n, ck_aligned(t, 56 * n.dst_step), 0.0,
            56.0 * 128.0 * 3 * sizeof(float), "56 places x 128");
    ck_reset(t);
}

/* ---- max_pool_grad_row -------------------------------------------------------------------- */

struct pooling {
    struct cxn_max_pool_grad_row pool;
    size_t row; /* numbers of a row of src and dst */
};

/* dst holds three rows of ones, to which the gradient is added. */
static void run_max(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_max_pool_grad_row_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct pooling *p = args;
    struct cxn_max_pool_grad_row pool = p->pool;
    for (size_t i = 0; i < 3 * p->row; i++) dst[i] = 1.0f;
    for (size_t i = 0; i < 3; i++) pool.dst[i] = dst + i * p->row;
    row->run(&pool);
}

/* Few different numbers, so that many a window has its largest more than once. */
static struct pooling make_max(struct ck *t, const size_t size[2])
{
    const size_t row = (2 * size[0] + 1) * size[1], channels = size[1];
    const size_t step = channels + ck_below(t, 9), grad_step = channels + ck_below(t, 9);
    float *rows = ck_aligned(t, 3 * row), *largest = ck_aligned(t, size[0] * step);
    for (size_t i = 0; i < 3 * row; i++) rows[i] = (float)ck_below(t, 6) / 8.0f;
    for (size_t i = 0; i < size[0] * channels; i++) {
        float *most = &largest[i / channels * step + i % channels];
        for (size_t tap = 0; tap < 9; tap++)
            *most = fmaxf(*most, rows[tap / 3 * row + (i / channels * 2 + tap % 3) * channels +
                                      i % channels]);
    }
    return (struct pooling){
        .pool = { .src = { rows, rows + row, rows + 2 * row }, .largest = largest,
                  .largest_step = step, .grad = ck_f32(t, size[0] * grad_step, CK_UNIT),
                  .grad_step = grad_step, .count = size[0], .channels = channels },
        .row = row
    };
}

static void check_max(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes); k++) {
        const struct pooling p = make_max(t, sizes[k]);
        const struct cxn_max_pool_grad_row *pool = &p.pool;
        double *want = ck_f64(t, 3 * p.row), *magnitude = ck_f64(t, 3 * p.row);
        for (size_t i = 0; i < 3 * p.row; i++) want[i] = magnitude[i] = 1.0;
        for (size_t i = 0; i < pool->count * pool->channels; i++) {
            const size_t x = i / pool->channels, o = i % pool->channels;
            const double grad = ck_number(t, pool->grad, x * pool->grad_step + o);
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + o;
                if (ck_number(t, pool->src[tap / 3], at) !=
                    ck_number(t, pool->largest, x * pool->largest_step + o)) continue;
                want[tap / 3 * p.row + at] += grad;
                magnitude[tap / 3 * p.row + at] += fabs(grad);
                break;
            }
        }
        const struct ck_case c = { .run = run_max, .args = &p, .count = 3 * p.row, .step = 1,
                                   .width = 1, .want = want, .magnitude = magnitude, .terms = 9 };
        ck_verify(t, &c, "count=%zu channels=%zu", pool->count, pool->channels);
        ck_reset(t);
    }
}

static void bench_max(struct ck *t)
{
    const struct pooling p = make_max(t, (const size_t[]){ 56, 64 });
    ck_time(t, run_max, &p, ck_aligned(t, 3 * p.row), 0.0, 56.0 * 64.0 * 14 * sizeof(float),
            "56 windows x 64");
    ck_reset(t);
}

const struct ck_check ck_wgrad = { &cxn_wgrad_f32_op, check_wgrad, bench_wgrad };
const struct ck_check ck_channel_sums = { &cxn_channel_sums_f32_op, check_sums, bench_sums };
const struct ck_check ck_norm_relu_grad = { &cxn_norm_relu_grad_f32_op, check_norm, bench_norm };
const struct ck_check ck_norm_center = { &cxn_norm_center_f32_op, check_center, bench_center };
const struct ck_check ck_max_pool_grad_row = { &cxn_max_pool_grad_row_f32_op, check_max,
                                               bench_max };
