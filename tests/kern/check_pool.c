/* SPDX-License-Identifier: Apache-2.0 */
/* max_pool_f32, avg_pool_f32 and mean_f32. */
#include <math.h>

#include "ck.h"
#include "kern/avg_pool_f32.h"
#include "kern/max_pool_f32.h"
#include "kern/mean_f32.h"

struct map {
    const void *src; /* dense */
    size_t height, width, channels, dst_step;
};

static const size_t shapes[][3] = { /* height, width, channels */
    { 2, 2, 1 }, { 2, 6, 3 }, { 8, 4, 17 }, { 16, 2, 64 }, { 14, 14, 33 },
    { 3, 5, 2 }, { 7, 4, 33 }, { 6, 9, 16 },
};

static struct map make(struct ck *t, const size_t shape[3], enum ck_fill fill)
{
    return (struct map){ .src = ck_numbers(t, shape[0] * shape[1] * shape[2], fill),
                         .height = shape[0], .width = shape[1], .channels = shape[2],
                         .dst_step = shape[2] + ck_below(t, 5) };
}

static double read_at(const struct map *m, size_t y, size_t x, size_t channel)
{
    return (double)((const float *)m->src)[(y * m->width + x) * m->channels + channel];
}

static void run_max(const struct ck *t, const void *args, float *dst)
{
    const struct map *m = args;
    const struct cxn_max_pool_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, m->dst_step, m->src, m->height, m->width, m->channels);
}

static void run_avg(const struct ck *t, const void *args, float *dst)
{
    const struct map *m = args;
    const struct cxn_avg_pool_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, m->dst_step, m->src, m->height, m->width, m->channels);
}

static void run_mean(const struct ck *t, const void *args, float *dst)
{
    const struct map *m = args;
    const struct cxn_mean_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, m->src, m->height * m->width, m->channels);
}

/* Largest of the 3x3 window around (2 y, 2 x), as far as it is inside. */
static double largest(const struct map *m, size_t y, size_t x, size_t channel)
{
    double best = -INFINITY;
    for (size_t sy = y == 0 ? 0 : 2 * y - 1; sy <= 2 * y + 1 && sy < m->height; sy++)
        for (size_t sx = x == 0 ? 0 : 2 * x - 1; sx <= 2 * x + 1 && sx < m->width; sx++)
            best = ck_max(best, read_at(m, sy, sx, channel));
    return best;
}

/* Mean of the 2x2 window at (2 y, 2 x), and of its absolute values. */
static void mean_of_four(const struct map *m, size_t y, size_t x, size_t channel, double *mean,
                         double *magnitude)
{
    for (size_t tap = 0; tap < 4; tap++) {
        const double v = read_at(m, 2 * y + tap / 2, 2 * x + tap % 2, channel);
        *mean += v / 4;
        *magnitude += fabs(v) / 4;
    }
}

static void check_pools(struct ck *t, const size_t shape[3], enum ck_fill fill, bool is_max)
{
    const struct map m = make(t, shape, fill);
    const size_t more = is_max ? 1 : 0; /* a window that is not whole has a maximum, and no mean */
    const size_t width = (m.width + more) / 2, count = (m.height + more) / 2 * width;
    double *want = ck_f64(t, count * m.channels), *magnitude = ck_f64(t, count * m.channels);
    for (size_t i = 0; i < count * m.channels; i++) {
        const size_t y = i / m.channels / width, x = i / m.channels % width, o = i % m.channels;
        if (is_max) want[i] = magnitude[i] = largest(&m, y, x, o);
        else mean_of_four(&m, y, x, o, &want[i], &magnitude[i]);
    }
    const struct ck_case c = { .run = is_max ? run_max : run_avg, .args = &m, .count = count,
                               .step = m.dst_step, .width = m.channels, .want = want,
                               .magnitude = magnitude, .terms = is_max ? 0 : 4 };
    ck_verify(t, &c, "h=%zu w=%zu channels=%zu fill=%d", m.height, m.width, m.channels, (int)fill);
    ck_reset(t);
}

static void check_max(struct ck *t)
{
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_pools(t, shapes[i], fill, true);
}

static void check_avg(struct ck *t)
{
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_pools(t, shapes[i], fill, false);
}

static void check_mean(struct ck *t)
{
    for (size_t i = 0; i < CXN_COUNTOF(shapes) * CK_FILLS; i++) {
        const enum ck_fill fill = i % CK_FILLS;
        const struct map m = make(t, shapes[i / CK_FILLS], fill);
        const size_t places = m.height * m.width;
        double *want = ck_f64(t, m.channels), *magnitude = ck_f64(t, m.channels);
        for (size_t k = 0; k < places * m.channels; k++) {
            const double value = ck_number(t, m.src, k);
            want[k % m.channels] += value / (double)places;
            magnitude[k % m.channels] += fabs(value) / (double)places;
        }
        const struct ck_case c = { .run = run_mean, .args = &m, .count = 1, .step = m.channels,
                                   .width = m.channels, .want = want, .magnitude = magnitude,
                                   .terms = places + 1 };
        ck_verify(t, &c, "places=%zu channels=%zu fill=%d", places, m.channels, (int)fill);
        ck_reset(t);
    }
}

static void time_map(struct ck *t, ck_run_fn *run, const size_t shape[3])
{
    const struct map m = make(t, shape, CK_UNIT);
    const size_t places = m.height * m.width;
    const double bytes = (double)(places * m.channels) * 1.25 * sizeof(float);
    ck_time(t, run, &m, ck_aligned(t, places * m.dst_step), 0.0, bytes, "%zux%zux%zu", m.height,
            m.width, m.channels);
    ck_reset(t);
}

static void bench_max(struct ck *t)
{
    time_map(t, run_max, (const size_t[]){ 112, 112, 64 });
}

static void bench_avg(struct ck *t)
{
    time_map(t, run_avg, (const size_t[]){ 56, 56, 128 });
    time_map(t, run_avg, (const size_t[]){ 14, 14, 512 });
}

static void bench_mean(struct ck *t)
{
    time_map(t, run_mean, (const size_t[]){ 7, 7, 1024 });
}

const struct ck_check ck_max_pool = { &cxn_max_pool_f32_op, check_max, bench_max };
const struct ck_check ck_avg_pool = { &cxn_avg_pool_f32_op, check_avg, bench_avg };
const struct ck_check ck_mean = { &cxn_mean_f32_op, check_mean, bench_mean };
