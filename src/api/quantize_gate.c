/* SPDX-License-Identifier: Apache-2.0 */
/* The accuracy gate of quantisation: mean AUC of a list in mode fp32 and in mode int8, and layers
 * that are put back while it falls too far. */
#include "api/quantize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/lists.h"
#include "api/model.h"
#include "api/scores.h"
#include "data/loader.h"
#include "eval/auc.h"
#include "fuse/engine.h"
#include "quant/engine.h"
#include "quant/sensitivity.h"

/* Layers put back first; each later group has twice as many. */
enum { FIRST_GROUP = 4 };

struct gate {
    struct cxn_quantize_work *work;
    cxn_scores *fp32;
    int findings[CXN_FINDINGS]; /* that count */
    size_t finding_count;
    uint16_t *labels;   /* [images], of those findings alone */
    float *before, *now; /* [images][finding_count] */
    struct cxn_sensitivity rows[CXN_QUANTIZE_LAYERS_MAX];
    size_t row_count, put_back;
    const char *stage;
};

/* ---- scoring ------------------------------------------------------------------------------ */

static int tell_scored(void *ctx, const cxn_scores *so_far, size_t total)
{
    const struct gate *g = ctx;
    const struct cxn_quantize_options *o = g->work->options;
    return o->progress ? o->progress(o->progress_ctx, g->stage, cxn_scores_count(so_far), total)
                       : 0;
}

static enum cxn_status score(struct gate *g, const struct cxn_engine *engine,
                             const struct cxn_engine_source *source, cxn_scores **scores,
                             struct cxn_error *err)
{
    const struct cxn_quantize_work *w = g->work;
    const struct cxn_infer_source images = { .images = w->options->images,
                                             .image_count = w->options->image_count,
                                             .list = w->options->list,
                                             .entries = w->options->entries };
    const struct cxn_score_options how = { .crops = "ten", .progress = tell_scored,
                                           .progress_ctx = g };
    cxn_model model = { .env = w->env, .engine = engine, .room = cxn_room_usual, .net = w->net };
    g->stage = engine->name;
    enum cxn_status status = engine->open(&model.state, source, w->env, err);
    if (status == CXN_OK) status = cxn_infer(&model, &images, &how, scores, err);
    engine->close(&model.state);
    return status;
}

/* ---- figures ------------------------------------------------------------------------------ */

static void choose_findings(struct gate *g)
{
    const uint16_t *labels = cxn_scores_labels(g->fp32);
    const size_t images = cxn_scores_count(g->fp32);
    for (int f = 0; f < CXN_FINDINGS; f++) {
        size_t positives = 0;
        for (size_t i = 0; i < images; i++) positives += labels[i] >> f & 1;
        if (positives >= CXN_QUANTIZE_POSITIVES_MIN &&
            images - positives >= CXN_QUANTIZE_POSITIVES_MIN)
            g->findings[g->finding_count++] = f;
    }
}

static void gather(const struct gate *g, const cxn_scores *scores, float *to)
{
    const float *prob = cxn_scores_prob(scores);
    for (size_t i = 0; i < cxn_scores_count(scores); i++)
        for (size_t k = 0; k < g->finding_count; k++)
            to[i * g->finding_count + k] = prob[i * CXN_FINDINGS + (size_t)g->findings[k]];
}

static void gather_labels(const struct gate *g)
{
    const uint16_t *labels = cxn_scores_labels(g->fp32);
    for (size_t i = 0; i < cxn_scores_count(g->fp32); i++) {
        g->labels[i] = 0;
        for (size_t k = 0; k < g->finding_count; k++)
            g->labels[i] |= (uint16_t)((labels[i] >> g->findings[k] & 1) << k);
    }
}

