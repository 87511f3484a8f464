/* SPDX-License-Identifier: Apache-2.0 */
/* norm_relu_grad_bf16, norm_center_bf16, channel_sums_bf16 and max_pool_grad_row_bf16. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/bf16.h"
#include "kern/channel_sums_bf16.h"
#include "kern/max_pool_grad_row_bf16.h"
#include "kern/norm_relu_grad_bf16.h"

static const size_t sizes[][2] = { { 9, 1 }, { 3, 7 }, { 1, 64 }, { 49, 33 }, { 65, 128 },
                                   { 20, 31 } };

/* Sums are compared as float32, one rounding more. */
static void give_sums(float *dst, const double *sum, const double *product, size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        dst[i] = (float)sum[i];
        dst[channels + i] = (float)product[i];
    }
}

/* ---- norm_relu_grad ----------------------------------------------------------------------- */

struct grad {
    struct cxn_norm_relu_grad args;
    float *before, *scratch; /* what dst holds, dense; a dst with its gaps */
};

static void run_grad(const struct ck *t, const struct grad *g, float *dst)
{
    const struct cxn_norm_relu_grad_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu_grad norm = g->args;
    memset(norm.sum, 0, norm.channels * sizeof *norm.sum);
    memset(norm.product, 0, norm.channels * sizeof *norm.product);
    norm.dst = dst;
    for (size_t p = 0; norm.add && p < norm.count; p++)
        memcpy(dst + p * norm.dst_step, g->before + p * norm.channels,
               norm.channels * sizeof *dst);
    row->run(&norm);
}

static void run_grad_dst(const struct ck *t, const void *args, float *dst)
{
    run_grad(t, args, dst);
}

static void run_grad_sums(const struct ck *t, const void *args, float *dst)
{
    const struct grad *g = args;
    run_grad(t, g, g->scratch);
    give_sums(dst, g->args.sum, g->args.product, g->args.channels);
}

static struct grad make_grad(struct ck *t, size_t count, size_t channels, enum ck_fill fill,
                             bool add)
{
    const size_t step = channels + ck_below(t, 40), active_step = channels + ck_below(t, 3);
    const size_t grad_step = ck_below(t, 4) > 0 ? channels + ck_below(t, 3) : 0;
    struct grad g = {
        .args = { .grad = ck_numbers(t, (count - 1) * grad_step + channels, fill),
                  .active = ck_numbers(t, (count - 1) * active_step + channels, fill),
                  .src = ck_numbers(t, (count - 1) * step + channels, fill),
                  .grad_step = grad_step, .active_step = active_step, .src_step = step,
                  .dst_step = channels + ck_below(t, 9), .count = count, .channels = channels,
                  .factor = ck_f32(t, channels, CK_UNIT), .sum = ck_f64(t, channels),
                  .product = ck_f64(t, channels), .add = add },
        .before = ck_f32(t, count * channels, CK_UNIT)
    };
    g.scratch = ck_f32(t, count * g.args.dst_step, CK_UNIT);
    return g;
}

static void check_grad_of(struct ck *t, size_t count, size_t channels, enum ck_fill fill, bool add)
{
    const struct grad g = make_grad(t, count, channels, fill, add);
    const struct cxn_norm_relu_grad *n = &g.args;
    double *want = ck_f64(t, count * channels), *magnitude = ck_f64(t, count * channels);
    double *sums = ck_f64(t, 2 * channels), *sums_magnitude = ck_f64(t, 2 * channels);
    for (size_t k = 0; k < count * channels; k++) {
        const size_t p = k / channels, i = k % channels;
        const double src = ck_number(t, n->src, p * n->src_step + i);
        const double dz = ck_number(t, n->active, p * n->active_step + i) > 0.0 ?
                          ck_number(t, n->grad, p * n->grad_step + i) : 0.0;
        const double before = add ? (double)g.before[k] : 0.0;
        want[k] = before + dz * (double)n->factor[i];
        magnitude[k] = fabs(before) + fabs(dz * (double)n->factor[i]);
        sums[i] += dz;
        sums[channels + i] += dz * src;
        sums_magnitude[i] += fabs(dz);
        sums_magnitude[channels + i] += fabs(dz * src);
    }
    struct ck_case c = { .run = run_grad_dst, .args = &g, .count = count, .step = n->dst_step,
                         .width = channels, .want = want, .magnitude = magnitude, .terms = 2 };
    ck_verify(t, &c, "count=%zu channels=%zu add=%d fill=%d", count, channels, add, (int)fill);
    c = (struct ck_case){ .run = run_grad_sums, .args = &g, .count = 2, .step = channels,
                          .width = channels, .want = sums, .magnitude = sums_magnitude,
                          .terms = 2 + count };
    ck_verify(t, &c, "count=%zu channels=%zu add=%d fill=%d sums", count, channels, add,
              (int)fill);
    ck_reset(t);
}

