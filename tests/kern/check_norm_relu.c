/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ck.h"
#include "kern/norm_relu_bf16.h"
#include "kern/norm_relu_bf16_f32.h"
#include "kern/norm_relu_f32.h"

static void run(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_relu_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu norm = *(const struct cxn_norm_relu *)args;
    norm.dst = dst;
    row->run(&norm);
}

/* In place: dst gets a copy of src and is read and written, with the same step. */
static void run_in_place(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_relu_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu norm = *(const struct cxn_norm_relu *)args;
    for (size_t i = 0; i < norm.count * norm.channels; i++) {
        const size_t place = i / norm.channels, channel = i % norm.channels;
        const size_t to = place * norm.dst_step + channel, from = place * norm.src_step + channel;
        if (ck_is_bf16(t)) ((uint16_t *)(void *)dst)[to] = ((const uint16_t *)norm.src)[from];
        else dst[to] = ((const float *)norm.src)[from];
    }
    norm.src = norm.dst = dst;
    norm.src_step = norm.dst_step;
    row->run(&norm);
}

static struct cxn_norm_relu make(struct ck *t, size_t count, size_t channels,
                                     enum ck_fill fill)
{
    const size_t src_step = channels + ck_below(t, 40);
    return (struct cxn_norm_relu){
        .src = ck_numbers(t, (count - 1) * src_step + channels, fill), .src_step = src_step,
        .dst_step = channels + ck_below(t, 3), .count = count, .channels = channels,
        .scale = ck_f32(t, channels, CK_UNIT), .shift = ck_f32(t, channels, CK_UNIT)
    };
}

static void check_size(struct ck *t, size_t count, size_t channels, enum ck_fill fill)
{
    const struct cxn_norm_relu norm = make(t, count, channels, fill);
    double *want = ck_f64(t, count * channels), *magnitude = ck_f64(t, count * channels);
    for (size_t i = 0; i < count * channels; i++) {
        const size_t o = i % channels;
        const double product =
            ck_number(t, norm.src, i / channels * norm.src_step + o) * (double)norm.scale[o];
        want[i] = ck_max(0.0, product + (double)norm.shift[o]);
        magnitude[i] = fabs(product) + fabs((double)norm.shift[o]);
    }
    struct ck_case c = { .run = run, .args = &norm, .count = count, .step = norm.dst_step,
                         .width = channels, .want = want, .magnitude = magnitude, .terms = 2,
                         .bf16 = ck_gives_bf16(t) };
    ck_verify(t, &c, "count=%zu channels=%zu fill=%d", count, channels, (int)fill);
    c.run = run_in_place;
    if (ck_is_bf16(t) == ck_gives_bf16(t))
        ck_verify(t, &c, "count=%zu channels=%zu fill=%d in place", count, channels, (int)fill);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const size_t sizes[][2] = { { 9, 1 }, { 3, 7 }, { 1, 64 }, { 49, 33 }, { 65, 128 } };
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++)
            check_size(t, sizes[i][0], sizes[i][1], fill);
}

static void bench(struct ck *t)
{
    static const size_t sizes[][2] = { { 12544, 64 }, { 3136, 128 }, { 784, 480 }, { 49, 992 } };
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++) {
        const struct cxn_norm_relu norm = make(t, sizes[i][0], sizes[i][1], CK_UNIT);
        float *dst = ck_aligned(t, norm.count * norm.dst_step);
        const size_t each = (ck_is_bf16(t) ? 2u : 4u) + (ck_gives_bf16(t) ? 2u : 4u);
        ck_time(t, run, &norm, dst, 0.0, (double)(norm.count * norm.channels * each),
                "%zu places x %zu", norm.count, norm.channels);
        ck_reset(t);
    }
}

const struct ck_check ck_norm_relu = { &cxn_norm_relu_f32_op, check, bench };
const struct ck_check ck_norm_relu_bf16 = { &cxn_norm_relu_bf16_op, check, bench };
const struct ck_check ck_norm_relu_bf16_f32 = { &cxn_norm_relu_bf16_f32_op, check, bench };
