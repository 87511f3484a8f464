/* SPDX-License-Identifier: Apache-2.0 */
/* winograd_data_f32 and winograd_inverse_f32: a line of the matrices of kern/winograd.h times a
 * window times another line, in double. */
#include <math.h>

#include "ck.h"
#include "kern/winograd_data_f32.h"
#include "kern/winograd_inverse_f32.h"

enum { TILE = CXN_WINOGRAD_TILE, WINDOW = CXN_WINOGRAD_WINDOW, POSITIONS = CXN_WINOGRAD_POSITIONS };

#define A1 CXN_WINOGRAD_A
#define B1 CXN_WINOGRAD_B
#define A2 (A1 * A1)
#define B2 (B1 * B1)

static const double data_matrix[WINDOW][WINDOW] = {
    { A2 * B2, 0.0, -A2 - B2, 0.0, 1.0, 0.0 },
    { 0.0, -A1 * B2, -B2, A1, 1.0, 0.0 },
    { 0.0, A1 * B2, -B2, -A1, 1.0, 0.0 },
    { 0.0, -B1 * A2, -A2, B1, 1.0, 0.0 },
    { 0.0, B1 * A2, -A2, -B1, 1.0, 0.0 },
    { 0.0, A2 * B2, 0.0, -A2 - B2, 0.0, 1.0 },
};

static const double inverse_matrix[TILE][WINDOW] = {
    { 1.0, 1.0, 1.0, 1.0, 1.0, 0.0 },
    { 0.0, A1, -A1, B1, -B1, 0.0 },
    { 0.0, A2, A2, B2, B2, 0.0 },
    { 0.0, A1 * A2, -A1 * A2, B1 * B2, -B1 * B2, 1.0 },
};

/* Roundings on the way to a number: up to 6 a line, in either direction. */
enum { ROUNDINGS = 12 };

static void run_data(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_winograd_data_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_winograd_data_f32 data = *(const struct cxn_winograd_data_f32 *)args;
    data.dst = dst;
    row->run(&data);
}

static void run_inverse(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_winograd_inverse_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_winograd_inverse_f32 inverse = *(const struct cxn_winograd_inverse_f32 *)args;
    inverse.dst = dst;
    row->run(&inverse);
}

/* result[0] = left d right^T, where d[y][x] is y * row_step + x * step floats behind src; result[1]
 * its terms' absolute values. */
static void define(const double left[WINDOW], const double right[WINDOW], const float *src,
                   size_t row_step, size_t step, double result[2])
{
    result[0] = result[1] = 0.0;
    for (size_t y = 0; y < WINDOW; y++)
        for (size_t x = 0; x < WINDOW; x++) {
            const double factor = left[y] * right[x];
            if (factor == 0.0) continue; /* not one of its numbers, even if it is not finite */
            const double term = factor * (double)src[y * row_step + x * step];
            result[0] += term;
            result[1] += fabs(term);
        }
}

static struct cxn_winograd_data_f32 make_data(struct ck *t, size_t tiles, size_t channels,
                                              enum ck_fill fill)
{
    const size_t place = channels + ck_below(t, 5);
    const size_t row = (TILE * tiles + 2) * place + ck_below(t, 9);
    return (struct cxn_winograd_data_f32){
        .src = ck_f32(t, (WINDOW - 1) * row + (TILE * tiles + 1) * place + channels, fill),
        .place_step = place, .row_step = row, .tiles = tiles, .channels = channels,
        .tile_step = channels + ck_below(t, 3), .position_step = 0
    };
}

