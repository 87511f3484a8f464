/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/wgrad_bf16.h"

struct shape {
    size_t in, out, kernel, line, count;
};

/* What dst holds before, [kernel * kernel][out][in] without gaps. */
struct wgrad {
    struct cxn_wgrad_bf16 args;
    const float *before;
};

static void run(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_wgrad_bf16_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct wgrad *w = args;
    struct cxn_wgrad_bf16 g = w->args;
    g.dst = dst;
    for (size_t i = 0; i < g.kernel * g.kernel * g.out; i++)
        memcpy(dst + i / g.out * g.dst_tap_step + i % g.out * g.dst_step, w->before + i * g.in,
               g.in * sizeof *dst);
    row->run(&g);
}

static struct wgrad make(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    const size_t blocks = (s->in + CXN_PAIRS_CHANNELS - 1) / CXN_PAIRS_CHANNELS;
    const size_t block_step = s->count * CXN_PAIRS_CHANNELS + ck_below(t, 9);
    const size_t reach = (s->kernel - 1) * (s->line + 1);
    const size_t step = reach + s->count + ck_below(t, 40), dst_step = s->in + ck_below(t, 5);
    return (struct wgrad){
        .args = { .src = ck_numbers(t, blocks * block_step, fill), .src_block_step = block_step,
                  .grad = (const uint16_t *)ck_numbers(t, s->out * step, fill) + reach,
                  .grad_step = step, .kernel = s->kernel, .line = s->line, .count = s->count,
                  .in = s->in, .out = s->out, .dst_step = dst_step,
                  .dst_tap_step = s->out * dst_step + ck_below(t, 9) },
        .before = ck_f32(t, s->kernel * s->kernel * s->out * s->in, CK_UNIT)
    };
}

static void define(const struct ck *t, const struct wgrad *w, size_t tap, size_t o, size_t i,
                   double result[2])
{
    const struct cxn_wgrad_bf16 *g = &w->args;
    const uint16_t *strip =
        g->grad + o * g->grad_step - tap / g->kernel * g->line - tap % g->kernel;
    result[0] = (double)w->before[(tap * g->out + o) * g->in + i];
    result[1] = fabs(result[0]);
    for (size_t p = 0; p < g->count; p++) {
        const size_t at = i / 16 * g->src_block_step + p / 2 * 32 + i % 16 * 2 + p % 2;
        const double product = ck_number(t, strip, p) * ck_number(t, g->src, at);
        result[0] += product;
        result[1] += fabs(product);
    }
}

static void check_shape(struct ck *t, const struct shape *s, enum ck_fill fill)
{
    const struct wgrad w = make(t, s, fill);
    const size_t places = s->kernel * s->kernel * s->out;
    double *want = ck_f64(t, places * s->in), *magnitude = ck_f64(t, places * s->in);
    for (size_t i = 0; i < places * s->in; i++) {
        double result[2];
        define(t, &w, i / s->in / s->out, i / s->in % s->out, i % s->in, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run, .args = &w, .count = places, .step = w.args.dst_step,
                               .width = s->in, .row = s->out, .row_step = w.args.dst_tap_step,
                               .want = want, .magnitude = magnitude, .terms = 1 + s->count };
    ck_verify(t, &c, "in=%zu out=%zu kernel=%zu line=%zu count=%zu fill=%d", s->in, s->out,
              s->kernel, s->line, s->count, (int)fill);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, 32 },   { 5, 3, 3, 4, 64 },   { 16, 16, 1, 1, 32 },  { 17, 33, 1, 1, 96 },
        { 32, 12, 3, 7, 64 }, { 47, 31, 3, 6, 32 }, { 128, 32, 3, 8, 64 }, { 96, 128, 1, 1, 224 },
        { 33, 48, 1, 1, 64 }, { 2, 70, 3, 10, 96 }, { 64, 17, 7, 12, 32 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++) check_shape(t, &shapes[i], fill);
}

/* Straight into dst, as training adds piece upon piece. */
static void run_bare(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_wgrad_bf16_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_wgrad_bf16 g = *(const struct cxn_wgrad_bf16 *)args;
    g.dst = dst;
    row->run(&g);
}

/* DenseNet-121 on 224 x 224: of each block its 3x3 and its widest 1x1, in pieces as training cuts
 * them; strips of an odd number of cache lines. */
static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 128, 32, 3, 58, 1024 }, { 224, 128, 1, 1, 448 }, { 128, 32, 3, 30, 896 },
        { 480, 128, 1, 1, 448 },  { 128, 32, 3, 16, 480 }, { 992, 128, 1, 1, 416 },
        { 128, 32, 3, 8, 512 },   { 992, 128, 1, 1, 224 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        const size_t taps = s->kernel * s->kernel, dst_step = s->in + 16;
        const size_t step = (s->count + 2 * (s->line + 1)) / 64 * 64 + 96;
        const struct cxn_wgrad_bf16 g = {
            .src = (const uint16_t *)(void *)ck_aligned(t, s->in * s->count / 2),
            .src_block_step = s->count * CXN_PAIRS_CHANNELS,
            .grad = (const uint16_t *)(void *)ck_aligned(t, s->out * step / 2) + 2 * (s->line + 1),
            .grad_step = step, .kernel = s->kernel, .line = s->line, .count = s->count,
            .in = s->in, .out = s->out, .dst_step = dst_step, .dst_tap_step = s->out * dst_step
        };
        ck_time(t, run_bare, &g, ck_aligned(t, taps * g.dst_tap_step),
                2.0 * (double)(taps * s->in * s->out * s->count), 0.0, "%zu -> %zu, %zux%zu, %zu",
                s->in, s->out, s->kernel, s->kernel, s->count);
        ck_reset(t);
    }
}

const struct ck_check ck_wgrad_bf16 = { &cxn_wgrad_bf16_op, check, bench };
