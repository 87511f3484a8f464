/* SPDX-License-Identifier: Apache-2.0 */
/* Each number's terms are added by one thread in one order, whatever the threads. */
#include "nn/trainer_ref64_steps.h"

#include <math.h>
#include <string.h>

#include "nn/train_view.h"

enum { GROUP = 8 }; /* channels of one piece of work */

static size_t groups_of(size_t channels)
{
    return (channels + GROUP - 1) / GROUP;
}

static size_t group_end(size_t first, size_t channels)
{
    return channels - first < GROUP ? channels : first + GROUP;
}

static void forward_window(void *ctx, size_t index, unsigned thread)
{
    static const double mean[3] = { .485, .456, .406 }, deviation[3] = { .229, .224, .225 };
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const size_t first = index * p->height * p->width * 3;
    struct cxn_picture cut;
    const struct cxn_view v = cxn_train_view_cut(&p->view[index], p->samples + first, &cut);
    const struct cxn_picture *picture = v.picture;
    double *dst = p->dst + first;
    for (uint32_t y = 0; y < v.height; y++) {
        for (uint32_t x = 0; x < v.width; x++) {
            const uint32_t column = v.x + (v.mirror ? v.width - 1 - x : x);
            const uint8_t *sample = picture->pixels + (v.y + y) * picture->stride_bytes +
                                    (size_t)column * picture->channels;
            for (uint32_t i = 0; i < 3; i++)
                *dst++ = (sample[picture->channels == 1 ? 0 : i] / 255.0 - mean[i]) / deviation[i];
        }
    }
}

static size_t taps_of(const struct cxn_step *s)
{
    return (size_t)s->kernel * s->kernel;
}

/* [tap][in][out] or [tap][out][in], so that the innermost loop runs over neighbours. */
static void pack(struct cxn_ref64_pass *p, bool out_last)
{
    const struct cxn_step *s = p->step;
    const double *w = p->weights + s->tensor->offset;
    const size_t taps = taps_of(s), in = s->in, out = s->out;
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t tap = 0; tap < taps; tap++)
                p->packed[tap * in * out + (out_last ? i * out + o : o * in + i)] = *w++;
}

/* Where the convolution reads for place (y, x) of dst and this tap; false outside the map. */
static bool find_source(const struct cxn_ref64_pass *p, size_t y, size_t x, size_t tap,
                        size_t *place)
{
    const struct cxn_step *s = p->step;
    const size_t sy = y * s->stride + tap / s->kernel - s->pad; /* wraps above the map */
    const size_t sx = x * s->stride + tap % s->kernel - s->pad;
    *place = sy * p->width + sx;
    return sy < p->height && sx < p->width;
}

/* The place of dst that reads (y, x) of src with this tap; false where there is none. */
static bool find_reader(const struct cxn_ref64_pass *p, size_t y, size_t x, size_t tap,
                        size_t *place)
{
    const struct cxn_step *s = p->step;
    const size_t up = y + s->pad - tap / s->kernel; /* wraps, then is out of range below */
    const size_t left = x + s->pad - tap % s->kernel;
    *place = up / s->stride * p->dst_width + left / s->stride;
    return up % s->stride == 0 && left % s->stride == 0 && up / s->stride < p->dst_height &&
           left / s->stride < p->dst_width;
}

/* sums[k] += sum over j of factors[j] * rows[j][k]. */
static void add_products(double *restrict sums, const double *factors, size_t rows_count,
                         const double *rows, size_t count)
{
    for (size_t j = 0; j < rows_count; j++)
        for (size_t k = 0; k < count; k++) sums[k] += factors[j] * rows[j * count + k];
}

/* Row index % dst_height of view index / dst_height. */
static void forward_conv_row(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t view = index / p->dst_height, y = index % p->dst_height;
    const double *src = p->src + view * p->height * p->width * s->src_step;
    for (size_t x = 0; x < p->dst_width; x++) {
        double *dst = p->dst + (index * p->dst_width + x) * s->dst_step;
        memset(dst, 0, s->out * sizeof *dst);
        for (size_t tap = 0, place; tap < taps_of(s); tap++)
            if (find_source(p, y, x, tap, &place))
                add_products(dst, src + place * s->src_step, s->in,
                             p->packed + tap * s->in * s->out, s->out);
    }
}

