/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring a list or a handful of files: pictures are read ahead while a batch is computed. */
#include <chexnet/infer.h>

#include <string.h>

#include "api/model.h"
#include "api/scores.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/fpmode.h"
#include "data/loader.h"

enum { BATCH_MAX = 64 };

/* What one call works with. */
struct run {
    cxn_model *model;
    const struct cxn_score_options *options;
    enum cxn_crops crops;
    const cxn_list *list; /* borrowed: what is scored */
    cxn_scores *scores;
    cxn_out *out; /* NULL: no CSV is wanted */
    double started;
    fenv_t host; /* the caller's floating-point mode */
};

static enum cxn_status run_open(struct run *run, cxn_model *model,
                                const struct cxn_score_options *options, struct cxn_error *err)
{
    *run = (struct run){ .model = model, .options = options };
    cxn_fpmode_enter(&run->host);
    const enum cxn_status status = cxn_crops_parse(options->crops, &run->crops, err);
    if (status != CXN_OK || !options->out) return status;
    return cxn_out_open(&run->out, options->out, err); /* now, not after an hour of computing */
}

/* Ends the run: hands the scores over or drops everything. */
static enum cxn_status run_close(struct run *run, enum cxn_status status, cxn_scores **scores,
                                 struct cxn_error *err)
{
    if (status == CXN_OK && run->scores->count == 0)
        status = cxn_fail(err, CXN_E_FORMAT, "none of %zu images could be read, first: %s",
                          run->scores->total, run->scores->reasons[0]);
    if (status == CXN_OK) {
        run->scores->seconds = cxn_clock_seconds() - run->started;
        if (run->out) {
            cxn_scores_write(run->scores, run->out);
            status = cxn_out_commit(&run->out, err);
        }
    }
    cxn_out_abort(&run->out);
    if (status != CXN_OK) cxn_scores_close(&run->scores);
    *scores = run->scores;
    cxn_fpmode_leave(&run->host);
    return status;
}

static enum cxn_status tell_progress(const struct run *run, struct cxn_error *err)
{
    const struct cxn_score_options *o = run->options;
    run->scores->seconds = cxn_clock_seconds() - run->started;
    if (!o->progress || o->progress(o->progress_ctx, run->scores, run->scores->total) == 0)
        return CXN_OK;
    return cxn_fail(err, CXN_E_STOPPED, "stopped after %zu of %zu images", run->scores->count,
                    run->scores->total);
}

/* Pictures enough to give each thread many views: at the end of a batch the others wait for the
 * last view of one, which costs half a view a thread on average. */
static size_t batch_size(const struct run *run)
{
    const size_t views = cxn_crops_count(run->crops);
    const size_t wanted = 16 * (size_t)cxn_pool_threads(run->model->env->pool);
    const size_t batch = (wanted + views - 1) / views;
    return batch > BATCH_MAX ? BATCH_MAX : batch;
}

/* ---- pictures, read ahead ----------------------------------------------------------------- */

/* Why the sample cannot be scored, with its name; CXN_OK where it can. */
static enum cxn_status check_sample(const struct run *run, const struct cxn_sample *sample,
                                    struct cxn_error *err)
{
    if (sample->status != CXN_OK) {
        *err = sample->error;
        return sample->status;
    }
    return cxn_fail_in(err, cxn_crops_check(run->crops, &sample->picture, err),
                       run->list->items[sample->index].name);
}

