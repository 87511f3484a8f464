/* SPDX-License-Identifier: Apache-2.0 */
/* The row itself: the flat blocks, the head, and the order of things. */
#include <string.h>

#include "cpu/cpu.h"
#include "nn/train_cpu.h"
#include "nn/train_view.h"

static float *slot_of(const cxn_trainer_state *s, unsigned slot)
{
    return cxn_train_blocks_span(&s->blocks, CXN_BLOCK_GRADIENT, slot).data;
}

static void close_cpu(cxn_trainer_state **state)
{
    if (!state || !*state) return;
    cxn_trainer_state *s = *state;
    cxn_train_layout_close(s);
    cxn_train_blocks_close(&s->blocks);
    cxn_free(s);
    *state = NULL;
}

static struct cxn_train_kernels kernels_of(uint32_t cpu, enum cxn_precision precision)
{
    return precision == CXN_PRECISION_BF16 ? cxn_train_kernels_bf16(cpu) :
                                             cxn_train_kernels_f32(cpu);
}

static enum cxn_status open_cpu(cxn_trainer_state **out, const struct cxn_engine_source *source,
                                const struct cxn_trainer_options *options,
                                const struct cxn_env *env, struct cxn_error *err)
{
    *out = NULL;
    enum cxn_status status = cxn_train_options_check(options, err);
    if (status != CXN_OK) return status;
    cxn_trainer_state *s = cxn_alloc_zero(env->mem, 1, sizeof *s);
    if (!s) return cxn_fail_nomem(err, env->mem, sizeof *s, "a trainer");
    s->net = source->net;
    s->env = *env;
    s->options = *options;
    s->trained = cxn_trained_of(s->net, options->head_only);
    s->kernels = kernels_of(env->cpu, options->precision);
    s->stale = true;
    status = cxn_train_blocks_open(&s->blocks, s->net, CXN_NUMBER_F32, options, env->mem, err);
    s->weights = s->blocks.weights;
    if (status == CXN_OK) status = cxn_train_layout_open(s, err);
    if (status != CXN_OK) {
        close_cpu(&s);
        return status;
    }
    memcpy(s->weights, source->block, s->net->float_count * sizeof *s->weights);
    if (s->blocks.average)
        memcpy(s->blocks.average, s->weights, s->net->float_count * sizeof *s->weights);
    *out = s;
    return CXN_OK;
}

/* ---- there -------------------------------------------------------------------------------- */

static size_t feature_count(const cxn_trainer_state *s)
{
    return s->block[CXN_NET_BLOCKS - 1].out;
}

/* The head in double: it is small, and the loss is made from it. */
static void find_logits(const cxn_trainer_state *s, size_t count, double *logits)
{
    const size_t classes = s->net->config.classes, channels = feature_count(s);
    const float *w = s->weights + s->head[0].offset, *bias = s->weights + s->head[1].offset;
    for (size_t i = 0; i < count * classes; i++) {
        const double *features = s->features + i / classes * s->widest;
        double sum = (double)bias[i % classes];
        for (size_t c = 0; c < channels; c++)
            sum += features[c] * (double)w[i % classes * channels + c];
        logits[i] = sum;
    }
}

static enum cxn_status forward_cpu(cxn_trainer_state *s, const struct cxn_train_view *views,
                                   size_t count, unsigned slot, double *logits,
                                   struct cxn_error *err)
{
    enum cxn_status status = cxn_train_views_check(views, count, &s->options, err);
    s->passed = 0;
    if (status != CXN_OK) return status;
    if (s->stale) cxn_train_pack(s);
    cxn_train_windows(s, views, count);
    for (size_t first = 0; first < count; first += s->room)
        cxn_train_forward(s, first, count - first < s->room ? count - first : s->room,
                          slot_of(s, slot));
    find_logits(s, count, logits);
    status = cxn_train_logits_check(logits, count, s->net->config.classes, err);
    if (status == CXN_OK) s->passed = count;
    return status;
}

/* ---- and back ----------------------------------------------------------------------------- */

