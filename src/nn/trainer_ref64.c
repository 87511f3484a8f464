/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the row, and the walk through the list of steps there and back. Every map is kept
 * from forward() to backward(): 0.17 GiB a view of 224 x 224. */
#include <string.h>

#include "base/size.h"
#include "nn/train_blocks.h"
#include "nn/train_view.h"
#include "nn/trainer_ref64_steps.h"
#include "nn/update.h"

/* Where a step's maps are, in numbers into `maps`. */
struct places {
    size_t src, dst;
};

struct cxn_trainer_state {
    const cxn_net *net;
    struct cxn_env env;
    struct cxn_trainer_options options;
    struct cxn_trained trained;
    struct cxn_steps *steps;
    struct places *places;         /* [steps->count] */
    double *maps;                  /* the values of all maps */
    double *dmaps[CXN_MAP_COUNT];  /* gradients, each for the largest map of its kind */
    struct cxn_train_blocks blocks;
    double *weights;               /* of the blocks */
    double *used;                  /* statistics that the norms used */
    double *packed, *dpacked;      /* the weights of one convolution */
    uint8_t *samples;              /* [views_max][side][side][3] */
    size_t count;                  /* views of the forward pass before, 0: none */
};

static double *slot_of(const cxn_trainer_state *s, unsigned slot)
{
    return cxn_train_blocks_span(&s->blocks, CXN_BLOCK_GRADIENT, slot).data;
}

static void close_ref64(cxn_trainer_state **state)
{
    if (!state || !*state) return;
    cxn_trainer_state *s = *state;
    cxn_steps_close(&s->steps);
    void *const others[] = { s->places, s->maps, s->used, s->packed, s->dpacked, s->samples };
    cxn_train_blocks_close(&s->blocks);
    for (size_t i = 0; i < CXN_COUNTOF(others); i++) cxn_free(others[i]);
    for (size_t i = 0; i < CXN_MAP_COUNT; i++) cxn_free(s->dmaps[i]);
    cxn_free(s);
    *state = NULL;
}

/* Cleared doubles. */
static enum cxn_status take(cxn_trainer_state *s, double **out, size_t count, const char *what,
                            struct cxn_error *err)
{
    return cxn_train_take(s->env.mem, out, 1, count, sizeof **out, what, err);
}

static bool map_size(const cxn_trainer_state *s, const struct cxn_step *step, size_t *numbers)
{
    const size_t side = cxn_view_side(s->options.side, step->dst_shift);
    return cxn_size_product((const size_t[]){ s->options.views_max, side, side, step->dst_step },
                            4, numbers);
}

/* A map of its own for each step; those that write into a dense block's map share it. */
static bool lay_out(cxn_trainer_state *s, size_t *total, size_t largest[CXN_MAP_COUNT])
{
    size_t current[CXN_MAP_COUNT] = { 0 };
    *total = 0;
    for (size_t i = 0; i < s->steps->count; i++) {
        const struct cxn_step *step = &s->steps->step[i];
        size_t numbers;
        if (!map_size(s, step, &numbers)) return false;
        s->places[i].src = current[step->src];
        if (step->dst_first == 0) {
            current[step->dst] = *total;
            if (!cxn_size_add(*total, numbers, total)) return false;
        }
        s->places[i].dst = current[step->dst] + step->dst_first;
        if (largest[step->dst] < numbers) largest[step->dst] = numbers;
    }
    return true;
}

