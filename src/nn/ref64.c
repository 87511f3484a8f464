/* SPDX-License-Identifier: Apache-2.0 */
/* The same steps in double precision, each as its definition reads and with no kernel of kern/, so
 * that it is a second opinion. For tests: about nine times slower than the reference. */
#include <math.h>
#include <string.h>

#include "nn/walk.h"

static size_t weight_count(const struct cxn_step *s)
{
    switch (s->kind) {
    case CXN_STEP_CONV: return (size_t)s->out * s->in * s->kernel * s->kernel;
    case CXN_STEP_NORM_RELU: return 4 * (size_t)s->in;
    case CXN_STEP_HEAD: return ((size_t)s->in + 1) * s->out;
    default: return 0;
    }
}

/* [ky][kx][in][out], so that the innermost loop runs over neighbours. */
static void load_conv(const struct cxn_step *s, const float *w, double *packed)
{
    const size_t taps = (size_t)s->kernel * s->kernel;
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t i = 0; i < s->in; i++)
            for (size_t o = 0; o < s->out; o++) *packed++ = w[(o * s->in + i) * taps + tap];
}

static void load(const struct cxn_step *s, const float *block, void *weights)
{
    if (s->kind == CXN_STEP_CONV) {
        load_conv(s, block + s->tensor->offset, weights);
        return;
    }
    double *at = weights; /* a norm's four tensors, or the head's two, one behind the other */
    const size_t tensors = s->kind == CXN_STEP_HEAD ? 2 : 4;
    for (const struct cxn_net_tensor *t = s->tensor; t < s->tensor + tensors; t++)
        for (size_t i = 0; i < t->count; i++) *at++ = block[t->offset + i];
}

static void compute_window(const struct cxn_operands *at)
{
    static const double mean[3] = { .485, .456, .406 }, deviation[3] = { .229, .224, .225 };
    const struct cxn_view *v = at->view;
    const struct cxn_picture *p = v->picture;
    double *dst = at->dst;
    for (uint32_t y = 0; y < v->height; y++) {
        for (uint32_t x = 0; x < v->width; x++) {
            const uint32_t column = v->x + (v->mirror ? v->width - 1 - x : x);
            const uint8_t *sample = p->pixels + (v->y + y) * p->stride_bytes +
                                    (size_t)column * p->channels;
            for (uint32_t i = 0; i < 3; i++)
                *dst++ = (sample[p->channels == 1 ? 0 : i] / 255.0 - mean[i]) / deviation[i];
        }
    }
}

/* All output channels of place (y, x), relative to dst. */
static void convolve_place(const struct cxn_step *s, const struct cxn_operands *at, size_t y,
                           size_t x, double *dst)
{
    const double *w = at->weights;
    memset(dst, 0, s->out * sizeof *dst);
    for (size_t tap = 0; tap < (size_t)s->kernel * s->kernel; tap++, w += (size_t)s->in * s->out) {
        const size_t sy = y * s->stride + tap / s->kernel - s->pad; /* wraps above the picture */
        const size_t sx = x * s->stride + tap % s->kernel - s->pad;
        if (sy >= at->height || sx >= at->width) continue;
        const double *src = (const double *)at->src + (sy * at->width + sx) * s->src_step;
        for (size_t i = 0; i < s->in; i++)
            for (size_t o = 0; o < s->out; o++) dst[o] += src[i] * w[i * s->out + o];
    }
}

static void compute_conv(const struct cxn_step *s, const struct cxn_operands *at)
{
    double *dst = at->dst;
    for (size_t y = 0; y < at->dst_height; y++)
        for (size_t x = 0; x < at->dst_width; x++, dst += s->dst_step)
            convolve_place(s, at, y, x, dst);
}