static void head_back(cxn_trainer_state *s, const double *dlogits, float *slot)
{
    const size_t classes = s->net->config.classes, channels = feature_count(s);
    const size_t side = s->block[CXN_NET_BLOCKS - 1].side;
    float *dw = slot + s->head[0].offset, *dbias = slot + s->head[1].offset;
    for (size_t o = 0; o < classes; o++) {
        double sum = 0.0;
        for (size_t v = 0; v < s->passed; v++) sum += dlogits[v * classes + o];
        dbias[o] = (float)sum;
        for (size_t c = 0; c < channels; c++) {
            sum = 0.0;
            for (size_t v = 0; v < s->passed; v++)
                sum += dlogits[v * classes + o] * s->features[v * s->widest + c];
            dw[o * channels + c] = (float)sum;
        }
    }
    const float *w = s->weights + s->head[0].offset;
    for (size_t v = 0; v < s->passed; v++) {
        for (size_t c = 0; c < channels; c++) {
            double sum = 0.0;
            for (size_t o = 0; o < classes; o++)
                sum += dlogits[v * classes + o] * (double)w[o * channels + c];
            s->dfeatures[v * s->widest + c] = (float)(sum / (double)(side * side));
        }
    }
}

static enum cxn_status backward_cpu(cxn_trainer_state *s, const double *dlogits, unsigned slot,
                                    cxn_gradient_fn *ready, void *ctx, struct cxn_error *err)
{
    const struct cxn_trained *t = &s->trained;
    const size_t statistics = t->statistic_end - t->statistic_first;
    const struct cxn_net_tensor *head = s->head;
    float *gradient = slot_of(s, slot);
    int stop = 0;
    if (s->passed == 0) return cxn_fail(err, CXN_E_ARG, "no forward pass to go back through");
    if (ready && statistics > 0) stop = ready(ctx, t->statistic_first, statistics);
    if (stop == 0) {
        head_back(s, dlogits, gradient);
        if (ready) stop = ready(ctx, head[0].offset, head[0].count + head[1].count);
    }
    if (stop == 0 && !s->options.head_only) stop = cxn_train_backward(s, gradient, ready, ctx);
    return stop == 0 ? CXN_OK : cxn_fail(err, CXN_E_STOPPED, "stopped by the caller");
}

/* ---- flat blocks -------------------------------------------------------------------------- */

static void add_cpu(cxn_trainer_state *s, unsigned to, unsigned from, size_t first, size_t count)
{
    cxn_add_f32(slot_of(s, to) + first, slot_of(s, from) + first, count, s->env.pool);
}

static double square_sum_cpu(cxn_trainer_state *s, unsigned slot)
{
    return cxn_square_sum_f32(slot_of(s, slot), s->net->param_count, s->env.pool);
}

static struct cxn_span block_cpu(cxn_trainer_state *s, enum cxn_train_block block, unsigned which)
{
    return cxn_train_blocks_span(&s->blocks, block, which);
}

static void update_cpu(cxn_trainer_state *s, unsigned slot, const struct cxn_update *update)
{
    const struct cxn_blocks_f32 blocks = {
        .weights = s->weights, .gradient = slot_of(s, slot),
        .moment = { block_cpu(s, CXN_BLOCK_MOMENT, 0).data,
                    block_cpu(s, CXN_BLOCK_MOMENT, 1).data },
        .average = s->blocks.average
    };
    cxn_update_f32(&blocks, &s->trained, update, s->env.pool);
    s->stale = s->stale || !s->options.head_only; /* the head is read as it is */
}

static void changed_cpu(cxn_trainer_state *s)
{
    s->stale = true;
}

/* The lowest level with the same kernels, all of them: any one may change the bits. */
static const char *level_cpu(uint32_t cpu, enum cxn_precision precision)
{
    const struct cxn_train_kernels kernels = kernels_of(cpu, precision);
    for (size_t i = 0; cxn_cpu_level_name(i); i++) {
        const char *name = cxn_cpu_level_name(i);
        uint32_t limited;
        if (cxn_cpu_limit(cpu, name, &limited, NULL) != CXN_OK) continue;
        const struct cxn_train_kernels lower = kernels_of(limited, precision);
        if (cxn_train_kernels_same(&kernels, &lower)) return name;
    }
    return cxn_cpu_level(cpu);
}

const struct cxn_trainer cxn_trainer_cpu = {
    .name = "cpu", .number = CXN_NUMBER_F32, .level = level_cpu, .open = open_cpu,
    .forward = forward_cpu, .backward = backward_cpu, .add = add_cpu,
    .square_sum = square_sum_cpu, .update = update_cpu, .block = block_cpu,
    .changed = changed_cpu, .close = close_cpu
};
