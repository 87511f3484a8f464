/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/state.h"

#include "base/clock.h"
#include "fuse/forward.h"
#include "nn/view.h"

struct cxn_engine_state {
    const struct cxn_env *env;
    struct cxn_packed *packed;
    struct cxn_maps_plan plan;
    struct cxn_room room;
    uint8_t *maps;    /* [threads][plan.view_bytes] */
    uint8_t *scratch; /* [threads][plan.scratch_bytes] */
    struct cxn_barrier barrier;
};

void cxn_fused_close(cxn_engine_state **state)
{
    if (!state || !*state) return;
    cxn_packed_close(&(*state)->packed);
    cxn_free((*state)->maps);
    cxn_free((*state)->scratch);
    cxn_free(*state);
    *state = NULL;
}

enum cxn_status cxn_fused_fit(cxn_engine_state *s, const struct cxn_room *room,
                              struct cxn_error *err)
{
    struct cxn_mem *mem = s->env->mem;
    const unsigned threads = cxn_pool_threads(s->env->pool);
    struct cxn_maps_plan plan;
    if (!cxn_maps_plan(&plan, s->packed, room))
        return cxn_fail_nomem(err, mem, SIZE_MAX, "a view's feature maps");
    uint8_t *maps = cxn_alloc(mem, threads, plan.view_bytes);
    uint8_t *scratch = cxn_alloc(mem, threads, plan.scratch_bytes);
    if (!maps || !scratch) {
        cxn_free(maps);
        cxn_free(scratch);
        return cxn_fail_nomem(err, mem, plan.view_bytes + plan.scratch_bytes,
                              "a thread's feature maps");
    }
    cxn_free(s->maps);
    cxn_free(s->scratch);
    s->maps = maps;
    s->scratch = scratch;
    s->plan = plan;
    s->room = *room;
    return CXN_OK;
}

enum cxn_status cxn_fused_open(cxn_engine_state **out, struct cxn_packed **packed,
                               const struct cxn_env *env, struct cxn_error *err)
{
    *out = NULL;
    cxn_engine_state *s = cxn_alloc_zero(env->mem, 1, sizeof *s);
    if (!s) {
        cxn_packed_close(packed);
        return cxn_fail_nomem(err, env->mem, sizeof *s, "an engine");
    }
    s->env = env;
    s->packed = *packed;
    *packed = NULL;
    const enum cxn_status status = cxn_fused_fit(s, &cxn_room_usual, err);
    if (status != CXN_OK) cxn_fused_close(&s);
    *out = s;
    return status;
}

struct job {
    cxn_engine_state *state;
    const struct cxn_view *views;
    float *prob;
    const struct cxn_observer *observers; /* one a view; NULL: none */
};

static struct cxn_forward make_run(cxn_engine_state *s, unsigned arena, unsigned thread)
{
    return (struct cxn_forward){ .packed = s->packed, .plan = &s->plan, .cpu = s->env->cpu,
                                 .maps = s->maps + arena * s->plan.view_bytes,
                                 .scratch = s->scratch + thread * s->plan.scratch_bytes,
                                 .team = 1, .barrier = &s->barrier };
}

static void run_view(void *ctx, size_t index, unsigned thread)
{
    const struct job *job = ctx;
    struct cxn_forward run = make_run(job->state, thread, thread);
    if (job->observers) run.observer = &job->observers[index];
    cxn_forward(&run, &job->views[index], job->prob + index * job->state->packed->classes);
}

/* One member of the team of all threads: as many calls as threads, so that each has one. */
static void run_share(void *ctx, size_t index, unsigned thread)
{
    const struct job *job = ctx;
    struct cxn_forward run = make_run(job->state, 0, thread);
    run.member = (unsigned)index;
    run.team = cxn_pool_threads(job->state->env->pool);
    cxn_forward(&run, job->views, job->prob);
}

static enum cxn_status check_probs(const cxn_engine_state *s, size_t count, const float *prob,
                                   struct cxn_error *err)
{
    const size_t classes = s->packed->classes;
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < count * classes; i++)
        status = cxn_prob_check((double)prob[i], i / classes, i % classes, err);
    return status;
}

/* Rounds of a view a thread; the views left over one by one, each shared by all threads. */
enum cxn_status cxn_fused_run(cxn_engine_state *s, const struct cxn_view *views, size_t count,
                              float *prob, struct cxn_error *err)
{
    const size_t classes = s->packed->classes, threads = cxn_pool_threads(s->env->pool);
    const size_t whole = count / threads * threads;
    const enum cxn_status status = cxn_views_check(views, count, &s->room, err);
    if (status != CXN_OK) return status;
    cxn_pool_run(s->env->pool, whole, run_view, &(struct job){ s, views, prob, NULL });
    for (size_t i = whole; i < count; i++)
        cxn_pool_run(s->env->pool, threads, run_share,
                     &(struct job){ s, views + i, prob + i * classes, NULL });
    return check_probs(s, count, prob, err);
}

enum cxn_status cxn_fused_observe(cxn_engine_state *s, const struct cxn_view *views, size_t count,
                                  const struct cxn_observer *observers, float *prob,
                                  struct cxn_error *err)
{
    const enum cxn_status status = cxn_views_check(views, count, &s->room, err);
    if (status != CXN_OK) return status;
    cxn_pool_run(s->env->pool, count, run_view, &(struct job){ s, views, prob, observers });
    return check_probs(s, count, prob, err);
}

enum cxn_status cxn_fused_profile(cxn_engine_state *s, const struct cxn_view *view,
                                  cxn_operation_fn *tell, void *ctx, struct cxn_error *err)
{
    enum cxn_status status = cxn_views_check(view, 1, &s->room, err);
    if (status != CXN_OK) return status;
    const size_t classes = s->packed->classes;
    float *prob = cxn_alloc(s->env->mem, classes, sizeof *prob);
    if (!prob) return cxn_fail_nomem(err, s->env->mem, classes * sizeof *prob, "a profile");
    struct cxn_forward run = make_run(s, 0, 0);
    run.watch = &(struct cxn_watch){ tell, ctx, cxn_clock_seconds() };
    cxn_forward(&run, view, prob);
    status = check_probs(s, 1, prob, err);
    cxn_free(prob);
    return status;
}