/* Row index % height of view index / height. */
static void backward_conv_row(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t view = index / p->height, y = index % p->height;
    const double *ddst = p->ddst + view * p->dst_height * p->dst_width * s->dst_step;
    for (size_t x = 0; x < p->width; x++) {
        double *dsrc = p->dsrc + (index * p->width + x) * s->src_step;
        memset(dsrc, 0, s->in * sizeof *dsrc);
        for (size_t tap = 0, place; tap < taps_of(s); tap++)
            if (find_reader(p, y, x, tap, &place))
                add_products(dsrc, ddst + place * s->dst_step, s->out,
                             p->packed + tap * s->in * s->out, s->in);
    }
}

/* dw[i][o] += src[i] * ddst[o] for one place and the input channels first..end - 1. */
static void add_outer(double *restrict dw, const double *src, size_t first, size_t end,
                      const double *ddst, size_t out)
{
    for (size_t i = first; i < end; i++)
        for (size_t o = 0; o < out; o++) dw[i * out + o] += src[i] * ddst[o];
}

/* One tap's weights from a group of input channels. */
static void backward_conv_weights(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t groups = groups_of(s->in), tap = index / groups, in = s->in, out = s->out;
    const size_t first = index % groups * GROUP, end = group_end(first, in);
    double *dw = p->dpacked + tap * in * out;
    memset(dw + first * out, 0, (end - first) * out * sizeof *dw);
    for (size_t view = 0; view < p->views; view++) {
        const double *src = p->src + view * p->height * p->width * s->src_step;
        const double *ddst = p->ddst + view * p->dst_height * p->dst_width * s->dst_step;
        for (size_t at = 0, place; at < p->dst_height * p->dst_width; at++)
            if (find_source(p, at / p->dst_width, at % p->dst_width, tap, &place))
                add_outer(dw, src + place * s->src_step, first, end, ddst + at * s->dst_step, out);
    }
    for (size_t o = 0; o < out; o++)
        for (size_t i = first; i < end; i++)
            p->slot[s->tensor->offset + (o * in + i) * taps_of(s) + tap] = dw[i * out + o];
}

static void backward_conv(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    cxn_pool_run(p->pool, taps_of(s) * groups_of(s->in), backward_conv_weights, p);
    if (!p->dsrc) return;
    pack(p, false);
    cxn_pool_run(p->pool, p->views * p->height, backward_conv_row, p);
}

/* The numbers of a norm's channel i. tensor: weight, bias, running mean, running variance. */
static double parameter(const struct cxn_ref64_pass *p, size_t tensor, size_t i)
{
    return p->weights[p->step->tensor[tensor].offset + i];
}

static double *used(const struct cxn_ref64_pass *p, size_t tensor, size_t i)
{
    return &p->used[p->step->tensor[tensor].offset + i - p->param_count];
}

static double deviation(const struct cxn_ref64_pass *p, size_t i)
{
    return sqrt(*used(p, 3, i) + CXN_NET_EPSILON);
}

/* Mean and variance of channel i over all places of all views, into `used` and the slot. */
static void measure(const struct cxn_ref64_pass *p, size_t i)
{
    const struct cxn_step *s = p->step;
    const size_t places = p->views * p->height * p->width;
    double sum = 0.0, squares = 0.0;
    for (size_t at = 0; at < places; at++) sum += p->src[at * s->src_step + i];
    const double mean = sum / (double)places;
    for (size_t at = 0; at < places; at++) {
        const double d = p->src[at * s->src_step + i] - mean;
        squares += d * d;
    }
    *used(p, 2, i) = mean;
    *used(p, 3, i) = squares / (double)places;
    p->slot[s->tensor[2].offset + i] = mean;
    p->slot[s->tensor[3].offset + i] = squares / (double)(places - 1);
}

static void forward_norm_relu(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t first = index * GROUP, end = group_end(first, s->in);
    for (size_t i = first; i < end; i++) {
        if (p->frozen) {
            *used(p, 2, i) = parameter(p, 2, i);
            *used(p, 3, i) = parameter(p, 3, i);
        } else {
            measure(p, i);
        }
        const double mean = *used(p, 2, i), unit = deviation(p, i);
        const double weight = parameter(p, 0, i), bias = parameter(p, 1, i);
        for (size_t at = 0; at < p->views * p->height * p->width; at++) {
            const double value = (p->src[at * s->src_step + i] - mean) / unit * weight + bias;
            p->dst[at * s->dst_step + i] = value < 0.0 ? 0.0 : value;
        }
    }
}

