/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ck.h"
#include "kern/window_f32.h"

static void run(const struct ck *t, const void *args, float *dst)
{
    const struct cxn_window_f32_kernel *row = (const void *)cxn_kern_row(t->op, t->row);
    row->run(dst, args);
}

static struct cxn_window_f32 make(struct ck *t, const size_t shape[3], bool mirror)
{
    const size_t stride = shape[1] * shape[2] + ck_below(t, 70);
    return (struct cxn_window_f32){
        .src = ck_u8(t, (shape[0] - 1) * stride + shape[1] * shape[2]), .stride_bytes = stride,
        .height = shape[0], .width = shape[1], .channels = shape[2], .mirror = mirror
    };
}

static void check_shape(struct ck *t, const size_t shape[3], bool mirror)
{
    static const double mean[3] = { .485, .456, .406 }, deviation[3] = { .229, .224, .225 };
    const struct cxn_window_f32 w = make(t, shape, mirror);
    const size_t count = w.height * w.width;
    double *want = ck_f64(t, count * 3), *magnitude = ck_f64(t, count * 3);
    for (size_t i = 0; i < count * 3; i++) {
        const size_t y = i / 3 / w.width, x = i / 3 % w.width, channel = i % 3;
        const size_t column = mirror ? w.width - 1 - x : x;
        const uint8_t *sample = w.src + y * w.stride_bytes + column * w.channels;
        const double value = sample[w.channels == 1 ? 0 : channel] / 255.0;
        want[i] = (value - mean[channel]) / deviation[channel];
        magnitude[i] = (value + mean[channel]) / deviation[channel];
    }
    /* Three roundings, and those of the two constants. */
    const struct ck_case c = { .run = run, .args = &w, .count = count, .step = 3, .width = 3,
                               .want = want, .magnitude = magnitude, .terms = 5 };
    ck_verify(t, &c, "h=%zu w=%zu channels=%zu mirror=%d", w.height, w.width, w.channels, mirror);
    ck_reset(t);
}

static void check(struct ck *t)
{
    static const size_t shapes[][3] = {
        { 1, 1, 1 }, { 3, 7, 1 }, { 3, 7, 3 }, { 32, 33, 1 }, { 5, 65, 3 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (int mirror = 0; mirror < 2; mirror++) check_shape(t, shapes[i], mirror);
}

static void bench(struct ck *t)
{
    for (size_t channels = 1; channels <= 3; channels += 2) {
        const struct cxn_window_f32 w = make(t, (const size_t[]){ 224, 224, channels }, true);
        const double bytes = 224.0 * 224.0 * ((double)channels + 3 * sizeof(float));
        ck_time(t, run, &w, ck_aligned(t, 3 * 224 * 224), 0.0, bytes, "224x224x%zu", channels);
        ck_reset(t);
    }
}

const struct ck_check ck_window = { &cxn_window_f32_op, check, bench };
