/* SPDX-License-Identifier: Apache-2.0 */
#include "train/validate.h"

#include <math.h>
#include <string.h>

#include "image/image.h"
#include "train/agree.h"

enum { BATCH_MAX = 64 };

/* What is known of one image. */
struct row {
    float prob[CXN_FINDING_COUNT];
    uint32_t scored; /* 0: it could not be read */
};

struct work {
    const struct cxn_validation *v;
    const struct cxn_env *env;
    float *block;            /* the weights as float32 */
    cxn_engine_state *engine;
    struct row *own, *all;   /* [part], [ranks][part] */
    size_t part, first;      /* images of a rank; this one's first */
    bool noted;              /* the first image left out was told */
    float *scores;           /* [images][findings] of those scored */
    uint16_t *labels;
};

static enum cxn_status take_memory(struct work *w, struct cxn_error *err)
{
    const struct cxn_validation *v = w->v;
    struct cxn_mem *mem = w->env->mem;
    const unsigned ranks = v->comm->ranks(v->peers);
    const size_t n = v->list->count;
    w->part = (n + ranks - 1) / ranks;
    w->first = w->part * v->comm->rank(v->peers);
    w->block = cxn_alloc(mem, v->net->float_count, sizeof *w->block);
    w->own = cxn_alloc_zero(mem, w->part, sizeof *w->own);
    w->all = cxn_alloc(mem, w->part * ranks, sizeof *w->all);
    w->scores = cxn_alloc(mem, n, CXN_FINDING_COUNT * sizeof *w->scores);
    w->labels = cxn_alloc(mem, n, sizeof *w->labels);
    if (w->block && w->own && w->all && w->scores && w->labels) return CXN_OK;
    return cxn_fail_nomem(err, mem, v->net->float_count * sizeof *w->block, "a validation");
}

static enum cxn_status open_engine(struct work *w, const struct cxn_span *weights,
                                   struct cxn_error *err)
{
    if (weights->number == CXN_NUMBER_F32)
        memcpy(w->block, weights->data, weights->count * sizeof *w->block);
    for (size_t i = 0; weights->number == CXN_NUMBER_F64 && i < weights->count; i++)
        w->block[i] = (float)((const double *)weights->data)[i];
    const struct cxn_engine_source source = { .net = w->v->net, .block = w->block };
    return w->v->engine->open(&w->engine, &source, w->env, err);
}

static enum cxn_status score_batch(struct work *w, struct cxn_sample *const *samples,
                                   size_t count, struct cxn_error *err)
{
    struct cxn_view views[BATCH_MAX] = { 0 }, crop[CXN_VIEWS_MAX];
    float prob[BATCH_MAX * CXN_FINDING_COUNT];
    for (size_t i = 0; i < count; i++) {
        cxn_crops_views(CXN_CROPS_CENTER, &samples[i]->picture, crop);
        views[i] = crop[0];
    }
    const enum cxn_status status = w->v->engine->run(w->engine, views, count, prob, err);
    for (size_t i = 0; status == CXN_OK && i < count; i++) {
        struct row *row = &w->own[samples[i]->index];
        memcpy(row->prob, prob + i * CXN_FINDING_COUNT, sizeof row->prob);
        row->scored = 1;
    }
    return status;
}

/* Up to `room` readable samples; *count is 0 at the end of the list. */
static enum cxn_status gather_batch(struct work *w, cxn_loader *loader,
                                    struct cxn_sample **samples, size_t room, size_t *count,
                                    struct cxn_error *err)
{
    *count = 0;
    while (*count < room) {
        struct cxn_sample *s = cxn_loader_next(loader);
        if (!s) break;
        if (s->status == CXN_OK) {
            samples[(*count)++] = s;
            continue;
        }
        const enum cxn_status why = s->status;
        const struct cxn_error text = s->error;
        cxn_loader_release(loader, s);
        if (!w->v->skip_bad || why == CXN_E_NOMEM) return cxn_fail(err, why, "%s", text.text);
        if (!w->noted) cxn_note(w->v->notes, "%s; left out of the validation", text.text);
        w->noted = true;
    }
    return CXN_OK;
}

/* What each rank tells the others between two batches. */
struct word {
    enum cxn_status status;
    uint32_t stop, ended;
};

/* Every rank comes here as often as the one with the most batches. *ended, in: this rank's part is
 * scored, out: every rank's is. */
static enum cxn_status exchange(struct work *w, enum cxn_status own, bool *ended,
                                struct cxn_error *err)
{
    const struct cxn_validation *v = w->v;
    const unsigned ranks = v->comm->ranks(v->peers);
    const struct word word = { .status = own, .stop = v->is_stop_asked(v->stop_ctx),
                               .ended = *ended };
    struct word words[CXN_RANKS_MAX];
    enum cxn_status statuses[CXN_RANKS_MAX];
    bool stop = false;
    enum cxn_status status = v->comm->gather(v->peers, &word, words, sizeof word, err);
    if (status != CXN_OK) return status;
    *ended = true;
    for (unsigned r = 0; r < ranks; r++) {
        statuses[r] = words[r].status;
        stop = stop || words[r].stop;
        *ended = *ended && words[r].ended;
    }
    status = cxn_agree_text(v->comm, v->peers, statuses, err);
    if (status != CXN_OK || *ended || !stop) return status;
    return cxn_fail(err, CXN_E_STOPPED, "stopped in a validation");
}

