/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/fold.h"

#include <math.h>

#include "kern/conv_bordered_f32.h"
#include "kern/window_f32.h"

enum { ALIGN_FLOATS = 16 };

/* Called twice: with numbers NULL to count, then to fill. Tensors are met in state_dict order. */
struct builder {
    const struct cxn_net_tensor *next;
    const float *source;
    const struct cxn_fuse_kernels *kernels;
    float *numbers;
    size_t used;
    float *plain, *bias; /* one convolution before it is packed, [terms][out] and [out] */
    size_t plain_count, bias_count; /* the most that any needs */
};

static float *take(struct builder *b, size_t count)
{
    float *p = b->numbers ? b->numbers + b->used : NULL;
    b->used += (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return p;
}

static const struct cxn_net_tensor *pass(struct builder *b, size_t count)
{
    const struct cxn_net_tensor *t = b->next;
    b->next += count;
    return t;
}

/* (x - mean) / sqrt(var + epsilon) * weight + bias = x * (*scale) + (*shift) for channel i of the
 * norm whose four tensors begin at t. */
static void read_norm(const struct builder *b, const struct cxn_net_tensor *t, size_t i,
                      double *scale, double *shift)
{
    const float *weight = b->source + t[0].offset, *bias = b->source + t[1].offset;
    const float *mean = b->source + t[2].offset, *var = b->source + t[3].offset;
    *scale = (double)weight[i] / sqrt((double)var[i] + CXN_NET_EPSILON);
    *shift = (double)bias[i] - (double)mean[i] * *scale;
}

static struct cxn_fold_norm fold_norm(struct builder *b)
{
    const struct cxn_net_tensor *t = pass(b, 4);
    const size_t n = t->count;
    float *scale = take(b, n), *shift = take(b, n);
    for (size_t i = 0; scale && i < n; i++) {
        double s, h;
        read_norm(b, t, i, &s, &h);
        scale[i] = (float)s;
        shift[i] = (float)h;
    }
    return (struct cxn_fold_norm){ scale, shift, n };
}

/* Room for a convolution of `count` packed floats, and for its plain form. */
static float *take_conv(struct builder *b, size_t count, size_t out, size_t terms)
{
    if (b->plain_count < out * terms) b->plain_count = out * terms;
    if (b->bias_count < out) b->bias_count = out;
    return take(b, count);
}

/*
 * A convolution and, where norm is not NULL, the norm behind it. Terms of the packed form are in
 * the order (ky, kx, input).
 */
static const float *fold_conv(struct builder *b, const struct cxn_net_tensor *t,
                              const struct cxn_net_tensor *norm)
{
    const size_t out = t->dims[0], in = t->dims[1], taps = (size_t)t->dims[2] * t->dims[3];
    const size_t terms = cxn_fuse_terms(b->kernels, taps * in);
    const size_t count = b->kernels->packed_count(b->kernels->conv, out, terms);
    float *packed = take_conv(b, count, out, terms);
    if (!packed) return NULL;
    const float *w = b->source + t->offset;
    for (size_t o = 0; o < out; o++) {
        double scale = 1.0, shift = 0.0;
        if (norm) read_norm(b, norm, o, &scale, &shift);
        b->bias[o] = (float)shift;
        for (size_t i = 0; i < in; i++)
            for (size_t tap = 0; tap < taps; tap++)
                b->plain[(tap * in + i) * out + o] = (float)((double)*w++ * scale);
    }
    for (size_t i = taps * in * out; i < terms * out; i++) b->plain[i] = 0.0f;
    b->kernels->pack(b->kernels->conv, packed, b->plain, b->bias, out, terms);
    return packed;
}

/*
 * The stem on samples as they are: (sample / 255 - mean) / deviation is linear in the sample and in
 * the 1 of the plane behind it. With one sample a place, its weight is the sum over red, green and
 * blue, whose samples are equal.
 */
static const float *fold_stem(struct builder *b, const struct cxn_net_tensor *t, size_t samples)
{
    const struct cxn_net_tensor *norm = t + 1;
    const size_t out = t->dims[0], taps = (size_t)t->dims[2] * t->dims[3], planes = samples + 1;
    const struct cxn_conv_bordered_kernel *stem = b->kernels->stem;
    const size_t count = cxn_conv_bordered_f32_packed_count(stem, out, taps * planes);
    float *packed = take_conv(b, count, out, taps * planes);
    if (!packed) return NULL;
    for (size_t o = 0; o < out; o++) {
        double scale, shift;
        read_norm(b, norm, o, &scale, &shift);
        b->bias[o] = (float)shift;
        for (size_t tap = 0; tap < taps; tap++) {
            double sum[4] = { 0 };
            for (size_t i = 0; i < 3; i++) {
                const double w = (double)b->source[t->offset + (o * 3 + i) * taps + tap] * scale /
                                 (double)cxn_window_deviation[i];
                sum[samples == 1 ? 0 : i] += w / 255.0;
                sum[samples] -= w * (double)cxn_window_mean[i];
            }
            for (size_t p = 0; p < planes; p++)
                b->plain[(tap * planes + p) * out + o] = (float)sum[p];
        }
    }
    cxn_conv_bordered_f32_pack(stem, packed, b->plain, b->bias, out, taps * planes);
    return packed;
}

static const float *copy_tensor(struct builder *b)
{
    const struct cxn_net_tensor *t = pass(b, 1);
    float *copy = take(b, t->count);
    for (size_t i = 0; copy && i < t->count; i++) copy[i] = b->source[t->offset + i];
    return copy;
}

static void fold_layer(struct builder *b, struct cxn_fold_layer *layer)
{
    layer->norm = fold_norm(b);
    const struct cxn_net_tensor *t = pass(b, 5); /* conv1, norm2 */
    layer->reduce = fold_conv(b, t, t + 1);
    layer->grow = fold_conv(b, pass(b, 1), NULL);
}

static void fold_all(struct builder *b, struct cxn_fold *f, const struct cxn_net_config *config)
{
    struct cxn_fold_layer *layer = f->layers;
    const struct cxn_net_tensor *t = pass(b, 5); /* conv0, norm0 */
    f->stem_grey = fold_stem(b, t, 1);
    f->stem_colour = fold_stem(b, t, 3);
    for (uint32_t i = 0; i < CXN_NET_BLOCKS; i++) {
        struct cxn_fold_block *block = &f->block[i];
        *block = (struct cxn_fold_block){ .in = cxn_net_block_in(config, i),
                                          .out = cxn_net_block_out(config, i),
                                          .layer_count = config->layers[i], .layers = layer };
        for (size_t k = 0; k < block->layer_count; k++) fold_layer(b, layer++);
        block->norm = fold_norm(b);
        if (i + 1 < CXN_NET_BLOCKS) block->halve = fold_conv(b, pass(b, 1), NULL);
    }
    f->head_w = copy_tensor(b);
    f->head_bias = copy_tensor(b);
}

static enum cxn_status fill(struct cxn_fold *f, const cxn_net *net, const float *block,
                            struct cxn_mem *mem, struct cxn_error *err)
{
    struct builder count = { .next = net->tensors, .source = block, .kernels = &f->kernels };
    fold_all(&count, f, &net->config);
    struct builder b = { .next = net->tensors, .source = block, .kernels = &f->kernels };
    f->numbers = cxn_alloc(mem, count.used, sizeof(float));
    if (!f->numbers)
        return cxn_fail_nomem(err, mem, count.used * sizeof(float), "the packed weights");
    b.numbers = f->numbers;
    b.plain = cxn_alloc(mem, count.plain_count, sizeof(float));
    b.bias = cxn_alloc(mem, count.bias_count, sizeof(float));
    const bool ready = b.plain && b.bias;
    if (ready) fold_all(&b, f, &net->config);
    cxn_free(b.plain);
    cxn_free(b.bias);
    if (ready) return CXN_OK;
    return cxn_fail_nomem(err, mem, count.plain_count * sizeof(float), "folding a convolution");
}

enum cxn_status cxn_fold_open(struct cxn_fold **out, const cxn_net *net, const float *block,
                              const struct cxn_fuse_kernels *kernels, const struct cxn_env *env,
                              struct cxn_error *err)
{
    const struct cxn_net_config *c = &net->config;
    size_t layers = 0;
    *out = NULL;
    if (c->bottleneck * c->growth % kernels->term_unit != 0)
        return cxn_fail(err, CXN_E_ARG, "the network has %u channels between two convolutions, "
                        "expected a multiple of %zu for this mode", c->bottleneck * c->growth,
                        kernels->term_unit);
    for (size_t i = 0; i < CXN_NET_BLOCKS; i++) layers += c->layers[i];
    struct cxn_fold *f = cxn_alloc_zero(env->mem, 1, sizeof *f);
    if (!f) return cxn_fail_nomem(err, env->mem, sizeof *f, "a folded network");
    f->kernels = *kernels;
    f->stem = c->stem;
    f->middle = (size_t)c->bottleneck * c->growth;
    f->growth = c->growth;
    f->classes = c->classes;
    f->layers = cxn_alloc_zero(env->mem, layers, sizeof *f->layers);
    enum cxn_status status = f->layers ? CXN_OK : CXN_E_NOMEM;
    if (status != CXN_OK)
        cxn_fail_nomem(err, env->mem, layers * sizeof *f->layers, "the folded layers");
    else status = fill(f, net, block, env->mem, err);
    if (status != CXN_OK) cxn_fold_close(&f);
    *out = f;
    return status;
}

void cxn_fold_close(struct cxn_fold **fold)
{
    if (!fold || !*fold) return;
    cxn_free((*fold)->numbers);
    cxn_free((*fold)->layers);
    cxn_free(*fold);
    *fold = NULL;
}
