/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/walk.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/size.h"
#include "nn/view.h"

enum { LINE_BYTES = 64 };

/* Where the maps of one view lie. */
struct layout {
    size_t offset[CXN_MAP_COUNT], bytes;
};

struct cxn_engine_state {
    const struct cxn_arithmetic *arithmetic;
    struct cxn_mem *mem;
    cxn_pool *pool;
    struct cxn_steps *steps;
    size_t classes;
    size_t *weight_offset;    /* [steps->count], in bytes into weights */
    uint8_t *weights;         /* of all steps, as the arithmetic loads them */
    uint8_t *zeros;           /* steps->in_max numbers */
    struct cxn_room room;
    struct layout layout;     /* of one thread's maps, for that room */
    uint8_t *maps;            /* [threads][layout.bytes] */
};

static size_t round_up(size_t bytes)
{
    return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

static enum cxn_status load_weights(cxn_engine_state *s, const float *block,
                                    struct cxn_error *err)
{
    const struct cxn_steps *steps = s->steps;
    size_t bytes = steps->count * sizeof *s->weight_offset;
    s->weight_offset = cxn_alloc(s->mem, bytes, 1);
    if (!s->weight_offset) return cxn_fail_nomem(err, s->mem, bytes, "the places of the weights");
    bytes = 0;
    for (size_t i = 0; i < steps->count; i++) {
        s->weight_offset[i] = bytes;
        bytes += round_up(s->arithmetic->weight_count(&steps->step[i]) *
                          s->arithmetic->number_bytes);
    }
    s->weights = cxn_alloc(s->mem, bytes, 1);
    if (!s->weights) return cxn_fail_nomem(err, s->mem, bytes, "the weights");
    for (size_t i = 0; i < steps->count; i++)
        if (s->arithmetic->weight_count(&steps->step[i]) > 0)
            s->arithmetic->load(&steps->step[i], block, s->weights + s->weight_offset[i]);
    return CXN_OK;
}

/* Numbers in a map for the step that needs most; false where they do not fit. */
static bool count_numbers(const struct cxn_steps *steps, enum cxn_map map,
                          const struct cxn_room *room, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < steps->count; i++) {
        const struct cxn_step *step = &steps->step[i];
        const size_t factors[] = { cxn_view_side(room->shorter, step->dst_shift),
                                   cxn_view_side(room->longer, step->dst_shift), step->dst_step };
        size_t needed;
        if (step->dst != map) continue;
        if (!cxn_size_product(factors, CXN_COUNTOF(factors), &needed)) return false;
        if (*count < needed) *count = needed;
    }
    return true;
}

/* False where the sizes do not fit. */
static bool lay_out(const cxn_engine_state *s, const struct cxn_room *room, struct layout *layout)
{
    *layout = (struct layout){ .bytes = 0 };
    for (enum cxn_map map = 0; map < CXN_MAP_COUNT; map++) {
        size_t bytes;
        if (!count_numbers(s->steps, map, room, &bytes)) return false;
        if (!cxn_size_mul(bytes, s->arithmetic->number_bytes, &bytes)) return false;
        if (bytes > SIZE_MAX / 2 / CXN_MAP_COUNT) return false;
        layout->offset[map] = layout->bytes;
        layout->bytes += round_up(bytes);
    }
    return true;
}

enum cxn_status cxn_walk_fit(cxn_engine_state *s, const struct cxn_room *room,
                             struct cxn_error *err)
{
    struct layout layout;
    uint8_t *maps = NULL;
    const bool fits = lay_out(s, room, &layout);
    if (fits) maps = cxn_alloc(s->mem, cxn_pool_threads(s->pool), layout.bytes);
    if (!maps)
        return cxn_fail_nomem(err, s->mem, fits ? layout.bytes : SIZE_MAX,
                              "a thread's feature maps");
    cxn_free(s->maps);
    s->maps = maps;
    s->layout = layout;
    s->room = *room;
    return CXN_OK;
}

static enum cxn_status make_zeros(cxn_engine_state *s, struct cxn_error *err)
{
    s->zeros = cxn_alloc_zero(s->mem, s->steps->in_max, s->arithmetic->number_bytes);
    if (s->zeros) return CXN_OK;
    return cxn_fail_nomem(err, s->mem, s->steps->in_max * s->arithmetic->number_bytes, "zeros");
}

enum cxn_status cxn_walk_open(cxn_engine_state **out, const struct cxn_arithmetic *arithmetic,
                              const struct cxn_engine_source *source, const struct cxn_env *env,
                              struct cxn_error *err)
{
    *out = NULL;
    cxn_engine_state *s = cxn_alloc_zero(env->mem, 1, sizeof *s);
    if (!s) return cxn_fail_nomem(err, env->mem, sizeof *s, "an engine");
    s->arithmetic = arithmetic;
    s->mem = env->mem;
    s->pool = env->pool;
    s->classes = source->net->config.classes;
    enum cxn_status status = cxn_steps_open(&s->steps, source->net, env->mem, err);
    if (status == CXN_OK) status = load_weights(s, source->block, err);
    if (status == CXN_OK) status = make_zeros(s, err);
    if (status == CXN_OK) status = cxn_walk_fit(s, &cxn_room_usual, err);
    if (status != CXN_OK) {
        cxn_walk_close(&s);
        return status;
    }
    *out = s;
    return CXN_OK;
}