static enum cxn_status one_batch(struct work *w, cxn_loader *loader, size_t room, size_t *count,
                                 struct cxn_error *err)
{
    struct cxn_sample *samples[BATCH_MAX];
    enum cxn_status status = gather_batch(w, loader, samples, room, count, err);
    const size_t n = *count;
    if (status == CXN_OK && n > 0) status = score_batch(w, samples, n, err);
    for (size_t i = 0; i < n; i++) cxn_loader_release(loader, samples[i]);
    return status;
}

/* `own`: what it came to to get here. */
static enum cxn_status score_part(struct work *w, enum cxn_status own, struct cxn_error *err)
{
    const cxn_list *list = w->v->list;
    const unsigned threads = cxn_pool_threads(w->env->pool);
    const size_t room = 16 * threads > BATCH_MAX ? BATCH_MAX : 16 * (size_t)threads;
    const struct cxn_loader_options how = { .threads = threads, .slots = 2 * room };
    const size_t left = w->first < list->count ? list->count - w->first : 0;
    const cxn_list part = { .count = left < w->part ? left : w->part, .labelled = true,
                            .items = left > 0 ? list->items + w->first : NULL };
    cxn_loader *loader = NULL;
    enum cxn_status status = own;
    if (status == CXN_OK && left > 0)
        status = cxn_loader_open(&loader, w->env, w->v->images, &part, &how, err);
    for (size_t count = left;;) {
        bool ended = count == 0;
        status = exchange(w, status, &ended, err);
        if (status != CXN_OK || ended) break;
        if (count > 0) status = one_batch(w, loader, room, &count, err);
    }
    cxn_loader_close(&loader);
    return status;
}

/* Loss and AUCs from the rows of all ranks. */
static enum cxn_status judge(struct work *w, struct cxn_validation_result *r,
                             struct cxn_error *err)
{
    const cxn_list *list = w->v->list;
    struct cxn_eval_table table;
    double loss = 0;
    *r = (struct cxn_validation_result){ 0 };
    for (size_t i = 0; i < list->count; i++) {
        if (!w->all[i].scored) continue;
        const uint16_t labels = list->items[i].labels;
        loss += cxn_loss_of_probabilities(w->v->loss, w->all[i].prob, labels);
        memcpy(w->scores + r->images * CXN_FINDING_COUNT, w->all[i].prob, sizeof w->all[i].prob);
        w->labels[r->images++] = labels;
    }
    r->skipped = list->count - r->images;
    if (r->images == 0)
        return cxn_fail(err, CXN_E_FORMAT, "none of the %zu images of the validation list can be "
                        "read", list->count);
    const struct cxn_eval_set set = { .images = r->images, .findings = CXN_FINDING_COUNT,
                                      .scores = w->scores, .labels = w->labels };
    const enum cxn_status status = cxn_auc_delong(w->env, &set, &table, err);
    if (status != CXN_OK) return status;
    r->loss = loss / (double)r->images;
    r->mean_auc = table.mean.value;
    r->mean_of = table.mean_of;
    for (size_t f = 0; f < CXN_FINDING_COUNT; f++) r->auc[f] = table.finding[f].auc.value;
    return CXN_OK;
}

static enum cxn_status run(struct work *w, const struct cxn_span *weights,
                           struct cxn_validation_result *result, struct cxn_error *err)
{
    const struct cxn_validation *v = w->v;
    enum cxn_status status = take_memory(w, err);
    if (status == CXN_OK) status = open_engine(w, weights, err);
    status = score_part(w, status, err);
    if (status != CXN_OK) return status;
    status = v->comm->gather(v->peers, w->own, w->all, w->part * sizeof *w->own, err);
    if (status == CXN_OK) status = cxn_agree(v->comm, v->peers, judge(w, result, err), err);
    /* What the schedule and the best are decided by is rank 0's: a logarithm may be rounded
     * otherwise on another CPU. */
    if (status == CXN_OK) status = v->comm->broadcast(v->peers, result, sizeof *result, err);
    return status;
}

enum cxn_status cxn_validate(const struct cxn_validation *v, const struct cxn_span *weights,
                             const struct cxn_env *env, struct cxn_validation_result *result,
                             struct cxn_error *err)
{
    struct work w = { .v = v, .env = env };
    const enum cxn_status status = run(&w, weights, result, err);
    if (w.engine) v->engine->close(&w.engine);
    cxn_free(w.labels);
    cxn_free(w.scores);
    cxn_free(w.all);
    cxn_free(w.own);
    cxn_free(w.block);
    return status;
}