static void check_grad(struct ck *t)
{
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++)
        for (int k = 0; k < 2 * CK_FILLS; k++)
            check_grad_of(t, sizes[i][0], sizes[i][1], (enum ck_fill)(k / 2), k % 2 > 0);
}

/* ---- norm_center -------------------------------------------------------------------------- */

static void run_center(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_center_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_center norm = *(const struct cxn_norm_center *)args;
    norm.dst = dst;
    row->run(&norm);
}

static struct cxn_norm_center make_center(struct ck *t, size_t count, size_t channels,
                                          enum ck_fill fill)
{
    const size_t step = channels + ck_below(t, 40), grad_step = channels + ck_below(t, 40);
    return (struct cxn_norm_center){
        .grad = ck_f32(t, (count - 1) * grad_step + channels, fill),
        .src = ck_numbers(t, (count - 1) * step + channels, fill), .grad_step = grad_step,
        .src_step = step, .dst_step = channels + ck_below(t, 9), .count = count,
        .channels = channels, .mean = ck_f32(t, channels, CK_UNIT),
        .slope = ck_f32(t, channels, CK_UNIT), .offset = ck_f32(t, channels, CK_UNIT)
    };
}

static void check_center(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t count = sizes[k / CK_FILLS][0], channels = sizes[k / CK_FILLS][1];
        const struct cxn_norm_center n = make_center(t, count, channels, k % CK_FILLS);
        double *want = ck_f64(t, count * channels), *magnitude = ck_f64(t, count * channels);
        for (size_t j = 0; j < count * channels; j++) {
            const size_t p = j / channels, i = j % channels;
            const double src = ck_number(t, n.src, p * n.src_step + i), mean = (double)n.mean[i];
            const double grad = (double)((const float *)n.grad)[p * n.grad_step + i];
            const double slope = (double)n.slope[i], offset = (double)n.offset[i];
            want[j] = grad + (src - mean) * slope + offset;
            magnitude[j] = fabs(grad) + (fabs(src) + fabs(mean)) * fabs(slope) + fabs(offset);
        }
        const struct ck_case c = { .run = run_center, .args = &n, .count = count,
                                   .step = n.dst_step, .width = channels, .want = want,
                                   .magnitude = magnitude, .terms = 4, .bf16 = true };
        ck_verify(t, &c, "count=%zu channels=%zu fill=%d", count, channels, (int)(k % CK_FILLS));
        ck_reset(t);
    }
}

/* ---- channel_sums ------------------------------------------------------------------------- */

static void run_sums(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_channel_sums_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct cxn_channel_sums *s = args;
    memset(s->sum, 0, s->channels * sizeof *s->sum);
    memset(s->square, 0, s->channels * sizeof *s->square);
    row->run(s);
    give_sums(dst, s->sum, s->square, s->channels);
}

static struct cxn_channel_sums make_sums(struct ck *t, size_t count, size_t channels,
                                         enum ck_fill fill)
{
    const size_t step = channels + ck_below(t, 40);
    return (struct cxn_channel_sums){
        .src = ck_numbers(t, (count - 1) * step + channels, fill), .step = step, .count = count,
        .channels = channels, .sum = ck_f64(t, channels), .square = ck_f64(t, channels)
    };
}

static void check_sums(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t count = sizes[k / CK_FILLS][0], channels = sizes[k / CK_FILLS][1];
        const struct cxn_channel_sums s = make_sums(t, count, channels, k % CK_FILLS);
        double *want = ck_f64(t, 2 * channels), *magnitude = ck_f64(t, 2 * channels);
        for (size_t j = 0; j < count * channels; j++) {
            const double src = ck_number(t, s.src, j / channels * s.step + j % channels);
            want[j % channels] += src;
            want[channels + j % channels] += src * src;
            magnitude[j % channels] += fabs(src);
            magnitude[channels + j % channels] += src * src;
        }
        const struct ck_case c = { .run = run_sums, .args = &s, .count = 2, .step = channels,
                                   .width = channels, .want = want, .magnitude = magnitude,
                                   .terms = 2 + count };
        ck_verify(t, &c, "count=%zu channels=%zu fill=%d", count, channels, (int)(k % CK_FILLS));
        ck_reset(t);
    }
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
    uint16_t *to = (uint16_t *)(void *)dst;
    for (size_t i = 0; i < 3 * p->row; i++) to[i] = cxn_bf16_round(1.0f);
    for (size_t i = 0; i < 3; i++) pool.dst[i] = to + i * p->row;
    row->run(&pool);
}

static uint16_t *make_numbers(struct ck *t, size_t count)
{
    return (uint16_t *)(void *)ck_aligned(t, (count + 1) / 2);
}

/* Few different numbers, so that many a window has its largest more than once; gradients are
 * sixteenths, whose sums are exact. */