/* What mode fp32 answers, and of which findings. */
static enum cxn_status begin(struct gate *g, struct cxn_error *err)
{
    struct cxn_quantize_work *w = g->work;
    const struct cxn_engine_source source = { .net = w->net, .block = w->numbers.block };
    const enum cxn_status status = score(g, &cxn_engine_fp32, &source, &g->fp32, err);
    if (status != CXN_OK) return status;
    const size_t images = cxn_scores_count(g->fp32);
    if (cxn_scores_labels(g->fp32)) choose_findings(g);
    if (g->finding_count == 0)
        return cxn_fail(err, CXN_E_FORMAT, "%s: no finding with %d images that have it and as "
                        "many that do not, which the AUC is to be of", w->options->list,
                        CXN_QUANTIZE_POSITIVES_MIN);
    const size_t row_bytes = g->finding_count * 2 * sizeof *g->now + sizeof *g->labels;
    g->before = cxn_alloc(w->env->mem, images, row_bytes);
    if (!g->before) return cxn_fail_nomem(err, w->env->mem, images * row_bytes, "the scores");
    g->now = g->before + images * g->finding_count;
    g->labels = (uint16_t *)(void *)(g->now + images * g->finding_count);
    gather(g, g->fp32, g->before);
    gather_labels(g);
    w->result.gate_images = images;
    w->result.mean_of = (int32_t)g->finding_count;
    return CXN_OK;
}

static void tell_round(const struct gate *g, const struct cxn_quantize_round *r)
{
    const struct cxn_quantize_work *w = g->work;
    char interval[64] = "no interval";
    if (isfinite(r->drop_lo))
        snprintf(interval, sizeof interval, "95 %% interval %+.4f to %+.4f", r->drop_lo,
                 r->drop_hi);
    cxn_note(w->env->log, "%s: %u layers put back, mean AUC of %d findings %.4f, mode fp32's %.4f:"
             " a drop of %+.4f (%s), at most %g", w->options->list, r->put_back,
             w->result.mean_of, r->mean_auc, w->result.reference_auc, r->drop, interval,
             w->options->max_auc_drop);
}

static enum cxn_status evaluate(struct gate *g, struct cxn_error *err)
{
    struct cxn_quantize_work *w = g->work;
    const struct cxn_engine_source source = { .net = w->net, .quantized = w->quantized };
    struct cxn_eval_set set = { .images = cxn_scores_count(g->fp32),
                                .findings = g->finding_count, .scores = g->before,
                                .labels = g->labels };
    struct cxn_eval_comparison c;
    cxn_scores *scores = NULL;
    enum cxn_status status = score(g, &cxn_engine_int8, &source, &scores, err);
    if (status == CXN_OK) {
        gather(g, scores, g->now);
        status = cxn_auc_compare(w->env, &set, g->now, &c, err);
    }
    cxn_scores_close(&scores);
    if (status != CXN_OK) return status;
    struct cxn_quantize_round *r = &w->result.rounds[w->result.round_count++];
    *r = (struct cxn_quantize_round){
        .put_back = (uint32_t)g->put_back, .mean_auc = c.mean.b,
        .drop = c.mean.a - c.mean.b, .drop_lo = 0.0 - c.mean.difference.hi,
        .drop_hi = 0.0 - c.mean.difference.lo
    };
    w->result.reference_auc = c.mean.a;
    tell_round(g, r);
    return CXN_OK;
}

static bool passes(const struct gate *g)
{
    const struct cxn_quantize_result *r = &g->work->result;
    return r->rounds[r->round_count - 1].drop <= g->work->options->max_auc_drop;
}

/* ---- sensitivity -------------------------------------------------------------------------- */

struct pictures {
    struct cxn_picture picture[CXN_QUANTIZE_PICTURES];
    struct cxn_view views[CXN_QUANTIZE_PICTURES];
    float wanted[CXN_QUANTIZE_PICTURES * CXN_FINDINGS];
    size_t count;
};

static enum cxn_status read_pictures(const struct gate *g, struct pictures *p,
                                     struct cxn_error *err)
{
    const struct cxn_quantize_options *o = g->work->options;
    cxn_images *images = NULL;
    enum cxn_status status =
        cxn_images_open(&images, g->work->env, o->images, o->image_count, err);
    while (status == CXN_OK && p->count < CXN_QUANTIZE_PICTURES &&
           p->count < cxn_scores_count(g->fp32)) {
        struct cxn_picture *picture = &p->picture[p->count];
        status = cxn_images_read(images, cxn_scores_name(g->fp32, p->count), picture, NULL, err);
        if (status != CXN_OK) break;
        cxn_crops_views(CXN_CROPS_CENTER, picture, &p->views[p->count++]);
    }
    cxn_images_close(&images);
    return status;
}