static enum cxn_status take_maps(cxn_trainer_state *s, struct cxn_error *err)
{
    size_t total, largest[CXN_MAP_COUNT] = { 0 };
    const size_t bytes = s->steps->count * sizeof *s->places;
    s->places = cxn_alloc(s->env.mem, bytes, 1);
    if (!s->places) return cxn_fail_nomem(err, s->env.mem, bytes, "the places of the maps");
    if (!lay_out(s, &total, largest))
        return cxn_fail_nomem(err, s->env.mem, SIZE_MAX, "feature maps");
    enum cxn_status status = take(s, &s->maps, total, "feature maps", err);
    for (enum cxn_map map = CXN_MAP_BLOCK; status == CXN_OK && map < CXN_MAP_COUNT; map++)
        status = take(s, &s->dmaps[map], largest[map], "gradients of feature maps", err);
    if (status != CXN_OK) return status;
    const size_t samples = s->options.views_max * s->options.side * s->options.side * 3;
    s->samples = cxn_alloc(s->env.mem, samples, 1); /* fits, as the first map of doubles does */
    return s->samples ? CXN_OK : cxn_fail_nomem(err, s->env.mem, samples, "samples of views");
}

static enum cxn_status take_blocks(cxn_trainer_state *s, struct cxn_error *err)
{
    const size_t all = s->net->float_count, params = s->net->param_count;
    size_t conv = 0;
    for (size_t i = 0; i < s->steps->count; i++)
        if (s->steps->step[i].kind == CXN_STEP_CONV && conv < s->steps->step[i].tensor->count)
            conv = s->steps->step[i].tensor->count;
    enum cxn_status status = cxn_train_blocks_open(&s->blocks, s->net, CXN_NUMBER_F64,
                                                   &s->options, s->env.mem, err);
    s->weights = s->blocks.weights;
    if (status == CXN_OK) status = take(s, &s->used, all - params, "statistics", err);
    if (status == CXN_OK) status = take(s, &s->packed, conv, "packed weights", err);
    if (status == CXN_OK) status = take(s, &s->dpacked, conv, "packed gradients", err);
    return status;
}

static enum cxn_status open_ref64(cxn_trainer_state **out, const struct cxn_engine_source *source,
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
    status = cxn_steps_open(&s->steps, s->net, env->mem, err);
    if (status == CXN_OK) status = take_maps(s, err);
    if (status == CXN_OK) status = take_blocks(s, err);
    if (status != CXN_OK) {
        close_ref64(&s);
        return status;
    }
    for (size_t i = 0; i < s->net->float_count; i++) s->weights[i] = (double)source->block[i];
    if (s->blocks.average)
        memcpy(s->blocks.average, s->weights, s->net->float_count * sizeof *s->weights);
    *out = s;
    return CXN_OK;
}

static struct cxn_ref64_pass pass_of(cxn_trainer_state *s, size_t i, size_t count, unsigned slot)
{
    const struct cxn_step *step = &s->steps->step[i];
    return (struct cxn_ref64_pass){
        .step = step, .views = count,
        .height = cxn_view_side(s->options.side, step->shift),
        .width = cxn_view_side(s->options.side, step->shift),
        .dst_height = cxn_view_side(s->options.side, step->dst_shift),
        .dst_width = cxn_view_side(s->options.side, step->dst_shift),
        .src = s->maps + s->places[i].src, .dst = s->maps + s->places[i].dst,
        .weights = s->weights, .slot = slot_of(s, slot), .param_count = s->net->param_count,
        .used = s->used, .frozen = s->options.head_only, .packed = s->packed,
        .dpacked = s->dpacked, .pool = s->env.pool
    };
}

static enum cxn_status forward_ref64(cxn_trainer_state *s, const struct cxn_train_view *views,
                                     size_t count, unsigned slot, double *logits,
                                     struct cxn_error *err)
{
    enum cxn_status status = cxn_train_views_check(views, count, &s->options, err);
    s->count = 0;
    if (status != CXN_OK) return status;
    const double *result = NULL;
    for (size_t i = 0; i < s->steps->count; i++) {
        struct cxn_ref64_pass pass = pass_of(s, i, count, slot);
        pass.view = views;
        pass.samples = s->samples;
        cxn_ref64_forward(&pass);
        result = pass.dst;
    }
    memcpy(logits, result, count * s->net->config.classes * sizeof *logits);
    status = cxn_train_logits_check(logits, count, s->net->config.classes, err);
    if (status == CXN_OK) s->count = count;
    return status;
}

