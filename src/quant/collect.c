/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/collect.h"

#include <math.h>
#include <string.h>

#include "fuse/engine.h"
#include "fuse/state.h"
#include "quant/calibration_form.h"

/* What one view shows. */
struct observation {
    const cxn_collector *collector;
    cxn_calibration *of_view; /* lo, hi; sums of mean and share until the view is done */
};

struct cxn_collector {
    const cxn_fold *fold;
    cxn_engine_state *engine;
    size_t first_part[CXN_NET_BLOCKS]; /* number of the first part of a block */
    float **norms;                     /* [fold->count]: a norm's scale and shift behind it */
    float *norm_numbers;               /* what these point into */
    const struct cxn_env *env;
    struct cxn_range_rule rule;
    cxn_counts *counts; /* NULL where the rule needs none */
    size_t batch, seen;
    struct observation *views;      /* [batch] */
    struct cxn_observer *observers; /* [batch] */
    float *prob;                    /* [batch][classes] */
    cxn_calibration *sum;           /* over views: lo, hi; sums of the views' means and shares */
};

/* ---- one view ----------------------------------------------------------------------------- */

/* Parts of a layer: norm, 1x1, 3x3. Behind all layers of a block its norm and its 1x1. */
enum { LAYER_PARTS = 3, NORM = 0, REDUCE = 1, GROW = 2, HALVE = 1 };

static size_t layer_count(const cxn_collector *c, uint32_t b)
{
    return c->fold->net->config.layers[b];
}

static void see_bottleneck(void *ctx, uint32_t b, size_t layer, const float *x, size_t places)
{
    const struct observation *o = ctx;
    const size_t i = o->collector->first_part[b] + LAYER_PARTS * layer + REDUCE;
    const struct cxn_calibration_part *part = &o->of_view->parts[i];
    const size_t channels = o->collector->fold->parts[i].out;
    for (size_t p = 0; p < places; p++)
        for (size_t c = 0; c < channels; c++) {
            const double v = (double)x[p * channels + c];
            part->hi[c] = v > part->hi[c] ? v : part->hi[c];
            part->mean[c] += v;
        }
    if (o->collector->counts) cxn_counts_see(o->collector->counts, i, x, places, channels);
}

/* A map, or some channels of one. */
struct map_channels {
    const float *x;
    size_t places, step;
};

/* Of the channels that part i writes. */
static void see_range(const struct observation *o, const struct map_channels *m, size_t i)
{
    const struct cxn_calibration_part *part = &o->of_view->parts[i];
    const size_t channels = o->collector->fold->parts[i].out;
    if (o->collector->counts)
        cxn_counts_see(o->collector->counts, i, m->x, m->places, m->step);
    for (size_t p = 0; p < m->places; p++)
        for (size_t c = 0; c < channels; c++) {
            const double v = (double)m->x[p * m->step + c];
            part->lo[c] = v < part->lo[c] ? v : part->lo[c];
            part->hi[c] = v > part->hi[c] ? v : part->hi[c];
        }
}

static inline double norm_of(float x, float scale, float shift)
{
    return (double)x * (double)scale + (double)shift;
}

/* Two loops without aliases: gcc vectorises each, but not one that does both, which takes longer
 * than the network. */
static void see_place(const float *restrict x, const float *restrict norm, double *restrict mean,
                      double *restrict share, size_t channels)
{
    for (size_t c = 0; c < channels; c++) {
        const double v = norm_of(x[c], norm[c], norm[channels + c]);
        mean[c] += v > 0 ? v : 0;
    }
    for (size_t c = 0; c < channels; c++)
        share[c] += norm_of(x[c], norm[c], norm[channels + c]) > 0 ? 1 : 0;
}

/* What a norm that reads the map's first channels leaves of them. */
static void see_reader(const struct map_channels *m, const float *norm,
                       const struct cxn_calibration_part *part, size_t channels)
{
    for (size_t p = 0; p < m->places; p++)
        see_place(m->x + p * m->step, norm, part->mean, part->share, channels);
}

static void divide(const struct cxn_calibration_part *part, size_t channels, double count)
{
    for (size_t c = 0; part->mean && c < channels; c++) part->mean[c] /= count;
    for (size_t c = 0; part->share && c < channels; c++) part->share[c] /= count;
}

