/* SPDX-License-Identifier: Apache-2.0 */
/* samples_f32, max_pool_row_f32, norm_relu_pool_f32 and its like, and round_bf16. */
#include <math.h>

#include "ck.h"
#include "kern/max_pool_row_bf16.h"
#include "kern/max_pool_row_f32.h"
#include "kern/max_pool_row_u8.h"
#include "kern/norm_relu_pool_bf16.h"
#include "kern/norm_relu_pool_bf16_f32.h"
#include "kern/norm_relu_pool_f32.h"
#include "kern/round_bf16.h"
#include "kern/samples_bf16.h"
#include "kern/samples_f32.h"
#include "kern/samples_u8.h"

static void run_samples(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_samples_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_samples samples = *(const struct cxn_samples *)args;
    samples.dst = dst;
    row->run(&samples);
}

static void run_max(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_max_pool_row_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_max_pool_row pool = *(const struct cxn_max_pool_row *)args;
    pool.dst = dst;
    row->run(&pool);
}

static void run_norm(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_relu_pool_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu_pool pool = *(const struct cxn_norm_relu_pool *)args;
    pool.dst = dst;
    row->run(&pool);
}

static struct cxn_samples make_samples(struct ck *t, const size_t shape[3], size_t taken,
                                       size_t copies, bool mirror)
{
    const size_t stride = shape[1] * shape[2] + ck_below(t, 70);
    return (struct cxn_samples){
        .src = ck_u8(t, (shape[0] - 1) * stride + shape[1] * shape[2]), .stride_bytes = stride,
        .height = shape[0], .width = shape[1], .channels = shape[2], .mirror = mirror,
        .taken = taken, .copies = copies,
        .dst_row_step = shape[1] * (taken + 1) * copies + ck_below(t, 9)
    };
}

static void check_samples_of(struct ck *t, const size_t shape[3], size_t taken, size_t copies,
                             bool mirror)
{
    const struct cxn_samples s = make_samples(t, shape, taken, copies, mirror);
    const size_t each = taken + 1, row = s.width * copies * each;
    double *want = ck_f64(t, s.height * row);
    for (size_t i = 0; i < s.height * row; i++) {
        const size_t x = i % row / each / copies, column = mirror ? s.width - 1 - x : x;
        want[i] = i % each == taken ? (ck_is_bytes(t) ? 255.0 : 1.0) :
                  s.src[i / row * s.stride_bytes + column * s.channels + i % each];
    }
    const struct ck_case c = { .run = run_samples, .args = &s, .count = s.height,
                               .step = s.dst_row_step, .width = row, .want = want,
                               .bf16 = ck_is_bf16(t),
                               .output = ck_is_bytes(t) ? CK_BYTES : CK_FLOATS };
    ck_verify(t, &c, "h=%zu w=%zu channels=%zu taken=%zu copies=%zu mirror=%d", s.height, s.width,
              s.channels, taken, copies, mirror);
    ck_reset(t);
}