void cxn_walk_close(cxn_engine_state **state)
{
    if (!state || !*state) return;
    cxn_engine_state *s = *state;
    cxn_steps_close(&s->steps);
    cxn_free(s->weight_offset);
    cxn_free(s->weights);
    cxn_free(s->zeros);
    cxn_free(s->maps);
    cxn_free(s);
    *state = NULL;
}

struct job {
    cxn_engine_state *state;
    const struct cxn_view *views;
    float *prob; /* one of these two */
    double *prob64;
};

/* Whom to tell of each step done; NULL: nobody. */
struct listener {
    cxn_operation_fn *tell;
    void *ctx;
};

static void tell_step(const struct listener *listener, const struct cxn_step *step,
                      const struct cxn_operands *at, double seconds)
{
    static const char *const words[] = {
        [CXN_STEP_WINDOW] = "window", [CXN_STEP_NORM_RELU] = "norm, ReLU",
        [CXN_STEP_MAX_POOL] = "max pool", [CXN_STEP_AVG_POOL] = "average pool",
        [CXN_STEP_MEAN] = "mean", [CXN_STEP_HEAD] = "head"
    };
    char name[64];
    double products = 0.0;
    if (step->kind == CXN_STEP_CONV) {
        products = (double)(at->dst_height * at->dst_width) * step->in * step->out * step->kernel *
                   step->kernel;
        snprintf(name, sizeof name, "conv %ux%u %zux%zu -> %u", step->kernel, step->kernel,
                 at->dst_height, at->dst_width, step->out);
    } else {
        snprintf(name, sizeof name, "%s %zux%zu", words[step->kind], at->height, at->width);
    }
    listener->tell(listener->ctx, name, seconds, 2.0 * products);
}

/* Follow the list for one view; the result is in the last step's destination. */
static const void *walk(const cxn_engine_state *s, const struct cxn_view *view, uint8_t *maps,
                        const struct listener *listener)
{
    void *dst = NULL;
    for (size_t i = 0; i < s->steps->count; i++) {
        const struct cxn_step *step = &s->steps->step[i];
        dst = maps + s->layout.offset[step->dst] + step->dst_first * s->arithmetic->number_bytes;
        const struct cxn_operands at = {
            .view = view,
            .height = cxn_view_side(view->height, step->shift),
            .width = cxn_view_side(view->width, step->shift),
            .dst_height = cxn_view_side(view->height, step->dst_shift),
            .dst_width = cxn_view_side(view->width, step->dst_shift),
            .src = maps + s->layout.offset[step->src], .dst = dst,
            .weights = s->weights + s->weight_offset[i], .zeros = s->zeros
        };
        const double started = listener ? cxn_clock_seconds() : 0.0;
        s->arithmetic->compute(step, &at);
        if (listener) tell_step(listener, step, &at, cxn_clock_seconds() - started);
    }
    return dst;
}

static void run_view(void *ctx, size_t index, unsigned thread)
{
    const struct job *job = ctx;
    const cxn_engine_state *s = job->state;
    const void *result = walk(s, &job->views[index], s->maps + thread * s->layout.bytes, NULL);
    for (size_t c = 0; c < s->classes; c++) {
        const double p = s->arithmetic->read(result, c);
        if (job->prob) job->prob[index * s->classes + c] = (float)p;
        else job->prob64[index * s->classes + c] = p;
    }
}

static enum cxn_status run_job(struct job *job, size_t count, struct cxn_error *err)
{
    const size_t classes = job->state->classes;
    enum cxn_status status = cxn_views_check(job->views, count, &job->state->room, err);
    if (status != CXN_OK) return status;
    cxn_pool_run(job->state->pool, count, run_view, job);
    for (size_t i = 0; status == CXN_OK && i < count * classes; i++)
        status = cxn_prob_check(job->prob ? (double)job->prob[i] : job->prob64[i], i / classes,
                                i % classes, err);
    return status;
}

enum cxn_status cxn_walk_run(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                             float *prob, struct cxn_error *err)
{
    return run_job(&(struct job){ .state = state, .views = views, .prob = prob }, count, err);
}

enum cxn_status cxn_walk_run64(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                               double *prob, struct cxn_error *err)
{
    return run_job(&(struct job){ .state = state, .views = views, .prob64 = prob }, count, err);
}

enum cxn_status cxn_walk_profile(cxn_engine_state *state, const struct cxn_view *view,
                                 cxn_operation_fn *tell, void *ctx, struct cxn_error *err)
{
    const enum cxn_status status = cxn_views_check(view, 1, &state->room, err);
    if (status == CXN_OK) walk(state, view, state->maps, &(struct listener){ tell, ctx });
    return status;
}
