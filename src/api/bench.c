/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/bench.h>

#include <math.h>
#include <string.h>

#include "api/model.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/sort.h"
#include "cpu/cpu.h"

enum {
    SYNTHETIC_PICTURES = 4,
    RUNS_MIN = 3,    /* fewer say nothing of a spread */
    WARM_UP_RUNS = 2 /* the first touches memory, the second finds it touched */
};
#define WARM_UP_SECONDS 0.2 /* for clocks that rise under load */
#define DEFAULT_SECONDS 3.0
#define DEFAULT_BATCH 10u

/* One benchmark at work. */
struct bench {
    cxn_model *model;
    struct cxn_bench_options options; /* with the defaults filled in */
    struct cxn_picture *pictures;
    size_t picture_count;
    struct cxn_view *views; /* [batch] */
    float *prob;            /* [batch][CXN_FINDINGS] */
    double *crop_seconds, *image_seconds; /* [capacity] a call */
    uint32_t *index, *scratch; /* [capacity], to sort with */
    uint32_t capacity, runs;
};

static enum cxn_status fill_defaults(struct cxn_bench_options *o, struct cxn_error *err)
{
    if (o->batch > CXN_BENCH_BATCH_MAX)
        return cxn_fail(err, CXN_E_ARG, "batch %u: expected 1..%u", o->batch, CXN_BENCH_BATCH_MAX);
    if (o->runs > CXN_BENCH_RUNS_MAX)
        return cxn_fail(err, CXN_E_ARG, "runs %u: expected 1..%u", o->runs, CXN_BENCH_RUNS_MAX);
    if (!(o->seconds >= 0.0 && o->seconds <= CXN_BENCH_SECONDS_MAX))
        return cxn_fail(err, CXN_E_ARG, "seconds %g: expected 0..%d", o->seconds,
                        CXN_BENCH_SECONDS_MAX);
    if (o->file_count > 0 && !o->files)
        return cxn_fail(err, CXN_E_ARG, "cxn_bench: %zu files, and no names", o->file_count);
    if (o->batch == 0) o->batch = DEFAULT_BATCH;
    if (o->seconds == 0.0) o->seconds = DEFAULT_SECONDS;
    return CXN_OK;
}

/* ---- pictures ----------------------------------------------------------------------------- */

static enum cxn_status draw_picture(const struct cxn_env *env, uint64_t number,
                                    struct cxn_picture *out, struct cxn_error *err)
{
    const enum cxn_status status =
        cxn_picture_open(env, CXN_RESIZE_SIDE, CXN_RESIZE_SIDE, 1, out, err);
    if (status != CXN_OK) return status;
    struct cxn_random random = cxn_random_make(0, number);
    for (size_t i = 0; i < (size_t)out->height * out->stride_bytes; i++)
        out->pixels[i] = (uint8_t)(cxn_random_u32(&random) >> 24);
    return CXN_OK;
}

static enum cxn_status load_picture(const struct cxn_env *env, const char *path,
                                    struct cxn_picture *out, struct cxn_error *err)
{
    struct cxn_picture original = { 0 };
    enum cxn_status status = cxn_image_load(env, path, &original, NULL, err);
    if (status != CXN_OK) return status;
    status = cxn_picture_resize(env, &original, CXN_RESIZE_SIDE, out, err);
    cxn_picture_close(&original);
    return cxn_fail_in(err, status, path);
}

static enum cxn_status make_pictures(struct bench *b, struct cxn_error *err)
{
    const struct cxn_env *env = b->model->env;
    const size_t files = b->options.file_count;
    const size_t count = files > 0 ? files : SYNTHETIC_PICTURES;
    enum cxn_status status = CXN_OK;
    b->pictures = cxn_alloc_zero(env->mem, count, sizeof *b->pictures);
    if (!b->pictures) return cxn_fail_nomem(err, env->mem, count * sizeof *b->pictures, "pictures");
    while (status == CXN_OK && b->picture_count < count) {
        const size_t i = b->picture_count++;
        if (files > 0) status = load_picture(env, b->options.files[i], &b->pictures[i], err);
        else status = draw_picture(env, i, &b->pictures[i], err);
    }
    return status;
}

static void choose_views(struct bench *b)
{
    struct cxn_view ten[CXN_VIEWS_MAX];
    for (size_t i = 0; i < b->options.batch; i++) {
        const size_t picture = i / CXN_VIEWS_MAX % b->picture_count;
        if (i % CXN_VIEWS_MAX == 0) cxn_crops_views(CXN_CROPS_TEN, &b->pictures[picture], ten);
        b->views[i] = ten[i % CXN_VIEWS_MAX];
    }
}

/* ---- rounds ------------------------------------------------------------------------------- */