static void compute_norm_relu(const struct cxn_step *s, const struct cxn_operands *at)
{
    const double *weight = at->weights, *bias = weight + s->in;
    const double *mean = bias + s->in, *var = mean + s->in;
    for (size_t p = 0; p < at->height * at->width; p++) {
        const double *src = (const double *)at->src + p * s->src_step;
        double *dst = (double *)at->dst + p * s->dst_step;
        for (size_t i = 0; i < s->in; i++) {
            const double unit = (src[i] - mean[i]) / sqrt(var[i] + CXN_NET_EPSILON);
            const double value = unit * weight[i] + bias[i];
            dst[i] = value < 0.0 ? 0.0 : value;
        }
    }
}

/* Pooling of `side` x `side` windows that begin `border` before every second place. */
static void compute_pool(const struct cxn_step *s, const struct cxn_operands *at, size_t side,
                         size_t border)
{
    const bool largest = s->kind == CXN_STEP_MAX_POOL;
    for (size_t p = 0; p < at->dst_height * at->dst_width; p++) {
        double *dst = (double *)at->dst + p * s->dst_step;
        const size_t y = p / at->dst_width * 2 - border, x = p % at->dst_width * 2 - border;
        for (size_t i = 0; i < s->in; i++) {
            double best = -INFINITY, sum = 0.0;
            for (size_t tap = 0; tap < side * side; tap++) {
                const size_t sy = y + tap / side, sx = x + tap % side; /* wraps outside */
                if (sy >= at->height || sx >= at->width) continue;
                const double v =
                    ((const double *)at->src)[(sy * at->width + sx) * s->src_step + i];
                best = v > best ? v : best;
                sum += v;
            }
            dst[i] = largest ? best : sum / (double)(side * side);
        }
    }
}

static void compute_mean(const struct cxn_step *s, const struct cxn_operands *at)
{
    const size_t places = at->height * at->width;
    double *dst = at->dst;
    for (size_t i = 0; i < s->in; i++) {
        double sum = 0.0;
        for (size_t p = 0; p < places; p++) sum += ((const double *)at->src)[p * s->src_step + i];
        dst[i] = sum / (double)places;
    }
}

static void compute_head(const struct cxn_step *s, const struct cxn_operands *at)
{
    const double *w = at->weights, *bias = w + (size_t)s->in * s->out, *src = at->src;
    double *dst = at->dst;
    for (size_t o = 0; o < s->out; o++) {
        double sum = bias[o];
        for (size_t i = 0; i < s->in; i++) sum += w[o * s->in + i] * src[i];
        dst[o] = 1.0 / (1.0 + exp(-sum));
    }
}

static void compute(const struct cxn_step *s, const struct cxn_operands *at)
{
    switch (s->kind) {
    case CXN_STEP_WINDOW: compute_window(at); break;
    case CXN_STEP_CONV: compute_conv(s, at); break;
    case CXN_STEP_NORM_RELU: compute_norm_relu(s, at); break;
    case CXN_STEP_MAX_POOL: compute_pool(s, at, 3, 1); break;
    case CXN_STEP_AVG_POOL: compute_pool(s, at, 2, 0); break;
    case CXN_STEP_MEAN: compute_mean(s, at); break;
    case CXN_STEP_HEAD: compute_head(s, at); break;
    }
}

static double read_number(const void *numbers, size_t i)
{
    return ((const double *)numbers)[i];
}

static const struct cxn_arithmetic double_arithmetic = {
    .number_bytes = sizeof(double), .weight_count = weight_count, .load = load,
    .compute = compute, .read = read_number
};

static enum cxn_status open_ref64(cxn_engine_state **state, const struct cxn_engine_source *source,
                                  const struct cxn_env *env, struct cxn_error *err)
{
    return cxn_walk_open(state, &double_arithmetic, source, env, err);
}

static const char *level_of(uint32_t cpu)
{
    (void)cpu;
    return "c";
}

const struct cxn_engine cxn_engine_ref64 = {
    .name = "ref64", .device = "cpu", .level = level_of, .open = open_ref64, .fit = cxn_walk_fit,
    .run = cxn_walk_run, .close = cxn_walk_close
};