/* Collects up to `room` readable samples; bad ones end the run or are skipped. */
static enum cxn_status gather(struct run *run, cxn_loader *loader, struct cxn_sample **batch,
                              size_t room, size_t *count, struct cxn_error *err)
{
    *count = 0;
    while (*count < room) {
        struct cxn_sample *sample = cxn_loader_next(loader);
        if (!sample) break;
        struct cxn_error why = { "" };
        enum cxn_status status = check_sample(run, sample, &why);
        if (status == CXN_OK) {
            batch[(*count)++] = sample;
            continue;
        }
        cxn_loader_release(loader, sample);
        if (run->options->skip_bad && status != CXN_E_NOMEM)
            status = cxn_scores_skip(run->scores, why.text, err);
        else if (err)
            *err = why;
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

static enum cxn_status score_batch(struct run *run, struct cxn_sample *const *batch, size_t count,
                                   struct cxn_error *err)
{
    const struct cxn_picture *pictures[BATCH_MAX];
    float prob[BATCH_MAX * CXN_FINDINGS];
    for (size_t i = 0; i < count; i++) pictures[i] = &batch[i]->picture;
    const enum cxn_status status =
        cxn_model_score(run->model, pictures, count, run->crops, prob, err);
    if (status != CXN_OK) return status;
    for (size_t i = 0; i < count; i++) {
        const struct cxn_item *item = &run->list->items[batch[i]->index];
        cxn_scores_add(run->scores, item->name, item, prob + i * CXN_FINDINGS);
    }
    return tell_progress(run, err);
}

static enum cxn_status score_all(struct run *run, cxn_loader *loader, struct cxn_error *err)
{
    struct cxn_sample *batch[BATCH_MAX];
    const size_t room = batch_size(run);
    for (;;) {
        size_t count;
        enum cxn_status status = gather(run, loader, batch, room, &count, err);
        if (status == CXN_OK && count > 0) status = score_batch(run, batch, count, err);
        for (size_t i = 0; i < count; i++) cxn_loader_release(loader, batch[i]);
        if (status != CXN_OK || count == 0) return status;
    }
}

static enum cxn_status score_images(struct run *run, const cxn_images *images,
                                    struct cxn_error *err)
{
    const struct cxn_env *env = run->model->env;
    const struct cxn_loader_options options = { .threads = cxn_pool_threads(env->pool),
                                                .slots = 2 * batch_size(run) };
    cxn_loader *loader = NULL;
    enum cxn_status status =
        cxn_loader_open(&loader, env, images, run->list, &options, err);
    if (status == CXN_OK) status = score_all(run, loader, err);
    cxn_loader_close(&loader);
    return status;
}

/* ---- a list ------------------------------------------------------------------------------- */

static enum cxn_status open_list(const struct cxn_env *env, const struct cxn_infer_source *source,
                                 cxn_list **list, struct cxn_error *err)
{
    cxn_entries *entries = NULL;
    enum cxn_status status = CXN_OK;
    if (source->entries) status = cxn_entries_open(&entries, env, source->entries, err);
    if (status == CXN_OK) status = cxn_list_open(list, env, source->list, entries, err);
    cxn_entries_close(&entries);
    return status;
}

static enum cxn_status infer_list(struct run *run, const struct cxn_infer_source *source,
                                  struct cxn_error *err)
{
    const struct cxn_env *env = run->model->env;
    cxn_list *list = NULL;
    cxn_images *images = NULL;
    enum cxn_status status = open_list(env, source, &list, err);
    if (status == CXN_OK)
        status = cxn_images_open(&images, env, source->images, source->image_count, err);
    if (status == CXN_OK) status = cxn_images_fit(images, list, err);
    run->list = list;
    if (status == CXN_OK) status = cxn_scores_open(&run->scores, env, list->count, &list, err);
    run->started = cxn_clock_seconds();
    if (status == CXN_OK) status = score_images(run, images, err);
    cxn_images_close(&images);
    cxn_list_close(&list);
    return status;
}

enum cxn_status cxn_infer(cxn_model *model, const struct cxn_infer_source *source,
                          const struct cxn_score_options *options, cxn_scores **scores,
                          struct cxn_error *err)
{
    if (!scores) return cxn_fail(err, CXN_E_ARG, "cxn_infer: no place for the scores");
    *scores = NULL;
    if (!model || !source || !source->list || !source->images || source->image_count == 0 ||
        !options)
        return cxn_fail(err, CXN_E_ARG, "cxn_infer: a model, a list and images are needed");
    struct run run;
    enum cxn_status status = run_open(&run, model, options, err);
    if (status == CXN_OK) status = infer_list(&run, source, err);
    return run_close(&run, status, scores, err);
}

/* ---- files -------------------------------------------------------------------------------- */

/* The names outlive the call in the scores: they are copied into one block first. */
static enum cxn_status copy_names(cxn_scores *scores, const char *const *files, cxn_list *list,
                                  struct cxn_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) bytes += strlen(files[i]) + 1;
    scores->own_names = cxn_alloc(scores->mem, bytes, 1);
    if (!scores->own_names) return cxn_fail_nomem(err, scores->mem, bytes, "the files' names");
    char *at = scores->own_names;
    for (size_t i = 0; i < list->count; i++) {
        const size_t n = strlen(files[i]) + 1;
        memcpy(at, files[i], n);
        list->items[i].name = at;
        at += n;
    }
    return CXN_OK;
}

static enum cxn_status predict_all(struct run *run, const char *const *files, size_t count,
                                   struct cxn_error *err)
{
    const struct cxn_env *env = run->model->env;
    cxn_images *images = NULL;
    cxn_list list = { .count = count };
    list.items = cxn_alloc_zero(env->mem, count, sizeof *list.items);
    if (!list.items)
        return cxn_fail_nomem(err, env->mem, count * sizeof *list.items, "the files' names");
    run->list = &list;
    enum cxn_status status = cxn_scores_open(&run->scores, env, count, NULL, err);
    if (status == CXN_OK) status = copy_names(run->scores, files, &list, err);
    if (status == CXN_OK) status = cxn_images_open_paths(&images, env, err);
    run->started = cxn_clock_seconds();
    if (status == CXN_OK) status = score_images(run, images, err);
    cxn_images_close(&images);
    cxn_free(list.items);
    return status;
}

enum cxn_status cxn_predict_files(cxn_model *model, const char *const *files, size_t file_count,
                                  const struct cxn_score_options *options, cxn_scores **scores,
                                  struct cxn_error *err)
{
    if (!scores) return cxn_fail(err, CXN_E_ARG, "cxn_predict_files: no place for the scores");
    *scores = NULL;
    if (!model || !files || file_count == 0 || !options)
        return cxn_fail(err, CXN_E_ARG, "cxn_predict_files: a model and files are needed");
    struct run run;
    enum cxn_status status = run_open(&run, model, options, err);
    if (status == CXN_OK) status = predict_all(&run, files, file_count, err);
    return run_close(&run, status, scores, err);
}