static void see_map(void *ctx, uint32_t b, const float *x, size_t places)
{
    const struct observation *o = ctx;
    const cxn_collector *c = o->collector;
    const struct cxn_part *parts = c->fold->parts;
    const size_t first = c->first_part[b], layers = layer_count(c, b);
    const size_t norm = first + LAYER_PARTS * layers; /* that reads all of the map */
    const struct map_channels map = { x, places, parts[norm].out };
    const size_t writer = b == 0 ? 0 : first - 1; /* the stem, or the transition before */
    see_range(o, &map, writer);
    for (size_t k = 0; k < layers; k++) {
        const size_t i = first + LAYER_PARTS * k, in = parts[i + NORM].out;
        const struct map_channels added = { x + in, places, map.step };
        see_reader(&map, c->norms[i + NORM], &o->of_view->parts[i + NORM], in);
        see_range(o, &added, i + GROW);
    }
    see_reader(&map, c->norms[norm], &o->of_view->parts[norm], map.step);
    for (size_t i = first; i <= norm; i++)
        divide(&o->of_view->parts[i], parts[i].out, (double)places);
}

static void begin_view(const cxn_collector *c, cxn_calibration *view)
{
    for (size_t i = 0; i < c->fold->count; i++) {
        const struct cxn_calibration_part *part = &view->parts[i];
        for (size_t k = 0; k < c->fold->parts[i].out; k++) {
            if (part->lo) part->lo[k] = INFINITY;
            if (part->hi) part->hi[k] = part->lo ? -INFINITY : 0;
            if (part->mean) part->mean[k] = 0;
            if (part->share) part->share[k] = 0;
        }
    }
}

/* ---- views one after the other ------------------------------------------------------------ */

static void add_view(cxn_collector *c, const cxn_calibration *view)
{
    if (c->seen++ == 0) {
        memcpy(c->sum->numbers, view->numbers, view->number_count * sizeof *view->numbers);
        return;
    }
    for (size_t i = 0; i < c->fold->count; i++) {
        const struct cxn_calibration_part *to = &c->sum->parts[i], *from = &view->parts[i];
        for (size_t k = 0; k < c->fold->parts[i].out; k++) {
            if (to->lo) to->lo[k] = fmin(to->lo[k], from->lo[k]);
            if (to->hi) to->hi[k] = fmax(to->hi[k], from->hi[k]);
            if (to->mean) to->mean[k] += from->mean[k];
            if (to->share) to->share[k] += from->share[k];
        }
    }
}

/* An infinity may hide behind probabilities that are fine. */
static enum cxn_status check_view(const cxn_calibration *view, struct cxn_error *err)
{
    for (size_t i = 0; i < view->number_count; i++)
        if (!isfinite(view->numbers[i]))
            return cxn_fail(err, CXN_E_FORMAT, "the weights give an activation that is not finite");
    return CXN_OK;
}

enum cxn_status cxn_collector_see(cxn_collector *c, const struct cxn_view *views, size_t count,
                                  struct cxn_error *err)
{
    if (count > c->batch)
        return cxn_fail(err, CXN_E_ARG, "%zu views, at most %zu", count, c->batch);
    for (size_t i = 0; i < count; i++) begin_view(c, c->views[i].of_view);
    enum cxn_status status =
        cxn_fused_observe(c->engine, views, count, c->observers, c->prob, err);
    for (size_t i = 0; i < count && status == CXN_OK; i++)
        status = check_view(c->views[i].of_view, err);
    for (size_t i = 0; i < count && status == CXN_OK; i++) add_view(c, c->views[i].of_view);
    return status;
}

struct cxn_collected cxn_collector_state(const cxn_collector *c)
{
    struct cxn_collected state = { c->seen, c->sum->numbers, c->sum->number_count, { 0 } };
    if (c->counts) state.counts = cxn_counts_state(c->counts);
    return state;
}

enum cxn_status cxn_collector_resume(cxn_collector *c, size_t seen, struct cxn_error *err)
{
    c->seen = seen;
    return cxn_calibration_check_sums(c->sum, seen, err);
}