/* Parameters of a step: a norm's weight and bias, or the head's, are neighbours. */
static void range_of(const struct cxn_step *step, size_t *first, size_t *count)
{
    *first = step->tensor[0].offset;
    *count = step->tensor[0].count;
    if (step->kind != CXN_STEP_CONV) *count += step->tensor[1].count;
}

/* A frozen backbone ends the walk behind the head. */
static size_t first_step(const cxn_trainer_state *s)
{
    return s->options.head_only ? s->steps->count - 1 : 0;
}

static enum cxn_status backward_ref64(cxn_trainer_state *s, const double *dlogits, unsigned slot,
                                      cxn_gradient_fn *ready, void *ctx, struct cxn_error *err)
{
    const struct cxn_trained *t = &s->trained;
    const size_t statistics = t->statistic_end - t->statistic_first;
    if (s->count == 0) return cxn_fail(err, CXN_E_ARG, "no forward pass to go back through");
    if (ready && statistics > 0 && ready(ctx, t->statistic_first, statistics) != 0)
        return cxn_fail(err, CXN_E_STOPPED, "stopped by the caller");
    for (size_t i = s->steps->count; i-- > first_step(s);) {
        const struct cxn_step *step = &s->steps->step[i];
        struct cxn_ref64_pass pass = pass_of(s, i, s->count, slot);
        pass.ddst = step->kind == CXN_STEP_HEAD ? dlogits
                                                : s->dmaps[step->dst] + step->dst_first;
        pass.dsrc = s->options.head_only || step->src == CXN_MAP_INPUT ? NULL
                                                                       : s->dmaps[step->src];
        if (step->kind == CXN_STEP_WINDOW) break;
        cxn_ref64_backward(&pass);
        if (!step->tensor || !ready) continue;
        size_t first, count;
        range_of(step, &first, &count);
        if (ready(ctx, first, count) != 0)
            return cxn_fail(err, CXN_E_STOPPED, "stopped by the caller");
    }
    return CXN_OK;
}

static void add_ref64(cxn_trainer_state *s, unsigned to, unsigned from, size_t first, size_t count)
{
    cxn_add_f64(slot_of(s, to) + first, slot_of(s, from) + first, count, s->env.pool);
}

static double square_sum_ref64(cxn_trainer_state *s, unsigned slot)
{
    return cxn_square_sum_f64(slot_of(s, slot), s->net->param_count, s->env.pool);
}

static struct cxn_span block_ref64(cxn_trainer_state *s, enum cxn_train_block block,
                                   unsigned which)
{
    return cxn_train_blocks_span(&s->blocks, block, which);
}

static void update_ref64(cxn_trainer_state *s, unsigned slot, const struct cxn_update *update)
{
    const struct cxn_blocks_f64 blocks = {
        .weights = s->weights, .gradient = slot_of(s, slot),
        .moment = { block_ref64(s, CXN_BLOCK_MOMENT, 0).data,
                    block_ref64(s, CXN_BLOCK_MOMENT, 1).data },
        .average = s->blocks.average
    };
    cxn_update_f64(&blocks, &s->trained, update, s->env.pool);
}

/* Every pass reads the block itself. */
static void changed_ref64(cxn_trainer_state *s)
{
    (void)s;
}

static const char *level_ref64(uint32_t cpu, enum cxn_precision precision)
{
    (void)cpu;
    (void)precision;
    return "c";
}

const struct cxn_trainer cxn_trainer_ref64 = {
    .name = "ref64", .number = CXN_NUMBER_F64, .level = level_ref64, .open = open_ref64,
    .forward = forward_ref64, .backward = backward_ref64, .add = add_ref64,
    .square_sum = square_sum_ref64, .update = update_ref64, .block = block_ref64,
    .changed = changed_ref64, .close = close_ref64
};
