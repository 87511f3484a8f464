/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_bf16 and transpose_bf16: maps turned to what wgrad_bf16 reads. */
#include "ck.h"
#include "kern/pairs_bf16.h"
#include "kern/transpose_bf16.h"

static const size_t sizes[][2] = { { 1, 1 }, { 7, 33 }, { 32, 32 }, { 65, 31 }, { 97, 128 },
                                   { 64, 2 }, { 5, 17 } };

/* ---- pairs -------------------------------------------------------------------------------- */

static void run_pairs(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_pairs_bf16_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_pairs_bf16 pairs = *(const struct cxn_pairs_bf16 *)args;
    pairs.dst = (uint16_t *)(void *)dst;
    row->run(&pairs);
}

static struct cxn_pairs_bf16 make_pairs(struct ck *t, size_t count, size_t channels,
                                        enum ck_fill fill)
{
    const size_t step = channels + ck_below(t, 40);
    return (struct cxn_pairs_bf16){
        .src = ck_numbers(t, (count - 1) * step + channels, fill), .src_step = step,
        .count = count, .channels = channels,
        .block_step = (count + 1) / 2 * 2 * CXN_PAIRS_CHANNELS + ck_below(t, 40)
    };
}

static void check_pairs(struct ck *t)
{
    for (size_t k = 0; k < CXN_COUNTOF(sizes) * CK_FILLS; k++) {
        const size_t count = sizes[k / CK_FILLS][0], channels = sizes[k / CK_FILLS][1];
        const size_t blocks = (channels + 15) / 16, run = (count + 1) / 2 * 32;
        const struct cxn_pairs_bf16 pairs = make_pairs(t, count, channels, k % CK_FILLS);
        double *want = ck_f64(t, blocks * run);
        for (size_t j = 0; j < blocks * run; j++) {
            const size_t p = j % run / 32 * 2 + j % 2, i = j / run * 16 + j % 32 / 2;
            if (p < count && i < channels)
                want[j] = ck_number(t, pairs.src, p * pairs.src_step + i);
        }
        const struct ck_case c = { .run = run_pairs, .args = &pairs, .count = blocks,
                                   .step = pairs.block_step, .width = run, .want = want,
                                   .bf16 = true };
        ck_verify(t, &c, "count=%zu channels=%zu", count, channels);
        ck_reset(t);
    }
}

static void bench_pairs(struct ck *t)
{
    static const size_t of[][2] = { { 240, 32 }, { 448, 128 } };
    for (size_t i = 0; i < CXN_COUNTOF(of); i++) {
        struct cxn_pairs_bf16 pairs = make_pairs(t, of[i][0], of[i][1], CK_UNIT);
        pairs.block_step = of[i][0] * 16;
        ck_time(t, run_pairs, &pairs, ck_aligned(t, pairs.channels * pairs.count / 2), 0.0,
                (double)(pairs.count * pairs.channels * 4), "%zu places x %zu", pairs.count,
                pairs.channels);
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
    static const size_t of[][2] = { { 960, 32 }, { 448, 128 } };
    for (size_t i = 0; i < CXN_COUNTOF(of); i++) {
        struct cxn_transpose_bf16 turn = make_transpose(t, of[i][0], of[i][1], CK_UNIT);
        turn.dst_step = of[i][0] + 32;
        ck_time(t, run_transpose, &turn, ck_aligned(t, turn.channels * turn.dst_step / 2), 0.0,
                (double)(turn.count * turn.channels * 4), "%zu places x %zu", turn.count,
                turn.channels);
        ck_reset(t);
    }
}

const struct ck_check ck_pairs_bf16 = { &cxn_pairs_bf16_op, check_pairs, bench_pairs };
const struct ck_check ck_transpose_bf16 = { &cxn_transpose_bf16_op, check_transpose,
                                            bench_transpose };
