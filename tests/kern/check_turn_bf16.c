/* SPDX-License-Identifier: Apache-2.0 */
/* norm_relu_pairs_bf16 and transpose_bf16: maps turned to what wgrad_bf16 reads. */
#include <math.h>

#include "ck.h"
#include "kern/norm_relu_pairs_bf16.h"
#include "kern/transpose_bf16.h"

struct shape {
    size_t height, width, line, channels;
};

static void run_pairs(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_norm_relu_pairs_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_norm_relu_pairs norm = *(const struct cxn_norm_relu_pairs *)args;
    norm.dst = (uint16_t *)(void *)dst;
    row->run(&norm);
}

static struct cxn_norm_relu_pairs make_pairs(struct ck *t, const struct shape *s,
                                             enum ck_fill fill)
{
    const size_t step = s->channels + ck_below(t, 40);
    const size_t row_step = s->width * step + ck_below(t, 9);
    return (struct cxn_norm_relu_pairs){
        .src = ck_numbers(t, (s->height - 1) * row_step + (s->width - 1) * step + s->channels,
                          fill),
        .src_step = step, .src_row_step = row_step, .height = s->height, .width = s->width,
        .channels = s->channels, .line = s->line,
        .dst_block_step = s->height * s->line * CXN_PAIRS_CHANNELS + ck_below(t, 9),
        .scale = ck_f32(t, s->channels, CK_UNIT), .shift = ck_f32(t, s->channels, CK_UNIT)
    };
}

/* want and magnitude of number `at` of a block's run. */
static void define_pairs(const struct ck *t, const struct cxn_norm_relu_pairs *n, size_t block,
                         size_t at, double result[2])
{
    const size_t place = at / 32 * 2 + at % 2, i = block * 16 + at % 32 / 2;
    const size_t y = place / n->line, x = place % n->line;
    result[0] = result[1] = 0.0;
    if (x >= n->width || i >= n->channels) return;
    const double product = ck_number(t, n->src, y * n->src_row_step + x * n->src_step + i) *
                           (double)n->scale[i];
    result[0] = ck_max(0.0, product + (double)n->shift[i]);
    result[1] = fabs(product) + fabs((double)n->shift[i]);
}

static void check_pairs_of(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    const struct cxn_norm_relu_pairs norm = make_pairs(t, s, fill);
    const size_t blocks = (s->channels + 15) / 16, run = s->height * s->line * 16;
    double *want = ck_f64(t, blocks * run), *magnitude = ck_f64(t, blocks * run);
    for (size_t i = 0; i < blocks * run; i++) {
        double result[2];
        define_pairs(t, &norm, i / run, i % run, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run_pairs, .args = &norm, .count = blocks,
                               .step = norm.dst_block_step, .width = run, .want = want,
                               .magnitude = magnitude, .terms = 2, .bf16 = true };
    ck_verify(t, &c, "h=%zu w=%zu line=%zu channels=%zu fill=%d", s->height, s->width, s->line,
              s->channels, (int)fill);
    ck_reset(t);
}

static void check_pairs(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 2, 1 }, { 3, 7, 8, 17 }, { 2, 14, 16, 128 }, { 1, 61, 64, 33 }, { 5, 3, 4, 48 },
        { 1, 32, 32, 64 }, { 2, 9, 14, 31 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_pairs_of(t, &shapes[i], fill);
}

static void bench_pairs(struct ck *t)
{
    static const struct shape shapes[] = {
        { 16, 56, 58, 128 }, { 1, 448, 448, 224 }, { 1, 448, 448, 480 }, { 8, 7, 8, 992 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        struct cxn_norm_relu_pairs norm = make_pairs(t, s, CK_UNIT);
        norm.dst_block_step = s->height * s->line * CXN_PAIRS_CHANNELS;
        ck_time(t, run_pairs, &norm, ck_aligned(t, (s->channels + 15) / 32 * norm.dst_block_step),
                0.0, (double)(s->height * s->width * s->channels * 4), "%zux%zu of %zu, %zu",
                s->height, s->width, s->line, s->channels);
        ck_reset(t);
    }
}

/* ---- transpose ---------------------------------------------------------------------------- */

static void run_transpose(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_transpose_bf16_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_transpose_bf16 transpose = *(const struct cxn_transpose_bf16 *)args;
    transpose.dst = (uint16_t *)(void *)dst;
    row->run(&transpose);
}

static struct cxn_transpose_bf16 make_transpose(struct ck *t, size_t count, size_t channels,
                                                enum ck_fill fill)
{
    const size_t step = channels + ck_below(t, 40);
    return (struct cxn_transpose_bf16){
        .src = ck_numbers(t, (count - 1) * step + channels, fill), .src_step = step,
        .count = count, .channels = channels, .dst_step = count + ck_below(t, 40)
    };
}

static void check_transpose(struct ck *t)
{
    static const size_t sizes[][2] = { { 1, 1 }, { 7, 33 }, { 32, 32 }, { 65, 31 }, { 97, 128 },
                                       { 64, 2 } };
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t count = sizes[k / CK_FILLS][0], channels = sizes[k / CK_FILLS][1];
        const struct cxn_transpose_bf16 turn = make_transpose(t, count, channels, k % CK_FILLS);
        double *want = ck_f64(t, count * channels);
        for (size_t i = 0; i < count * channels; i++)
            want[i] = ck_number(t, turn.src, i % count * turn.src_step + i / count);
        const struct ck_case c = { .run = run_transpose, .args = &turn, .count = channels,
                                   .step = turn.dst_step, .width = count, .want = want,
                                   .bf16 = true };
        ck_verify(t, &c, "count=%zu channels=%zu", count, channels);
        ck_reset(t);
    }
}

static void bench_transpose(struct ck *t)
{
    static const size_t sizes[][2] = { { 960, 32 }, { 448, 128 } };
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++) {
        struct cxn_transpose_bf16 turn = make_transpose(t, sizes[i][0], sizes[i][1], CK_UNIT);
        turn.dst_step = sizes[i][0] + 32;
        ck_time(t, run_transpose, &turn, ck_aligned(t, turn.channels * turn.dst_step / 2), 0.0,
                (double)(turn.count * turn.channels * 4), "%zu places x %zu", turn.count,
                turn.channels);
        ck_reset(t);
    }
}

const struct ck_check ck_norm_relu_pairs_bf16 = { &cxn_norm_relu_pairs_bf16_op, check_pairs,
                                                  bench_pairs };
const struct ck_check ck_transpose_bf16 = { &cxn_transpose_bf16_op, check_transpose,
                                            bench_transpose };