static enum cxn_status make_room(struct bench *b, struct cxn_error *err)
{
    struct cxn_mem *mem = b->model->env->mem;
    const size_t batch = b->options.batch;
    b->capacity = b->options.runs > 0 ? b->options.runs : CXN_BENCH_RUNS_MAX;
    b->views = cxn_alloc(mem, batch, sizeof *b->views);
    b->prob = cxn_alloc(mem, batch, CXN_FINDINGS * sizeof *b->prob);
    b->crop_seconds = cxn_alloc(mem, b->capacity, sizeof *b->crop_seconds);
    b->image_seconds = cxn_alloc(mem, b->capacity, sizeof *b->image_seconds);
    b->index = cxn_alloc(mem, b->capacity, sizeof *b->index);
    b->scratch = cxn_alloc(mem, b->capacity, sizeof *b->scratch);
    if (b->views && b->prob && b->crop_seconds && b->image_seconds && b->index && b->scratch)
        return CXN_OK;
    return cxn_fail_nomem(err, mem, b->capacity * sizeof *b->crop_seconds, "the times measured");
}

/* Round number `round`, timed or not. */
static enum cxn_status run_round(struct bench *b, size_t round, double *crop_seconds,
                                 double *image_seconds, struct cxn_error *err)
{
    cxn_model *m = b->model;
    const struct cxn_picture *picture = &b->pictures[round % b->picture_count];
    float prob[CXN_FINDINGS];
    const double started = cxn_clock_seconds();
    enum cxn_status status = m->engine->run(m->state, b->views, b->options.batch, b->prob, err);
    const double between = cxn_clock_seconds();
    if (status == CXN_OK) status = cxn_model_score(m, &picture, 1, CXN_CROPS_TEN, prob, err);
    *crop_seconds = between - started;
    *image_seconds = cxn_clock_seconds() - between;
    return status;
}

static enum cxn_status tell_progress(const struct bench *b, double done, struct cxn_error *err)
{
    if (!b->options.progress || b->options.progress(b->options.progress_ctx, done) == 0)
        return CXN_OK;
    return cxn_fail(err, CXN_E_STOPPED, "stopped after %u rounds", b->runs);
}

static enum cxn_status warm_up(struct bench *b, struct cxn_error *err)
{
    const double started = cxn_clock_seconds();
    double crop, image;
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK &&
         (i < WARM_UP_RUNS || cxn_clock_seconds() - started < WARM_UP_SECONDS); i++) {
        status = run_round(b, i, &crop, &image, err);
        if (status == CXN_OK) status = tell_progress(b, 0.0, err);
    }
    return status;
}

/* 0..1 of the timed part: of the rounds where they are counted, else of the time. */
static double share_done(const struct bench *b, double started)
{
    if (b->options.runs > 0) return (double)b->runs / b->options.runs;
    const double by_time = (cxn_clock_seconds() - started) / b->options.seconds;
    return b->runs == b->capacity ? 1.0 : fmin(by_time, (double)b->runs / RUNS_MIN);
}

static enum cxn_status measure(struct bench *b, struct cxn_error *err)
{
    enum cxn_status status = warm_up(b, err);
    const double started = cxn_clock_seconds();
    double done = 0.0;
    while (status == CXN_OK && done < 1.0) {
        status = run_round(b, b->runs, &b->crop_seconds[b->runs], &b->image_seconds[b->runs], err);
        b->runs++;
        done = share_done(b, started);
        if (status == CXN_OK) status = tell_progress(b, fmin(done, 1.0), err);
    }
    return status;
}

/* ---- figures ------------------------------------------------------------------------------ */

static bool shorter(const void *seconds, uint32_t a, uint32_t b)
{
    return ((const double *)seconds)[a] < ((const double *)seconds)[b];
}

static struct cxn_spread spread_of(struct bench *b, const double *seconds, double parts)
{
    const size_t n = b->runs;
    for (uint32_t i = 0; i < n; i++) b->index[i] = i;
    cxn_sort_indices(b->index, b->scratch, n, shorter, seconds);
    const uint32_t *rank = b->index;
    const double to_ms = 1e3 / parts;
    return (struct cxn_spread){
        .min = seconds[rank[0]] * to_ms,
        .median = 0.5 * (seconds[rank[(n - 1) / 2]] + seconds[rank[n / 2]]) * to_ms,
        .p95 = seconds[rank[(95 * n + 99) / 100 - 1]] * to_ms,
    };
}

static void close_bench(struct bench *b)
{
    for (size_t i = 0; i < b->picture_count; i++) cxn_picture_close(&b->pictures[i]);
    cxn_free(b->pictures);
    cxn_free(b->views);
    cxn_free(b->prob);
    cxn_free(b->crop_seconds);
    cxn_free(b->image_seconds);
    cxn_free(b->index);
    cxn_free(b->scratch);
}