/* Compared as [position * tiles + tile][channel]: positions follow each other without a gap. */
static void check_data_of(struct ck *t, size_t tiles, size_t channels, enum ck_fill fill)
{
    struct cxn_winograd_data_f32 d = make_data(t, tiles, channels, fill);
    d.position_step = tiles * d.tile_step;
    const size_t count = POSITIONS * tiles;
    double *want = ck_f64(t, count * channels), *magnitude = ck_f64(t, count * channels);
    for (size_t i = 0; i < count * channels; i++) {
        const size_t position = i / channels / tiles, tile = i / channels % tiles;
        double result[2];
        define(data_matrix[position / WINDOW], data_matrix[position % WINDOW],
               d.src + TILE * tile * d.place_step + i % channels, d.row_step, d.place_step, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run_data, .args = &d, .count = count, .step = d.tile_step,
                               .width = channels, .want = want, .magnitude = magnitude,
                               .terms = ROUNDINGS };
    ck_verify(t, &c, "tiles=%zu channels=%zu fill=%d", tiles, channels, (int)fill);
    ck_reset(t);
}

static const size_t channel_counts[] = { 1, 3, 8, 17, 32, 37 };

static void check_data(struct ck *t)
{
    for (size_t tiles = 1; tiles <= 3; tiles++)
        for (size_t i = 0; i < CXN_COUNTOF(channel_counts) * CK_FILLS; i++)
            check_data_of(t, tiles, channel_counts[i / CK_FILLS], i % CK_FILLS);
}

/* 14 tiles of 128 channels: a row of the first block's map. */
static void bench_data(struct ck *t)
{
    const size_t tiles = 14, channels = 128;
    struct cxn_winograd_data_f32 d = make_data(t, tiles, channels, CK_UNIT);
    d.position_step = tiles * d.tile_step + 16;
    ck_time(t, run_data, &d, ck_aligned(t, POSITIONS * d.position_step), 0.0,
            (double)((WINDOW * (TILE * tiles + 2) + POSITIONS * tiles) * channels) * sizeof(float),
            "%zu tiles x %zu", tiles, channels);
    ck_reset(t);
}

static struct cxn_winograd_inverse_f32 make_inverse(struct ck *t, const size_t size[3],
                                                    enum ck_fill fill)
{
    const size_t tiles = (size[1] + TILE - 1) / TILE, step = size[2] + ck_below(t, 4);
    const size_t position = tiles * step + ck_below(t, 9), place = size[2] + ck_below(t, 3);
    return (struct cxn_winograd_inverse_f32){
        .src = ck_f32(t, POSITIONS * position, fill), .tile_step = step, .position_step = position,
        .height = size[0], .width = size[1], .channels = size[2], .dst_place_step = place,
        .dst_row_step = size[1] * place
    };
}

/* size: height, width, channels. */
static void check_inverse_of(struct ck *t, const size_t size[3], enum ck_fill fill)
{
    const struct cxn_winograd_inverse_f32 v = make_inverse(t, size, fill);
    const size_t count = v.height * v.width;
    double *want = ck_f64(t, count * v.channels), *magnitude = ck_f64(t, count * v.channels);
    for (size_t i = 0; i < count * v.channels; i++) {
        const size_t place = i / v.channels, y = place / v.width, x = place % v.width;
        double result[2];
        define(inverse_matrix[y], inverse_matrix[x % TILE],
               v.src + x / TILE * v.tile_step + i % v.channels, WINDOW * v.position_step,
               v.position_step, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run_inverse, .args = &v, .count = count,
                               .step = v.dst_place_step, .width = v.channels, .want = want,
                               .magnitude = magnitude, .terms = ROUNDINGS };
    ck_verify(t, &c, "h=%zu w=%zu channels=%zu fill=%d", v.height, v.width, v.channels, (int)fill);
    ck_reset(t);
}

static void check_inverse(struct ck *t)
{
    for (size_t height = 1; height <= TILE; height++)
        for (size_t width = 1; width <= 2 * TILE + 1; width++)
            for (size_t i = 0; i < CXN_COUNTOF(channel_counts) * CK_FILLS; i++)
                check_inverse_of(t, (const size_t[]){ height, width, channel_counts[i / CK_FILLS] },
                                 i % CK_FILLS);
}

static void bench_inverse(struct ck *t)
{
    const size_t size[3] = { TILE, 56, 32 };
    const struct cxn_winograd_inverse_f32 v = make_inverse(t, size, CK_UNIT);
    ck_time(t, run_inverse, &v, ck_aligned(t, TILE * v.dst_row_step), 0.0,
            (double)((POSITIONS + TILE * TILE) * 14 * v.channels) * sizeof(float),
            "14 tiles x %zu", v.channels);
    ck_reset(t);
}

const struct ck_check ck_winograd_data = { &cxn_winograd_data_f32_op, check_data, bench_data };
const struct ck_check ck_winograd_inverse = { &cxn_winograd_inverse_f32_op, check_inverse,
                                              bench_inverse };