/* Behind the norm dy is ddst where ReLU let the value pass, else 0. */
static void backward_norm_relu(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t places = p->views * p->height * p->width;
    const size_t first = index * GROUP, end = group_end(first, s->in);
    const bool accumulates = s->src == CXN_MAP_BLOCK && s->in < s->src_step;
    for (size_t i = first; i < end; i++) {
        const double mean = *used(p, 2, i), unit = deviation(p, i);
        double dweight = 0.0, dbias = 0.0;
        for (size_t at = 0; at < places; at++) {
            if (!(p->dst[at * s->dst_step + i] > 0.0)) continue;
            const double dy = p->ddst[at * s->dst_step + i];
            dbias += dy;
            dweight += dy * (p->src[at * s->src_step + i] - mean) / unit;
        }
        p->slot[s->tensor[0].offset + i] = dweight;
        p->slot[s->tensor[1].offset + i] = dbias;
        const double scale = parameter(p, 0, i) / unit;
        for (size_t at = 0; at < places; at++) {
            const bool passed = p->dst[at * s->dst_step + i] > 0.0;
            const double dy = passed ? p->ddst[at * s->dst_step + i] : 0.0;
            const double x = (p->src[at * s->src_step + i] - mean) / unit;
            const double dx = scale * (dy - (dbias + x * dweight) / (double)places);
            double *dsrc = &p->dsrc[at * s->src_step + i];
            *dsrc = accumulates ? *dsrc + dx : dx;
        }
    }
}

/* The place with the largest of the 3x3 around (2y, 2x), the first of equals. */
static size_t find_largest(const struct cxn_ref64_pass *p, const double *src, size_t y, size_t x)
{
    size_t best = SIZE_MAX;
    for (size_t tap = 0; tap < 9; tap++) {
        const size_t sy = y * 2 + tap / 3 - 1, sx = x * 2 + tap % 3 - 1; /* wraps outside */
        if (sy >= p->height || sx >= p->width) continue;
        const size_t place = sy * p->width + sx;
        if (best == SIZE_MAX || src[place * p->step->src_step] > src[best * p->step->src_step])
            best = place;
    }
    return best;
}

static void forward_max_pool(void *ctx, size_t view, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const double *src = p->src + view * p->height * p->width * s->src_step;
    double *dst = p->dst + view * p->dst_height * p->dst_width * s->dst_step;
    for (size_t at = 0; at < p->dst_height * p->dst_width; at++)
        for (size_t i = 0; i < s->in; i++) {
            const size_t best = find_largest(p, src + i, at / p->dst_width, at % p->dst_width);
            dst[at * s->dst_step + i] = src[best * s->src_step + i];
        }
}

static void backward_max_pool(void *ctx, size_t view, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const size_t map = view * p->height * p->width * s->src_step;
    const double *src = p->src + map, *ddst = p->ddst + view * p->dst_height * p->dst_width *
                                                            s->dst_step;
    double *dsrc = p->dsrc + map;
    memset(dsrc, 0, p->height * p->width * s->src_step * sizeof *dsrc);
    for (size_t at = 0; at < p->dst_height * p->dst_width; at++)
        for (size_t i = 0; i < s->in; i++) {
            const size_t best = find_largest(p, src + i, at / p->dst_width, at % p->dst_width);
            dsrc[best * s->src_step + i] += ddst[at * s->dst_step + i];
        }
}

static void forward_avg_pool(void *ctx, size_t view, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    const double *src = p->src + view * p->height * p->width * s->src_step;
    double *dst = p->dst + view * p->dst_height * p->dst_width * s->dst_step;
    for (size_t at = 0; at < p->dst_height * p->dst_width; at++) {
        const size_t y = at / p->dst_width * 2, x = at % p->dst_width * 2;
        for (size_t i = 0; i < s->in; i++) {
            double sum = 0.0;
            for (size_t tap = 0; tap < 4; tap++)
                sum += src[((y + tap / 2) * p->width + x + tap % 2) * s->src_step + i];
            dst[at * s->dst_step + i] = sum / 4.0;
        }
    }
}