static enum cxn_status ask_fp32(const struct gate *g, struct pictures *p, struct cxn_error *err)
{
    const struct cxn_quantize_work *w = g->work;
    const struct cxn_engine_source source = { .net = w->net, .block = w->numbers.block };
    cxn_engine_state *state;
    enum cxn_status status = cxn_engine_fp32.open(&state, &source, w->env, err);
    if (status == CXN_OK)
        status = cxn_engine_fp32.run(state, p->views, p->count, p->wanted, err);
    cxn_engine_fp32.close(&state);
    return status;
}

static int tell_layer(void *ctx, size_t done, size_t total)
{
    const struct gate *g = ctx;
    const struct cxn_quantize_options *o = g->work->options;
    return o->progress ? o->progress(o->progress_ctx, "sensitivity", done, total) : 0;
}

/* All layers, most sensitive first. */
static enum cxn_status rank_layers(struct gate *g, struct cxn_error *err)
{
    struct cxn_quantize_work *w = g->work;
    const struct cxn_progress progress = { tell_layer, g };
    struct pictures p = { .count = 0 };
    enum cxn_status status = read_pictures(g, &p, err);
    if (status == CXN_OK) status = ask_fp32(g, &p, err);
    const struct cxn_sensitivity_input input = {
        .source = &w->source, .calibration = w->calibration, .views = p.views, .count = p.count,
        .wanted = p.wanted, .progress = &progress
    };
    if (status == CXN_OK)
        status = cxn_sensitivity_measure(&input, w->env, g->rows, &g->row_count, err);
    for (size_t i = 0; i < p.count; i++) cxn_picture_close(&p.picture[i]);
    if (status != CXN_OK) return status;
    w->result.layer_count = (uint32_t)g->row_count;
    for (size_t i = 0; i < g->row_count; i++) {
        struct cxn_quantize_layer *layer = &w->result.layers[i];
        layer->sensitivity = g->rows[i].fall;
        snprintf(layer->name, sizeof layer->name, "%s", w->fold->parts[g->rows[i].part].name);
    }
    return CXN_OK;
}

/* ---- the gate ----------------------------------------------------------------------------- */

/* The next group of them; the next evaluation will be of it. */
static enum cxn_status put_back(struct gate *g, struct cxn_error *err)
{
    struct cxn_quantize_work *w = g->work;
    const size_t wanted = FIRST_GROUP + 2 * g->put_back; /* 4, 12, 28, ... */
    const size_t until = wanted < g->row_count ? wanted : g->row_count;
    for (; g->put_back < until; g->put_back++) {
        w->two_parts[g->rows[g->put_back].part] = true;
        w->result.layers[g->put_back].put_back = w->result.round_count + 1;
    }
    return cxn_quantize_again(w, err);
}

static void warn(const struct gate *g)
{
    const struct cxn_quantize_work *w = g->work;
    cxn_list_note_purpose(w->env, w->options->list);
    if (strcmp(g->fp32->list->sha256, w->calibration->list_sha256) == 0)
        cxn_note(w->env->log, "%s: the list of the calibration; a gate on it sees less than there "
                 "is", w->options->list);
}

static enum cxn_status run(struct gate *g, struct cxn_error *err)
{
    enum cxn_status status = begin(g, err);
    if (status != CXN_OK) return status;
    warn(g);
    status = evaluate(g, err);
    if (status == CXN_OK && !passes(g)) status = rank_layers(g, err);
    while (status == CXN_OK && !passes(g) && g->put_back < g->row_count) {
        status = put_back(g, err);
        if (status == CXN_OK) status = evaluate(g, err);
    }
    if (status != CXN_OK || passes(g)) return status;
    const struct cxn_quantize_result *r = &g->work->result;
    return cxn_fail(err, CXN_E_FORMAT, "%s: mean AUC falls by %+.4f with all %zu layers put back, "
                    "at most %g", g->work->options->list, r->rounds[r->round_count - 1].drop,
                    g->put_back, g->work->options->max_auc_drop);
}

enum cxn_status cxn_quantize_gate(struct cxn_quantize_work *work, struct cxn_error *err)
{
    struct gate gate = { .work = work };
    const enum cxn_status status = run(&gate, err);
    cxn_free(gate.before);
    cxn_scores_close(&gate.fp32);
    return status;
}