enum cxn_status cxn_collector_finish(const cxn_collector *c, cxn_calibration *calibration,
                                     struct cxn_error *err)
{
    memcpy(calibration->numbers, c->sum->numbers, c->sum->number_count * sizeof(double));
    for (size_t i = 0; i < c->fold->count; i++)
        divide(&calibration->parts[i], c->fold->parts[i].out, (double)c->seen);
    if (!c->counts) return CXN_OK;
    return cxn_counts_narrow(c->counts, &c->rule, calibration, c->env, err);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static void find_blocks(cxn_collector *c)
{
    size_t at = 2; /* behind both stems */
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        c->first_part[b] = at;
        at += LAYER_PARTS * layer_count(c, b) + 1 + HALVE;
    }
}

/* Scale and shift of every norm, as all engines have them. */
static enum cxn_status read_norms(cxn_collector *c, const float *block, struct cxn_error *err)
{
    const cxn_fold *fold = c->fold;
    const struct cxn_fold_source source = cxn_fold_source_block(fold, block);
    size_t count = 0;
    for (size_t i = 0; i < fold->count; i++)
        if (fold->parts[i].kind == CXN_PART_NORM) count += 2 * (size_t)fold->parts[i].out;
    c->norms = cxn_alloc_zero(c->env->mem, fold->count, sizeof *c->norms);
    c->norm_numbers = cxn_alloc(c->env->mem, count, sizeof *c->norm_numbers);
    if (!c->norms || !c->norm_numbers)
        return cxn_fail_nomem(err, c->env->mem, count * sizeof *c->norm_numbers,
                              "a network's norms");
    float *at = c->norm_numbers;
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; i < fold->count && status == CXN_OK; i++) {
        const struct cxn_part *part = &fold->parts[i];
        if (part->kind != CXN_PART_NORM) continue;
        c->norms[i] = at;
        status = source.read(&source, part, at, at + part->out, err);
        at += 2 * (size_t)part->out;
    }
    return status;
}

static enum cxn_status open_views(cxn_collector *c, struct cxn_error *err)
{
    const size_t classes = c->fold->net->config.classes;
    c->views = cxn_alloc_zero(c->env->mem, c->batch, sizeof *c->views);
    c->observers = cxn_alloc(c->env->mem, c->batch, sizeof *c->observers);
    c->prob = cxn_alloc(c->env->mem, c->batch, classes * sizeof *c->prob);
    if (!c->views || !c->observers || !c->prob)
        return cxn_fail_nomem(err, c->env->mem, c->batch * sizeof *c->observers, "a batch's views");
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; i < c->batch && status == CXN_OK; i++) {
        c->views[i].collector = c;
        c->observers[i] = (struct cxn_observer){ &c->views[i], see_bottleneck, see_map };
        status = cxn_calibration_open(&c->views[i].of_view, c->fold, c->env->mem, err);
    }
    return status;
}

enum cxn_status cxn_collector_open(cxn_collector **out, const cxn_fold *fold, const float *block,
                                   const struct cxn_range_rule *rule, size_t batch,
                                   const struct cxn_env *env, struct cxn_error *err)
{
    *out = NULL;
    cxn_collector *c = cxn_alloc_zero(env->mem, 1, sizeof *c);
    if (!c) return cxn_fail_nomem(err, env->mem, sizeof *c, "a calibration");
    c->fold = fold;
    c->env = env;
    c->rule = *rule;
    c->batch = batch;
    find_blocks(c);
    const struct cxn_engine_source source = { .net = fold->net, .block = block };
    enum cxn_status status = cxn_engine_fp32.open(&c->engine, &source, env, err);
    if (status == CXN_OK) status = read_norms(c, block, err);
    if (status == CXN_OK) status = open_views(c, err);
    if (status == CXN_OK) status = cxn_calibration_open(&c->sum, fold, env->mem, err);
    if (status == CXN_OK && rule->method != CXN_CALIBRATION_MINMAX)
        status = cxn_counts_open(&c->counts, fold, env->mem, err);
    if (status != CXN_OK) cxn_collector_close(&c);
    *out = c;
    return status;
}

void cxn_collector_close(cxn_collector **collector)
{
    if (!collector || !*collector) return;
    cxn_collector *c = *collector;
    cxn_engine_fp32.close(&c->engine);
    for (size_t i = 0; c->views && i < c->batch; i++) cxn_calibration_close(&c->views[i].of_view);
    cxn_calibration_close(&c->sum);
    cxn_counts_close(&c->counts);
    cxn_free(c->views);
    cxn_free(c->observers);
    cxn_free(c->prob);
    cxn_free(c->norms);
    cxn_free(c->norm_numbers);
    cxn_free(c);
    *collector = NULL;
}