/* A last odd row or column is in no pool. */
static void backward_avg_pool(void *ctx, size_t view, unsigned thread)
{
    (void)thread;
    const struct cxn_ref64_pass *p = ctx;
    const struct cxn_step *s = p->step;
    double *dsrc = p->dsrc + view * p->height * p->width * s->src_step;
    const double *ddst = p->ddst + view * p->dst_height * p->dst_width * s->dst_step;
    for (size_t at = 0; at < p->height * p->width; at++) {
        const size_t y = at / p->width / 2, x = at % p->width / 2;
        const bool pooled = y < p->dst_height && x < p->dst_width;
        for (size_t i = 0; i < s->in; i++)
            dsrc[at * s->src_step + i] =
                pooled ? ddst[(y * p->dst_width + x) * s->dst_step + i] / 4.0 : 0.0;
    }
}

static void forward_mean(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    const size_t places = p->height * p->width;
    for (size_t view = 0; view < p->views; view++)
        for (size_t i = 0; i < s->in; i++) {
            double sum = 0.0;
            for (size_t at = 0; at < places; at++)
                sum += p->src[(view * places + at) * s->src_step + i];
            p->dst[view * s->dst_step + i] = sum / (double)places;
        }
}

static void backward_mean(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    const size_t places = p->height * p->width;
    for (size_t at = 0; at < p->views * places; at++)
        for (size_t i = 0; i < s->in; i++)
            p->dsrc[at * s->src_step + i] =
                p->ddst[at / places * s->dst_step + i] / (double)places;
}

static void forward_head(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    const double *w = p->weights + s->tensor[0].offset, *bias = p->weights + s->tensor[1].offset;
    for (size_t view = 0; view < p->views; view++)
        for (size_t o = 0; o < s->out; o++) {
            double sum = bias[o];
            for (size_t i = 0; i < s->in; i++)
                sum += w[o * s->in + i] * p->src[view * s->src_step + i];
            p->dst[view * s->dst_step + o] = sum;
        }
}

static void backward_head(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    const double *w = p->weights + s->tensor[0].offset;
    double *dw = p->slot + s->tensor[0].offset, *dbias = p->slot + s->tensor[1].offset;
    memset(dw, 0, (size_t)s->out * s->in * sizeof *dw);
    memset(dbias, 0, s->out * sizeof *dbias);
    for (size_t view = 0; view < p->views; view++) {
        const double *src = p->src + view * s->src_step, *ddst = p->ddst + view * s->dst_step;
        for (size_t o = 0; o < s->out; o++) {
            dbias[o] += ddst[o];
            for (size_t i = 0; i < s->in; i++) dw[o * s->in + i] += ddst[o] * src[i];
        }
        if (!p->dsrc) continue;
        memset(p->dsrc + view * s->src_step, 0, s->in * sizeof *p->dsrc);
        add_products(p->dsrc + view * s->src_step, ddst, s->out, w, s->in);
    }
}

void cxn_ref64_forward(struct cxn_ref64_pass *p)
{
    const struct cxn_step *s = p->step;
    switch (s->kind) {
    case CXN_STEP_WINDOW: cxn_pool_run(p->pool, p->views, forward_window, p); break;
    case CXN_STEP_CONV:
        pack(p, true);
        cxn_pool_run(p->pool, p->views * p->dst_height, forward_conv_row, p);
        break;
    case CXN_STEP_NORM_RELU:
        cxn_pool_run(p->pool, groups_of(s->in), forward_norm_relu, p);
        break;
    case CXN_STEP_MAX_POOL: cxn_pool_run(p->pool, p->views, forward_max_pool, p); break;
    case CXN_STEP_AVG_POOL: cxn_pool_run(p->pool, p->views, forward_avg_pool, p); break;
    case CXN_STEP_MEAN: forward_mean(p); break;
    case CXN_STEP_HEAD: forward_head(p); break;
    }
}

void cxn_ref64_backward(struct cxn_ref64_pass *p)
{
    switch (p->step->kind) {
    case CXN_STEP_WINDOW: break; /* nobody asks for the gradient of a picture */
    case CXN_STEP_CONV: backward_conv(p); break;
    case CXN_STEP_NORM_RELU:
        cxn_pool_run(p->pool, groups_of(p->step->in), backward_norm_relu, p);
        break;
    case CXN_STEP_MAX_POOL: cxn_pool_run(p->pool, p->views, backward_max_pool, p); break;
    case CXN_STEP_AVG_POOL: cxn_pool_run(p->pool, p->views, backward_avg_pool, p); break;
    case CXN_STEP_MEAN: backward_mean(p); break;
    case CXN_STEP_HEAD: backward_head(p); break;
    }
}