static void check_samples(struct ck *t)
{
    static const size_t shapes[][3] = {
        { 1, 1, 1 }, { 3, 7, 1 }, { 3, 7, 3 }, { 32, 33, 1 }, { 5, 65, 3 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (size_t k = 0; k < 4; k++) { /* copies, mirror */
            check_samples_of(t, shapes[i], shapes[i][2], 1 + k / 2, k % 2 > 0);
            check_samples_of(t, shapes[i], 1, 1 + k / 2, k % 2 > 0);
        }
}

static void bench_samples(struct ck *t)
{
    for (int mirror = 0; mirror < 2; mirror++) {
        const struct cxn_samples s =
            make_samples(t, (const size_t[]){ 224, 224, 1 }, 1, ck_is_bf16(t) ? 2 : 1, mirror);
        ck_time(t, run_samples, &s, ck_aligned(t, 224 * s.dst_row_step), 0.0, 224.0 * 224.0 * 9,
                "224x224x1 mirror=%d", mirror);
        ck_reset(t);
    }
}

static const size_t sizes[][2] = { { 1, 1 }, { 3, 7 }, { 2, 64 }, { 5, 33 }, { 9, 24 } };

/* What the row reads: where it is bfloat16, no number less than 0. */
static const void *make_max_row(struct ck *t, size_t count, enum ck_fill fill)
{
    uint16_t *numbers = (uint16_t *)(uintptr_t)ck_numbers(t, count, fill);
    for (size_t i = 0; ck_is_bf16(t) && i < count; i++)
        if (ck_number(t, numbers, i) < 0.0) numbers[i] &= 0x7fff;
    return numbers;
}

static struct cxn_max_pool_row make_max(struct ck *t, const size_t size[2], enum ck_fill fill)
{
    const size_t row = (2 * size[0] + 1) * size[1];
    return (struct cxn_max_pool_row){
        .src = { make_max_row(t, row, fill), make_max_row(t, row, fill),
                 make_max_row(t, row, fill) },
        .count = size[0], .channels = size[1], .dst_step = size[1] + ck_below(t, 4)
    };
}

static void check_max(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const struct cxn_max_pool_row p =
            make_max(t, sizes[k / CK_FILLS], k % CK_FILLS);
        double *want = ck_f64(t, p.count * p.channels);
        for (size_t i = 0; i < p.count * p.channels; i++) {
            const size_t at = i / p.channels * 2 * p.channels + i % p.channels;
            want[i] = -INFINITY;
            for (size_t tap = 0; tap < 9; tap++)
                want[i] = ck_max(want[i], ck_number(t, p.src[tap / 3], at + tap % 3 * p.channels));
        }
        const struct ck_case c = { .run = run_max, .args = &p, .count = p.count,
                                   .step = p.dst_step, .width = p.channels, .want = want,
                                   .bf16 = ck_is_bf16(t),
                                   .output = ck_is_bytes(t) ? CK_BYTES : CK_FLOATS };
        ck_verify(t, &c, "count=%zu channels=%zu", p.count, p.channels);
        ck_reset(t);
    }
}

static void bench_max(struct ck *t)
{
    const struct cxn_max_pool_row p = make_max(t, (const size_t[]){ 56, 64 }, CK_UNIT);
    ck_time(t, run_max, &p, ck_aligned(t, p.count * p.dst_step), 0.0,
            56.0 * 64.0 * 7 * sizeof(float), "56 windows x 64");
    ck_reset(t);
}

static struct cxn_norm_relu_pool make_norm(struct ck *t, const size_t size[2],
                                               enum ck_fill fill)
{
    const size_t step = size[1] + ck_below(t, 40), row = 2 * size[0] * step;
    return (struct cxn_norm_relu_pool){
        .src = ck_numbers(t, 2 * row, fill), .src_step = step, .src_row_step = row,
        .dst_step = size[1] + ck_below(t, 3), .count = size[0], .channels = size[1],
        .scale = ck_f32(t, size[1], CK_UNIT), .shift = ck_f32(t, size[1], CK_UNIT)
    };
}

static void check_norm(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const struct cxn_norm_relu_pool p =
            make_norm(t, sizes[k / CK_FILLS], k % CK_FILLS);
        double *want = ck_f64(t, p.count * p.channels);
        double *magnitude = ck_f64(t, p.count * p.channels);
        for (size_t i = 0; i < p.count * p.channels; i++) {
            const size_t x = i / p.channels, o = i % p.channels;
            for (size_t tap = 0; tap < 4; tap++) {
                const size_t at = tap / 2 * p.src_row_step + (2 * x + tap % 2) * p.src_step + o;
                const double product = ck_number(t, p.src, at) * (double)p.scale[o];
                want[i] += ck_max(0.0, product + (double)p.shift[o]) / 4;
                magnitude[i] += (fabs(product) + fabs((double)p.shift[o])) / 4;
            }
        }
        const struct ck_case c = { .run = run_norm, .args = &p, .count = p.count,
                                   .step = p.dst_step, .width = p.channels, .want = want,
                                   .magnitude = magnitude, .terms = 6,
                                   .bf16 = ck_gives_bf16(t) };
        ck_verify(t, &c, "count=%zu channels=%zu", p.count, p.channels);
        ck_reset(t);
    }
}

