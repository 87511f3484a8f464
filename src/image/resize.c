/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bilinear resize with antialias, equal to Pillow's ImagingResample() (src/libImaging/Resample.c)
 * to the bit: weights in double, rounded to fixed point; a horizontal pass over the rows that the
 * vertical pass needs, rounded to 8 bits; then the vertical pass. A pass along an axis whose size
 * stays is skipped. What would break equality: another order of the passes, contraction of a
 * multiply and an add in fill_taps(), weights kept at more bits.
 */
#include <math.h>
#include <string.h>

#include "image/image.h"

enum {
    FRACTION_BITS = 32 - 8 - 2, /* of a weight; Pillow's PRECISION_BITS */
    ROWS_AT_ONCE = 4,           /* of the horizontal pass: they share the loads of weights */
    BLOCK_BYTES = 1024,         /* of the vertical pass: sums that stay in L1 */
};

/* Along one axis: output i is the sum of weight[i * stride + k] * input[first[i] + k], k in
 * 0..count[i]-1. */
struct taps {
    uint32_t out, stride;
    uint32_t *first, *count;
    int32_t *weight;
};

struct pass {
    const uint8_t *src;
    uint8_t *dst;
    size_t src_stride_bytes, dst_stride_bytes;
    size_t rows; /* of dst */
};

static int32_t to_fixed(double weight)
{
    return (int32_t)(0.5 + weight * (1 << FRACTION_BITS)); /* bilinear weights are >= 0 */
}