static struct pooling make_max(struct ck *t, const size_t size[2])
{
    const size_t row = (2 * size[0] + 1) * size[1], channels = size[1];
    const size_t step = channels + ck_below(t, 9), grad_step = channels + ck_below(t, 9);
    uint16_t *rows = make_numbers(t, 3 * row), *grad = make_numbers(t, size[0] * grad_step);
    uint16_t *largest = make_numbers(t, size[0] * step);
    for (size_t i = 0; i < 3 * row; i++) rows[i] = cxn_bf16_round((float)ck_below(t, 6) / 8.0f);
    for (size_t i = 0; i < size[0] * grad_step; i++)
        grad[i] = cxn_bf16_round((float)ck_below(t, 33) / 16.0f - 1.0f);
    for (size_t i = 0; i < size[0] * channels; i++) {
        uint16_t *most = &largest[i / channels * step + i % channels];
        for (size_t tap = 0; tap < 9; tap++) {
            const uint16_t src = rows[tap / 3 * row + (i / channels * 2 + tap % 3) * channels +
                                      i % channels];
            if (cxn_bf16_value(src) > cxn_bf16_value(*most)) *most = src;
        }
    }
    return (struct pooling){
        .pool = { .src = { rows, rows + row, rows + 2 * row }, .largest = largest,
                  .largest_step = step, .grad = grad, .grad_step = grad_step, .count = size[0],
                  .channels = channels },
        .row = row
    };
}

static void check_max(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes); k++) {
        const struct pooling p = make_max(t, sizes[k]);
        const struct cxn_max_pool_grad_row *pool = &p.pool;
        double *want = ck_f64(t, 3 * p.row);
        for (size_t i = 0; i < 3 * p.row; i++) want[i] = 1.0;
        for (size_t i = 0; i < pool->count * pool->channels; i++) {
            const size_t x = i / pool->channels, o = i % pool->channels;
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + o;
                if (ck_number(t, pool->src[tap / 3], at) !=
                    ck_number(t, pool->largest, x * pool->largest_step + o)) continue;
                want[tap / 3 * p.row + at] += ck_number(t, pool->grad, x * pool->grad_step + o);
                break;
            }
        }
        const struct ck_case c = { .run = run_max, .args = &p, .count = 3, .step = p.row,
                                   .width = p.row, .want = want, .bf16 = true };
        ck_verify(t, &c, "count=%zu channels=%zu", pool->count, pool->channels);
        ck_reset(t);
    }
}

static void bench_max(struct ck *t)
{
    const struct pooling p = make_max(t, (const size_t[]){ 56, 64 });
    ck_time(t, run_max, &p, ck_aligned(t, 3 * p.row), 0.0, 56.0 * 64.0 * 14 * sizeof(uint16_t),
            "56 windows x 64");
    ck_reset(t);
}

/* ---- measuring: the bottleneck of the first block, and a panel of each ---------------------- */

static const size_t bench_sizes[][2] = { { 448, 128 }, { 448, 224 }, { 224, 480 }, { 196, 992 } };

static void bench_grad(struct ck *t)
{
    for (size_t i = 0; i < CXN_COUNTOF(bench_sizes); i++) {
        const size_t count = bench_sizes[i][0], channels = bench_sizes[i][1];
        const struct grad g = make_grad(t, count, channels, CK_UNIT, true);
        ck_time(t, run_grad_sums, &g, ck_aligned(t, 2 * channels), 0.0,
                (double)(count * channels) * 14, "%zu places x %zu", count, channels);
        ck_reset(t);
    }
}

static void bench_center(struct ck *t)
{
    const struct cxn_norm_center n = make_center(t, 448, 32, CK_UNIT);
    ck_time(t, run_center, &n, ck_aligned(t, n.count * n.dst_step), 0.0,
            (double)(n.count * n.channels) * 8, "%zu places x %zu", n.count, n.channels);
    ck_reset(t);
}

static void bench_sums(struct ck *t)
{
    for (size_t channels = 32; channels <= 128; channels += 96) {
        const struct cxn_channel_sums s = make_sums(t, 448, channels, CK_UNIT);
        ck_time(t, run_sums, &s, ck_aligned(t, 2 * channels), 0.0,
                (double)(s.count * s.channels) * 2, "%zu places x %zu", s.count, s.channels);
        ck_reset(t);
    }
}

const struct ck_check ck_norm_relu_grad_bf16 = { &cxn_norm_relu_grad_bf16_op, check_grad,
                                                 bench_grad };
const struct ck_check ck_norm_center_bf16 = { &cxn_norm_center_bf16_op, check_center,
                                              bench_center };
const struct ck_check ck_channel_sums_bf16 = { &cxn_channel_sums_bf16_op, check_sums,
                                               bench_sums };
const struct ck_check ck_max_pool_grad_row_bf16 = { &cxn_max_pool_grad_row_bf16_op, check_max,
                                                    bench_max };
