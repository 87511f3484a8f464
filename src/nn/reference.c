/* SPDX-License-Identifier: Apache-2.0 */
/* float32 with row `c` of every kernel, whatever the CPU has: every other engine's oracle. */
#include <math.h>

#include "kern/avg_pool_f32.h"
#include "kern/conv_f32.h"
#include "kern/linear_f32.h"
#include "kern/max_pool_f32.h"
#include "kern/mean_f32.h"
#include "kern/norm_relu_f32.h"
#include "kern/sigmoid_f32.h"
#include "kern/window_f32.h"
#include "nn/walk.h"

enum { NO_CPU_BITS = 0 };

static size_t weight_count(const struct cxn_step *s)
{
    switch (s->kind) {
    case CXN_STEP_CONV:
        return cxn_conv_f32_packed_count(cxn_conv_f32_pick(NO_CPU_BITS), s->out, s->in, s->kernel);
    case CXN_STEP_NORM_RELU: return 2 * (size_t)s->in;
    case CXN_STEP_HEAD: return ((size_t)s->in + 1) * s->out;
    default: return 0;
    }
}

/* scale and shift, so that x * scale + shift = (x - mean) / sqrt(var + epsilon) * weight + bias. */
static void load_norm(const struct cxn_step *s, const float *block, float *scale)
{
    const struct cxn_net_tensor *t = s->tensor;
    const float *weight = block + t[0].offset, *bias = block + t[1].offset;
    const float *mean = block + t[2].offset, *var = block + t[3].offset;
    float *shift = scale + s->in;
    for (size_t i = 0; i < s->in; i++) {
        const double a = (double)weight[i] / sqrt((double)var[i] + CXN_NET_EPSILON);
        scale[i] = (float)a;
        shift[i] = (float)((double)bias[i] - (double)mean[i] * a);
    }
}

/* Weights, then bias, as they stand. */
static void load_head(const struct cxn_step *s, const float *block, float *weights)
{
    const size_t count = (size_t)s->in * s->out;
    for (size_t i = 0; i < count; i++) weights[i] = block[s->tensor[0].offset + i];
    for (size_t i = 0; i < s->out; i++) weights[count + i] = block[s->tensor[1].offset + i];
}

static void load(const struct cxn_step *s, const float *block, void *weights)
{
    if (s->kind == CXN_STEP_NORM_RELU) load_norm(s, block, weights);
    else if (s->kind == CXN_STEP_HEAD) load_head(s, block, weights);
    else cxn_conv_f32_pack(cxn_conv_f32_pick(NO_CPU_BITS), weights, block + s->tensor->offset,
                           s->out, s->in, s->kernel);
}

static void compute_window(const struct cxn_operands *at)
{
    const struct cxn_view *v = at->view;
    const struct cxn_picture *p = v->picture;
    const struct cxn_window_f32 window = {
        .src = p->pixels + v->y * p->stride_bytes + (size_t)v->x * p->channels,
        .stride_bytes = p->stride_bytes, .width = v->width, .height = v->height,
        .channels = p->channels, .mirror = v->mirror
    };
    cxn_window_f32_pick(NO_CPU_BITS)->run(at->dst, &window);
}

static void compute_conv(const struct cxn_step *s, const struct cxn_operands *at)
{
    const struct cxn_conv_f32 conv = {
        .src = at->src, .src_step = s->src_step, .height = at->height, .width = at->width,
        .in = s->in, .out = s->out, .kernel = s->kernel, .stride = s->stride, .pad = s->pad,
        .w = at->weights, .zeros = at->zeros, .dst = at->dst, .dst_step = s->dst_step
    };
    cxn_conv_f32_pick(NO_CPU_BITS)->run(&conv);
}

static void compute_norm_relu(const struct cxn_step *s, const struct cxn_operands *at)
{
    const float *scale = at->weights;
    const struct cxn_norm_relu norm = {
        .src = at->src, .src_step = s->src_step, .dst = at->dst, .dst_step = s->dst_step,
        .count = at->height * at->width, .channels = s->in, .scale = scale, .shift = scale + s->in
    };
    cxn_norm_relu_f32_pick(NO_CPU_BITS)->run(&norm);
}

static void compute_head(const struct cxn_step *s, const struct cxn_operands *at)
{
    const float *w = at->weights;
    const float *bias = w + (size_t)s->in * s->out;
    cxn_linear_f32_pick(NO_CPU_BITS)->run(at->dst, at->src, w, bias, s->out, s->in);
    cxn_sigmoid_f32_pick(NO_CPU_BITS)->run(at->dst, at->dst, s->out);
}

static void compute(const struct cxn_step *s, const struct cxn_operands *at)
{
    const size_t h = at->height, w = at->width;
    switch (s->kind) {
    case CXN_STEP_WINDOW: compute_window(at); break;
    case CXN_STEP_CONV: compute_conv(s, at); break;
    case CXN_STEP_NORM_RELU: compute_norm_relu(s, at); break;
    case CXN_STEP_MAX_POOL:
        cxn_max_pool_f32_pick(NO_CPU_BITS)->run(at->dst, s->dst_step, at->src, h, w, s->in);
        break;
    case CXN_STEP_AVG_POOL:
        cxn_avg_pool_f32_pick(NO_CPU_BITS)->run(at->dst, s->dst_step, at->src, h, w, s->in);
        break;
    case CXN_STEP_MEAN: cxn_mean_f32_pick(NO_CPU_BITS)->run(at->dst, at->src, h * w, s->in); break;
    case CXN_STEP_HEAD: compute_head(s, at); break;
    }
}

static double read_number(const void *numbers, size_t i)
{
    return ((const float *)numbers)[i];
}

static const struct cxn_arithmetic float_arithmetic = {
    .number_bytes = sizeof(float), .weight_count = weight_count, .load = load, .compute = compute,
    .read = read_number
};

static enum cxn_status open_reference(cxn_engine_state **state,
                                      const struct cxn_engine_source *source,
                                      const struct cxn_env *env, struct cxn_error *err)
{
    return cxn_walk_open(state, &float_arithmetic, source, env, err);
}

static const char *level_of(uint32_t cpu)
{
    (void)cpu;
    return cxn_conv_f32_pick(NO_CPU_BITS)->row.name;
}

const struct cxn_engine cxn_engine_reference = {
    .name = "reference", .device = "cpu", .level = level_of, .open = open_reference,
    .fit = cxn_walk_fit, .run = cxn_walk_run, .profile = cxn_walk_profile, .close = cxn_walk_close
};