static void bench_norm(struct ck *t)
{
    const struct cxn_norm_relu_pool p = make_norm(t, (const size_t[]){ 14, 512 }, CK_UNIT);
    ck_time(t, run_norm, &p, ck_aligned(t, p.count * p.dst_step), 0.0,
            14.0 * 512.0 * 5 * sizeof(float), "14 windows x 512");
    ck_reset(t);
}

/* ---- round_bf16 --------------------------------------------------------------------------- */

static void run_round(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_round_bf16_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_round_bf16 round = *(const struct cxn_round_bf16 *)args;
    round.dst = (uint16_t *)(void *)dst;
    row->run(&round);
}

static struct cxn_round_bf16 make_round(struct ck *t, size_t count, size_t channels,
                                        enum ck_fill fill)
{
    const size_t src_step = channels + ck_below(t, 9);
    return (struct cxn_round_bf16){ .src = ck_f32(t, (count - 1) * src_step + channels, fill),
                                    .src_step = src_step, .dst_step = channels + ck_below(t, 40),
                                    .count = count, .channels = channels };
}

/* The nearest of 8 bits, of two as near the even one: what rint() is by default. */
static double nearest_bf16(float value)
{
    int exponent;
    frexp((double)value, &exponent);
    const int last = exponent < -125 ? -133 : exponent - 8; /* of a denormal as of FLT_MIN */
    return ldexp(rint(ldexp((double)value, -last)), last);
}

static void check_round(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t count = sizes[k / CK_FILLS][0], channels = sizes[k / CK_FILLS][1];
        const struct cxn_round_bf16 r = make_round(t, count, channels, k % CK_FILLS);
        double *want = ck_f64(t, count * channels);
        for (size_t i = 0; i < count * channels; i++)
            want[i] = nearest_bf16(r.src[i / channels * r.src_step + i % channels]);
        const struct ck_case c = { .run = run_round, .args = &r, .count = count,
                                   .step = r.dst_step, .width = channels, .want = want,
                                   .bf16 = true };
        ck_verify(t, &c, "count=%zu channels=%zu", count, channels);
        ck_reset(t);
    }
}

static void bench_round(struct ck *t)
{
    const struct cxn_round_bf16 r = make_round(t, 224, 32, CK_UNIT);
    ck_time(t, run_round, &r, ck_aligned(t, r.count * r.dst_step), 0.0, 224.0 * 32.0 * 6,
            "224 places x 32");
    ck_reset(t);
}

const struct ck_check ck_samples = { &cxn_samples_f32_op, check_samples, bench_samples };
const struct ck_check ck_samples_bf16 = { &cxn_samples_bf16_op, check_samples, bench_samples };
const struct ck_check ck_samples_u8 = { &cxn_samples_u8_op, check_samples, bench_samples };
const struct ck_check ck_max_pool_row_u8 = { &cxn_max_pool_row_u8_op, check_max, bench_max };
const struct ck_check ck_max_pool_row = { &cxn_max_pool_row_f32_op, check_max, bench_max };
const struct ck_check ck_max_pool_row_bf16 = { &cxn_max_pool_row_bf16_op, check_max, bench_max };
const struct ck_check ck_norm_relu_pool = { &cxn_norm_relu_pool_f32_op, check_norm, bench_norm };
const struct ck_check ck_norm_relu_pool_bf16 = { &cxn_norm_relu_pool_bf16_op, check_norm,
                                                 bench_norm };
const struct ck_check ck_norm_relu_pool_bf16_f32 = { &cxn_norm_relu_pool_bf16_f32_op, check_norm,
                                                     bench_norm };
const struct ck_check ck_round_bf16 = { &cxn_round_bf16_op, check_round, bench_round };
