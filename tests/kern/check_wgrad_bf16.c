/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/wgrad_bf16.h"

/* Of the gradient; a window of kernel x kernel of places `stride` apart. Rows of src are `gap`
 * places longer than they need be, and those of grad as many places apart as src's, or dense. */
struct shape {
    size_t maps, height, width, in, out, kernel, stride, gap;
    bool alike;
};

struct wgrad {
    struct cxn_wgrad args;
    const float *before; /* what dst holds */
};

static void run(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_wgrad_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    const struct wgrad *w = args;
    struct cxn_wgrad g = w->args;
    g.dst = dst;
    memcpy(dst, w->before, g.tap_rows * g.run * g.out * sizeof *dst);
    row->run(&g);
}

static struct wgrad make(struct ck *t, const struct shape *s, enum ck_fill fill, bool add)
{
    const size_t width = (s->width - 1) * s->stride + s->kernel + s->gap;
    const size_t height = (s->height - 1) * s->stride + s->kernel, pitch = width * s->in;
    const size_t grad_step = s->out + ck_below(t, 9);
    const size_t grad_row = (s->alike ? width : s->width) * grad_step;
    struct wgrad w = {
        .args = { .place_step = s->in * s->stride, .row_step = pitch * s->stride,
                  .map_step = height * pitch + ck_below(t, 9), .tap_row_step = pitch,
                  .tap_rows = s->kernel, .run = s->kernel * s->in, .grad_place_step = grad_step,
                  .grad_row_step = grad_row,
                  .grad_map_step = s->height * grad_row + ck_below(t, 9), .maps = s->maps,
                  .height = s->height, .width = s->width, .out = s->out, .add = add },
        .before = ck_f32(t, s->kernel * s->kernel * s->in * s->out, CK_UNIT)
    };
    w.args.src = ck_numbers(t, (s->maps - 1) * w.args.map_step + (height - 1) * pitch +
                                   (width - s->gap) * s->in, fill);
    w.args.grad = ck_numbers(t, (s->maps - 1) * w.args.grad_map_step +
                                    (s->height - 1) * grad_row + (s->width - 1) * grad_step +
                                    s->out, fill);
    w.args.scratch = ck_aligned(t, cxn_wgrad_bf16_scratch_bytes(&w.args) / sizeof(float));
    memset(w.args.scratch, 0xff, cxn_wgrad_bf16_scratch_bytes(&w.args)); /* NaNs */
    return w;
}

static void define(const struct ck *t, const struct wgrad *w, size_t k, size_t o, double result[2])
{
    const struct cxn_wgrad *g = &w->args;
    result[0] = g->add ? (double)w->before[k * g->out + o] : 0.0;
    result[1] = fabs(result[0]);
    for (size_t i = 0; i < g->maps * g->height * g->width; i++) {
        const size_t x = i % g->width, y = i / g->width % g->height, m = i / g->width / g->height;
        const double product =
            ck_number(t, g->src, m * g->map_step + y * g->row_step + x * g->place_step +
                                     k / g->run * g->tap_row_step + k % g->run) *
            ck_number(t, g->grad, m * g->grad_map_step + y * g->grad_row_step +
                                      x * g->grad_place_step + o);
        result[0] += product;
        result[1] += fabs(product);
    }
}

static void check_shape(struct ck *t, const struct shape *s, enum ck_fill fill, bool add)
{
    const struct wgrad w = make(t, s, fill, add);
    const size_t terms = s->kernel * s->kernel * s->in;
    double *want = ck_f64(t, terms * s->out), *magnitude = ck_f64(t, terms * s->out);
    for (size_t i = 0; i < terms * s->out; i++) {
        double result[2];
        define(t, &w, i / s->out, i % s->out, result);
        want[i] = result[0];
        magnitude[i] = result[1];
    }
    const struct ck_case c = { .run = run, .args = &w, .count = terms, .step = s->out,
                               .width = s->out, .want = want, .magnitude = magnitude,
                               .terms = 1 + s->maps * s->height * s->width };
    ck_verify(t, &c, "maps=%zu h=%zu w=%zu in=%zu out=%zu kernel=%zu stride=%zu gap=%zu add=%d "
              "fill=%d", s->maps, s->height, s->width, s->in, s->out, s->kernel, s->stride, s->gap,
              add, (int)fill);
    ck_reset(t);
}

/* A NaN is followed where nothing but its own products meets it. */
static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 1, 1, 1, 1, 1, 0, false },    { 2, 5, 3, 5, 3, 3, 1, 0, true },
        { 1, 1, 65, 16, 16, 1, 1, 0, false }, { 3, 7, 7, 32, 12, 3, 1, 0, true },
        { 1, 4, 14, 17, 33, 3, 1, 0, true },  { 2, 3, 9, 47, 31, 3, 1, 2, true },
        { 1, 2, 32, 33, 48, 1, 1, 0, true },  { 1, 1, 224, 96, 128, 1, 1, 0, false },
        { 1, 3, 6, 2, 64, 7, 2, 0, false },   { 2, 4, 5, 4, 17, 7, 2, 1, false },
        { 2, 3, 4, 20, 8, 3, 1, 0, false },   { 1, 5, 6, 8, 16, 3, 1, 3, true },
        { 1, 2, 5, 18, 20, 3, 2, 0, false },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        for (int fill = 0; fill < CK_FILLS; fill++) {
            if (fill == CK_NAN && shapes[i].kernel > 1) continue;
            check_shape(t, &shapes[i], (enum ck_fill)fill, false);
            check_shape(t, &shapes[i], (enum ck_fill)fill, true);
        }
    }
}

/* Straight into dst, as training adds piece upon piece. */
static void run_bare(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_wgrad_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    struct cxn_wgrad g = *(const struct cxn_wgrad *)args;
    g.dst = dst;
    row->run(&g);
}

/* DenseNet-121 on 224 x 224, in pieces as training cuts them: of each block its 3x3 and 128
 * channels of a 1x1; and the stem. */
static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 4, 56, 128, 32, 3, 1, 0, true },   { 1, 8, 56, 128, 32, 3, 1, 0, true },
        { 1, 8, 28, 128, 32, 3, 1, 0, true },   { 1, 16, 28, 128, 32, 3, 1, 0, true },
        { 2, 14, 14, 128, 32, 3, 1, 0, true },  { 5, 7, 7, 128, 32, 3, 1, 0, true },
        { 1, 1, 224, 128, 128, 1, 1, 0, false }, { 1, 1, 448, 128, 128, 1, 1, 0, false },
        { 1, 3, 112, 2, 64, 7, 2, 0, false },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        const struct wgrad w = make(t, s, CK_UNIT, true);
        const size_t terms = s->kernel * s->kernel * s->in;
        ck_time(t, run_bare, &w.args, ck_aligned(t, terms * s->out),
                2.0 * (double)(terms * s->out * s->maps * s->height * s->width), 0.0,
                "%zux%zux%zux%zu -> %zu, %zux%zu", s->maps, s->height, s->width, s->in, s->out,
                s->kernel, s->kernel);
        ck_reset(t);
    }
}

const struct ck_check ck_wgrad_bf16 = { &cxn_wgrad_bf16_op, check, bench };
