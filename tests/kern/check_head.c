/* SPDX-License-Identifier: Apache-2.0 */
/* linear_f32 and sigmoid_f32. */
#include <math.h>

#include "ck.h"
#include "kern/linear_f32.h"
#include "kern/sigmoid_f32.h"

struct linear {
    const float *src, *w, *bias;
    size_t out, in;
};

static void run_linear(const struct ck *t, const void *args, float *dst)
{
    const struct linear *l = args;
    const struct cxn_linear_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, l->src, l->w, l->bias, l->out, l->in);
}

static struct linear make_linear(struct ck *t, size_t out, size_t in, enum ck_fill fill)
{
    return (struct linear){ .src = ck_f32(t, in, fill), .w = ck_f32(t, in * out, CK_UNIT),
                            .bias = ck_f32(t, out, CK_UNIT), .out = out, .in = in };
}

static void check_size(struct ck *t, size_t out, size_t in, enum ck_fill fill)
{
    const struct linear l = make_linear(t, out, in, fill);
    double *want = ck_f64(t, out), *magnitude = ck_f64(t, out);
    for (size_t o = 0; o < out; o++) {
        want[o] = (double)l.bias[o];
        magnitude[o] = fabs(want[o]);
        for (size_t i = 0; i < in; i++) {
            const double product = (double)l.w[o * in + i] * (double)l.src[i];
            want[o] += product;
            magnitude[o] += fabs(product);
        }
    }
    const struct ck_case c = { .run = run_linear, .args = &l, .count = 1, .step = out,
                               .width = out, .want = want, .magnitude = magnitude,
                               .terms = in + 1 };
    ck_verify(t, &c, "out=%zu in=%zu fill=%d", out, in, (int)fill);
    ck_reset(t);
}

static void check_linear(struct ck *t)
{
    static const size_t sizes[][2] = { { 1, 1 }, { 3, 7 }, { 14, 1024 }, { 17, 65 } };
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++)
        for (enum ck_fill fill = 0; fill < CK_FILLS; fill++)
            check_size(t, sizes[i][0], sizes[i][1], fill);
}

static void bench_linear(struct ck *t)
{
    const struct linear l = make_linear(t, 14, 1024, CK_UNIT);
    ck_time(t, run_linear, &l, ck_aligned(t, 14), 2.0 * 14 * 1024, 0.0, "1024 -> 14");
    ck_reset(t);
}

/* ---- sigmoid ------------------------------------------------------------------------------ */

struct vector {
    const float *src;
    size_t count;
};

static void run_sigmoid(const struct ck *t, const void *args, float *dst)
{
    const struct vector *v = args;
    const struct cxn_sigmoid_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, v->src, v->count);
}

/* Denser where the result still changes, and all that exp() could fall over. */
static void fill_logits(float *x, size_t count)
{
    static const float ends[] = { 0.0f, -0.0f, 1e-45f, -1e-45f, 17.4f, -17.4f, 87.0f, -87.0f,
                                  -88.8f, -103.0f, -104.0f, -746.0f, 746.0f, 3e38f, -3e38f,
                                  INFINITY, -INFINITY };
    for (size_t i = 0; i < count; i++) {
        const float scale = i % 3 == 0 ? 1.0f : i % 3 == 1 ? 20.0f : 110.0f;
        x[i] = i < CXN_COUNTOF(ends) ? ends[i] : x[i] * scale;
    }
}

/* Within one rounding of the true value, down to the last denormal. */
static void check_sigmoid(struct ck *t)
{
    static const size_t counts[] = { 1, 14, 67, 4099 };
    for (size_t i = 0; i < CXN_COUNTOF(counts); i++) {
        const size_t n = counts[i];
        float *src = ck_f32(t, n, CK_UNIT);
        double *want = ck_f64(t, n);
        fill_logits(src, n);
        for (size_t k = 0; k < n; k++) want[k] = 1.0 / (1.0 + exp(-(double)src[k]));
        const struct vector v = { src, n };
        const struct ck_case c = { .run = run_sigmoid, .args = &v, .count = 1, .step = n,
                                   .width = n, .want = want, .magnitude = want, .terms = 1 };
        ck_verify(t, &c, "count=%zu", n);
        ck_reset(t);
    }
}

static void bench_sigmoid(struct ck *t)
{
    const struct vector v = { ck_f32(t, 14, CK_UNIT), 14 };
    ck_time(t, run_sigmoid, &v, ck_aligned(t, 14), 0.0, 14.0 * 2 * sizeof(float), "14");
    ck_reset(t);
}

const struct ck_check ck_linear = { &cxn_linear_f32_op, check_linear, bench_linear };
const struct ck_check ck_sigmoid = { &cxn_sigmoid_f32_op, check_sigmoid, bench_sigmoid };