static uint8_t clip8(int32_t sum)
{
    const int32_t v = sum >> FRACTION_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static double triangle(double x)
{
    const double a = fabs(x);
    return a < 1.0 ? 1.0 - a : 0.0;
}

/* w: room for t->stride doubles */
static void fill_taps(const struct taps *t, uint32_t in, double *w)
{
    const double scale = (double)in / t->out;
    const double support = scale < 1.0 ? 1.0 : scale;
    const double inverse = 1.0 / support;
    for (uint32_t i = 0; i < t->out; i++) {
        const double centre = (i + 0.5) * scale;
        const double low = centre - support + 0.5, high = centre + support + 0.5;
        const uint32_t first = low < 0 ? 0 : (uint32_t)low;
        const uint32_t end = high > in ? in : (uint32_t)high;
        const uint32_t count = end - first;
        double sum = 0.0;
        for (uint32_t k = 0; k < count; k++) {
            w[k] = triangle(((double)k + first - centre + 0.5) * inverse);
            sum += w[k];
        }
        for (uint32_t k = 0; k < count; k++)
            t->weight[(size_t)i * t->stride + k] = to_fixed(sum != 0.0 ? w[k] / sum : w[k]);
        t->first[i] = first;
        t->count[i] = count;
    }
}

static void close_taps(struct taps *t)
{
    cxn_free(t->first);
    cxn_free(t->count);
    cxn_free(t->weight);
}

static enum cxn_status open_taps(const struct cxn_env *env, uint32_t in, uint32_t out,
                                 struct taps *t, struct cxn_error *err)
{
    const double scale = (double)in / out;
    const uint32_t stride = (uint32_t)ceil(scale < 1.0 ? 1.0 : scale) * 2 + 1;
    *t = (struct taps){ .out = out, .stride = stride };
    t->first = cxn_alloc(env->mem, out, sizeof *t->first);
    t->count = cxn_alloc(env->mem, out, sizeof *t->count);
    t->weight = cxn_alloc(env->mem, (size_t)out * stride, sizeof *t->weight);
    double *scratch = cxn_alloc(env->mem, stride, sizeof *scratch);
    const bool complete = t->first && t->count && t->weight && scratch;
    if (complete) fill_taps(t, in, scratch);
    cxn_free(scratch);
    if (complete) return CXN_OK;
    close_taps(t);
    return cxn_fail_nomem(err, env->mem, (size_t)out * stride * sizeof *t->weight,
                          "the weights of a resize");
}

/* ---- horizontal --------------------------------------------------------------------------- */

static void grey_rows_4(const struct taps *t, const uint8_t *src, size_t src_stride, uint8_t *dst,
                        size_t dst_stride)
{
    for (size_t i = 0; i < t->out; i++) {
        const int32_t *w = t->weight + i * t->stride;
        const uint8_t *s = src + t->first[i];
        const uint32_t count = t->count[i];
        int32_t sum[ROWS_AT_ONCE];
        for (size_t r = 0; r < ROWS_AT_ONCE; r++) sum[r] = 1 << (FRACTION_BITS - 1);
        for (size_t k = 0; k < count; k++)
            for (size_t r = 0; r < ROWS_AT_ONCE; r++) sum[r] += w[k] * s[k + r * src_stride];
        for (size_t r = 0; r < ROWS_AT_ONCE; r++) dst[i + r * dst_stride] = clip8(sum[r]);
    }
}

static void any_row(const struct taps *t, const uint8_t *src, uint8_t *dst, size_t channels)
{
    for (size_t i = 0; i < t->out; i++) {
        const int32_t *w = t->weight + i * t->stride;
        const uint8_t *s = src + t->first[i] * channels;
        for (size_t c = 0; c < channels; c++) {
            int32_t sum = 1 << (FRACTION_BITS - 1);
            for (size_t k = 0; k < t->count[i]; k++) sum += w[k] * s[k * channels + c];
            dst[i * channels + c] = clip8(sum);
        }
    }
}

static void pass_horizontal(const struct taps *t, const struct pass *p, size_t channels)
{
    size_t y = 0;
    if (channels == 1)
        for (; y + ROWS_AT_ONCE <= p->rows; y += ROWS_AT_ONCE)
            grey_rows_4(t, p->src + y * p->src_stride_bytes, p->src_stride_bytes,
                        p->dst + y * p->dst_stride_bytes, p->dst_stride_bytes);
    for (; y < p->rows; y++)
        any_row(t, p->src + y * p->src_stride_bytes, p->dst + y * p->dst_stride_bytes, channels);
}

/* ---- vertical ----------------------------------------------------------------------------- */

/* n at most BLOCK_BYTES neighbouring bytes of output row i */
static void block_vertical(const struct taps *t, size_t i, const uint8_t *src, size_t src_stride,
                           uint8_t *dst, size_t n)
{
    int32_t sum[BLOCK_BYTES];
    const int32_t *w = t->weight + i * t->stride;
    for (size_t x = 0; x < n; x++) sum[x] = 1 << (FRACTION_BITS - 1);
    for (size_t k = 0; k < t->count[i]; k++)
        for (size_t x = 0; x < n; x++) sum[x] += w[k] * src[k * src_stride + x];
    for (size_t x = 0; x < n; x++) dst[x] = clip8(sum[x]);
}

/* src is row `skipped` of the picture that the taps speak of */
static void pass_vertical(const struct taps *t, const struct pass *p, size_t row_bytes,
                          size_t skipped)
{
    for (size_t i = 0; i < p->rows; i++) {
        const uint8_t *src = p->src + (t->first[i] - skipped) * p->src_stride_bytes;
        uint8_t *dst = p->dst + i * p->dst_stride_bytes;
        for (size_t x = 0; x < row_bytes; x += BLOCK_BYTES) {
            const size_t n = row_bytes - x < BLOCK_BYTES ? row_bytes - x : BLOCK_BYTES;
            block_vertical(t, i, src + x, p->src_stride_bytes, dst + x, n);
        }
    }
}

/* ---- both --------------------------------------------------------------------------------- */

static enum cxn_status squeeze_rows(const struct cxn_env *env, const struct cxn_picture *src,
                                    size_t first_row, struct cxn_picture *out,
                                    struct cxn_error *err)
{
    struct taps taps;
    const enum cxn_status status = open_taps(env, src->width, out->width, &taps, err);
    if (status != CXN_OK) return status;
    const struct pass pass = {
        .src = src->pixels + first_row * src->stride_bytes,
        .dst = out->pixels,
        .src_stride_bytes = src->stride_bytes,
        .dst_stride_bytes = out->stride_bytes,
        .rows = out->height,
    };
    pass_horizontal(&taps, &pass, src->channels);
    close_taps(&taps);
    return CXN_OK;
}

/* Height changes: squeeze the rows that the vertical taps read, if the width changes too, then go
 * down. */
static enum cxn_status resize_down(const struct cxn_env *env, const struct cxn_picture *src,
                                   const struct taps *down, struct cxn_picture *out,
                                   struct cxn_error *err)
{
    const uint32_t first = down->first[0];
    const uint32_t end = down->first[down->out - 1] + down->count[down->out - 1];
    struct cxn_picture narrow = { 0 };
    enum cxn_status status = CXN_OK;
    struct pass pass = {
        .src = src->pixels + first * src->stride_bytes,
        .dst = out->pixels,
        .src_stride_bytes = src->stride_bytes,
        .dst_stride_bytes = out->stride_bytes,
        .rows = out->height,
    };
    if (out->width != src->width) {
        status = cxn_picture_open(env, out->width, end - first, src->channels, &narrow, err);
        if (status == CXN_OK) status = squeeze_rows(env, src, first, &narrow, err);
        pass.src = narrow.pixels;
        pass.src_stride_bytes = narrow.stride_bytes;
    }
    if (status == CXN_OK) pass_vertical(down, &pass, out->stride_bytes, first);
    cxn_picture_close(&narrow);
    return status;
}

static void copy_rows(const struct cxn_picture *src, struct cxn_picture *out)
{
    for (size_t y = 0; y < out->height; y++)
        memcpy(out->pixels + y * out->stride_bytes, src->pixels + y * src->stride_bytes,
               out->stride_bytes);
}

static enum cxn_status resize_into(const struct cxn_env *env, const struct cxn_picture *src,
                                   struct cxn_picture *out, struct cxn_error *err)
{
    if (out->height == src->height && out->width == src->width) {
        copy_rows(src, out);
        return CXN_OK;
    }
    if (out->height == src->height) return squeeze_rows(env, src, 0, out, err);
    struct taps down;
    enum cxn_status status = open_taps(env, src->height, out->height, &down, err);
    if (status != CXN_OK) return status;
    status = resize_down(env, src, &down, out, err);
    close_taps(&down);
    return status;
}

enum cxn_status cxn_picture_resize(const struct cxn_env *env, const struct cxn_picture *src,
                                   uint32_t short_side, struct cxn_picture *out,
                                   struct cxn_error *err)
{
    memset(out, 0, sizeof *out);
    const bool upright = src->width <= src->height;
    const uint32_t s = upright ? src->width : src->height;
    const uint64_t l = upright ? src->height : src->width;
    const uint64_t long_side = short_side * l / s;
    if (long_side > CXN_RESIZE_LONG_MAX)
        return cxn_fail(err, CXN_E_LIMIT,
                        "a %ux%u picture resized to a short side of %u would be %llu pixels long, "
                        "limit %u",
                        src->width, src->height, short_side, (unsigned long long)long_side,
                        CXN_RESIZE_LONG_MAX);
    enum cxn_status status =
        cxn_picture_open(env, upright ? short_side : (uint32_t)long_side,
                         upright ? (uint32_t)long_side : short_side, src->channels, out, err);
    if (status == CXN_OK) status = resize_into(env, src, out, err);
    if (status != CXN_OK) cxn_picture_close(out);
    return status;
}
