/* SPDX-License-Identifier: Apache-2.0 */
/* norm_relu_grad_bf16, norm_center_bf16 and channel_sums_bf16. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/channel_sums_bf16.h"
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