enum cxn_status cxn_bench(cxn_model *model, const struct cxn_bench_options *options,
                          struct cxn_bench_result *result, struct cxn_error *err)
{
    if (!model || !result)
        return cxn_fail(err, CXN_E_ARG, "cxn_bench: a model and a place for the result are needed");
    struct bench b = { .model = model };
    if (options) b.options = *options;
    enum cxn_status status = fill_defaults(&b.options, err);
    if (status == CXN_OK) status = make_pictures(&b, err);
    if (status == CXN_OK) status = make_room(&b, err);
    if (status == CXN_OK) {
        choose_views(&b);
        status = measure(&b, err);
    }
    if (status == CXN_OK)
        *result = (struct cxn_bench_result){
            .batch = b.options.batch, .runs = b.runs, .pictures = (uint32_t)b.picture_count,
            .crop_ms = spread_of(&b, b.crop_seconds, b.options.batch),
            .image_ms = spread_of(&b, b.image_seconds, 1.0),
        };
    close_bench(&b);
    return status;
}

/* ---- operations --------------------------------------------------------------------------- */

/* A profile growing: rows in the order in which their names were first told. */
struct profile {
    struct cxn_bench_operation *rows; /* calls and gflop: of the run at work */
    double ms[CXN_BENCH_OPERATIONS_MAX]; /* of the run at work */
    size_t count;
    bool overflow;
};

static void note_operation(void *ctx, const char *name, double seconds, double flops)
{
    struct profile *p = ctx;
    size_t i = 0;
    while (i < p->count && strncmp(p->rows[i].name, name, CXN_BENCH_NAME_BYTES - 1) != 0) i++;
    if (i == CXN_BENCH_OPERATIONS_MAX) {
        p->overflow = true;
        return;
    }
    if (i == p->count) {
        p->rows[p->count++] = (struct cxn_bench_operation){ .ms = INFINITY };
        strncpy(p->rows[i].name, name, CXN_BENCH_NAME_BYTES - 1);
    }
    p->rows[i].calls++;
    p->rows[i].gflop += 1e-9 * flops;
    p->ms[i] += 1e3 * seconds;
}

static enum cxn_status profile_once(cxn_model *model, const struct cxn_view *view,
                                    struct profile *p, struct cxn_error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        p->ms[i] = p->rows[i].gflop = 0.0;
        p->rows[i].calls = 0;
    }
    return model->engine->profile(model->state, view, note_operation, p, err);
}

static enum cxn_status profile_view(cxn_model *model, const struct cxn_view *view, uint32_t runs,
                                    struct profile *p, struct cxn_error *err)
{
    enum cxn_status status = profile_once(model, view, p, err);
    for (uint32_t run = 0; status == CXN_OK && run < runs; run++) {
        status = profile_once(model, view, p, err);
        for (size_t i = 0; i < p->count; i++) p->rows[i].ms = fmin(p->rows[i].ms, p->ms[i]);
    }
    if (status == CXN_OK && p->overflow)
        return cxn_fail(err, CXN_E_LIMIT, "more than %d operations", CXN_BENCH_OPERATIONS_MAX);
    return status;
}

enum cxn_status cxn_bench_operations(cxn_model *model, uint32_t runs,
                                     struct cxn_bench_operation *rows, size_t *count,
                                     struct cxn_error *err)
{
    if (!model || !rows || !count)
        return cxn_fail(err, CXN_E_ARG, "cxn_bench_operations: a model and rows are needed");
    if (runs == 0 || runs > CXN_BENCH_RUNS_MAX)
        return cxn_fail(err, CXN_E_ARG, "runs %u: expected 1..%u", runs, CXN_BENCH_RUNS_MAX);
    if (!model->engine->profile)
        return cxn_fail(err, CXN_E_ARG, "mode %s does not tell its operations",
                        model->engine->name);
    struct cxn_picture picture = { 0 };
    struct cxn_view views[CXN_VIEWS_MAX];
    struct profile p = { .rows = rows };
    enum cxn_status status = draw_picture(model->env, 0, &picture, err);
    if (status != CXN_OK) return status;
    cxn_crops_views(CXN_CROPS_CENTER, &picture, views);
    status = profile_view(model, views, runs, &p, err);
    cxn_picture_close(&picture);
    if (status == CXN_OK) *count = p.count;
    return status;
}

double cxn_bench_peak_gflops(const cxn_context *ctx)
{
    return 1e-9 * cxn_cpu_peak_f32(cxn_context_env(ctx)->cpu);
}

double cxn_bench_peak_int8_gops(const cxn_context *ctx)
{
    return 1e-9 * cxn_cpu_peak_i8(cxn_context_env(ctx)->cpu);
}
