/* SPDX-License-Identifier: Apache-2.0 */
#include "train/loop.h"

#include <math.h>

#include "base/clock.h"
#include "train/agree.h"
#include "train/feed.h"

/* One call of cxn_loop_run(). */
struct work {
    const struct cxn_loop *loop;
    const struct cxn_env *env;
    struct cxn_train_state *state;
    struct cxn_loop_result *result;
    struct cxn_schedule schedule;
    struct cxn_train_step *step;
    cxn_feed *feed;
    bool stop;               /* asked for on this rank */
    bool noted_val;          /* an image that a validation left out was told */
    double val_seconds;      /* of the last validation */
    uint64_t saved_step;     /* of the last checkpoint */
    /* What writing the log came to; the other ranks are told in the next exchange. */
    enum cxn_status log_status;
    struct cxn_error log_error;
};

/* ---- log ---------------------------------------------------------------------------------- */

/* NaN has no JSON. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static enum cxn_status log_object(const struct work *w, json_t *object, struct cxn_error *err)
{
    const enum cxn_status status =
        object ? cxn_run_log(w->loop->run, object, err)
               : cxn_fail(err, CXN_E_NOMEM, "no memory for a line of the log");
    json_decref(object);
    return status;
}

static enum cxn_status log_step(const struct work *w, const struct cxn_loop_news *news,
                                struct cxn_error *err)
{
    if (!w->loop->run) return CXN_OK;
    return log_object(w, json_pack("{s:I, s:I, s:o, s:o, s:o}", "step", (json_int_t)news->step,
                                   "epoch", (json_int_t)news->epoch, "loss", number(news->loss),
                                   "lr", number(news->lr), "images_per_second",
                                   number(news->images_per_second)), err);
}

static json_t *findings_json(const struct cxn_validation_result *r)
{
    json_t *findings = json_object();
    int failed = 0;
    for (size_t f = 0; f < CXN_FINDING_COUNT; f++)
        failed |= json_object_set_new(findings, cxn_finding_names[f], number(r->auc[f]));
    if (!failed) return findings;
    json_decref(findings);
    return NULL;
}

static enum cxn_status log_epoch(const struct work *w, const struct cxn_validation_result *r,
                                 bool best, struct cxn_error *err)
{
    if (!w->loop->run) return CXN_OK;
    return log_object(w, json_pack("{s:I, s:I, s:o, s:o, s:i, s:I, s:I, s:f, s:b, s:o}", "epoch",
                                   (json_int_t)w->state->epoch_count, "step",
                                   (json_int_t)w->state->step, "val_loss", number(r->loss),
                                   "val_mean_auc", number(r->mean_auc), "val_mean_of", r->mean_of,
                                   "val_images", (json_int_t)r->images, "val_skipped",
                                   (json_int_t)r->skipped, "val_seconds", w->val_seconds, "best",
                                   (int)best, "findings", findings_json(r)), err);
}

/* ---- checkpoints -------------------------------------------------------------------------- */

static struct cxn_span weights_to_judge(const struct work *w)
{
    const struct cxn_worker *k = &w->loop->worker;
    const bool average = w->loop->settings->ema > 0;
    return k->trainer->block(k->state, average ? CXN_BLOCK_AVERAGE : CXN_BLOCK_WEIGHTS, 0);
}

static enum cxn_status write_checkpoint(const struct work *w, struct cxn_error *err)
{
    const struct cxn_worker *k = &w->loop->worker;
    const struct cxn_train_state *s = w->state;
    const unsigned moments = cxn_settings_moments(w->loop->settings);
    json_t *object = cxn_state_json(s);
    if (!object) return cxn_fail(err, CXN_E_NOMEM, "no memory for a checkpoint's state");
    struct cxn_checkpoint_content c = {
        .net = w->loop->net,
        .place = { .step = s->step, .epoch = s->epoch_count, .best_auc = NAN },
        .state = object,
        .weights = k->trainer->block(k->state, CXN_BLOCK_WEIGHTS, 0),
        .moment_count = moments,
    };
    if (s->epoch_count > 0)
        c.place.best_auc = s->epochs[cxn_state_best(s->epochs, s->epoch_count)].val_mean_auc;
    for (unsigned i = 0; i < moments; i++)
        c.moments[i] = k->trainer->block(k->state, CXN_BLOCK_MOMENT, i);
    if (w->loop->settings->ema > 0)
        c.average = k->trainer->block(k->state, CXN_BLOCK_AVERAGE, 0);
    const enum cxn_status status = cxn_run_save(w->loop->run, &c, err);
    json_decref(object);
    if (status != CXN_E_FORMAT) return status;
    const struct cxn_error why = *err;
    return cxn_fail(err, status, "step %llu is not saved, what was before stays: %s",
                    (unsigned long long)s->step, why.text);
}

static enum cxn_status log_failure(const struct work *w, struct cxn_error *err)
{
    return w->log_status == CXN_OK ? CXN_OK : cxn_fail(err, w->log_status, "%s", w->log_error.text);
}

/* Rank 0 writes; the others wait until it is done, and fail where it does. */
static enum cxn_status save(struct work *w, struct cxn_error *err)
{
    const struct cxn_worker *k = &w->loop->worker;
    enum cxn_status own = log_failure(w, err);
    if (own == CXN_OK && w->loop->run) own = write_checkpoint(w, err);
    w->saved_step = w->state->step;
    return cxn_agree(k->comm, k->peers, own, err);
}

/* ---- epochs ------------------------------------------------------------------------------- */

static void tell(struct work *w, const struct cxn_loop_news *news)
{
    if (w->loop->watch && w->loop->watch(w->loop->watch_ctx, news) != 0) w->stop = true;
}

static uint64_t steps_in_epochs(const struct work *w)
{
    return w->state->epoch_count * w->schedule.epoch_steps;
}

static bool is_stop_asked(void *ctx)
{
    struct work *w = ctx;
    const struct cxn_loop_news news = {
        .step = w->state->step, .steps = w->schedule.total, .epoch = w->state->epoch_count + 1,
        .epochs = w->loop->settings->epochs, .validating = true
    };
    tell(w, &news);
    return w->stop;
}

/* *stop: some rank is asked to. */
static enum cxn_status share_stop(const struct work *w, bool *stop, struct cxn_error *err)
{
    const struct cxn_worker *k = &w->loop->worker;
    bool all[CXN_SHARDS_MAX];
    const enum cxn_status status = k->comm->gather(k->peers, &w->stop, all, sizeof w->stop, err);
    if (status != CXN_OK) return status;
    for (unsigned r = 0; r < k->comm->ranks(k->peers); r++) *stop = *stop || all[r];
    return CXN_OK;
}

/* On rank 0: the weights where they are the best so far, and the epoch's line. */
static enum cxn_status keep_result(struct work *w, const struct cxn_validation_result *r,
                                   struct cxn_error *err)
{
    const struct cxn_train_state *s = w->state;
    const bool best = cxn_state_best(s->epochs, s->epoch_count) == s->epoch_count - 1;
    enum cxn_status status = CXN_OK;
    if (best && w->loop->run) {
        const struct cxn_span weights = weights_to_judge(w);
        status = cxn_run_save_best(w->loop->run, w->loop->net, &weights, w->loop->about_best,
                                   w->loop->about_best_count, err);
    }
    return status == CXN_OK ? log_epoch(w, r, best, err) : status;
}

/* The steps are saved before: no image of the val list, and no stop, costs them. *stop: some rank
 * is asked to; the validation that it came in is made up for by the resume. */
static enum cxn_status end_epoch(struct work *w, bool *stop, struct cxn_error *err)
{
    const struct cxn_loop *l = w->loop;
    enum cxn_status status = w->saved_step == w->state->step ? CXN_OK : save(w, err);
    if (status != CXN_OK) return status;
    const struct cxn_validation v = {
        .engine = l->engine, .net = l->net, .images = l->images, .list = l->val, .loss = l->loss,
        .skip_bad = l->settings->skip_bad, .is_stop_asked = is_stop_asked, .stop_ctx = w,
        .notes = w->noted_val ? NULL : l->notes,
        .comm = l->worker.comm, .peers = l->worker.peers
    };
    struct cxn_validation_result r;
    const struct cxn_span weights = weights_to_judge(w);
    const double started = cxn_clock_seconds();
    status = cxn_validate(&v, &weights, w->env, &r, err);
    *stop = status == CXN_E_STOPPED;
    if (status != CXN_OK) return *stop ? CXN_OK : status;
    w->val_seconds = cxn_clock_seconds() - started;
    if (r.skipped > 0 && !w->noted_val)
        cxn_note(w->env->log, "%zu of %zu images of the validation list cannot be read and are "
                 "left out", r.skipped, l->val->count);
    w->noted_val = w->noted_val || r.skipped > 0;
    w->state->epochs[w->state->epoch_count++] =
        (struct cxn_epoch_result){ .val_loss = r.loss, .val_mean_auc = r.mean_auc };
    status = cxn_agree(l->worker.comm, l->worker.peers, keep_result(w, &r, err), err);
    if (status == CXN_OK) status = save(w, err);
    const struct cxn_loop_news news = {
        .step = w->state->step, .steps = w->schedule.total, .epoch = w->state->epoch_count,
        .epochs = l->settings->epochs, .validated = true, .val_loss = r.loss,
        .val_mean_auc = r.mean_auc
    };
    if (status != CXN_OK) return status;
    tell(w, &news);
    return share_stop(w, stop, err);
}

static bool is_early_stop(const struct work *w)
{
    const struct cxn_train_state *s = w->state;
    const uint64_t patience = w->loop->settings->early_stop;
    if (patience == 0 || s->epoch_count == 0) return false;
    return s->epoch_count - 1 - cxn_state_best(s->epochs, s->epoch_count) >= patience;
}

/* ---- steps -------------------------------------------------------------------------------- */

static void report_step(struct work *w, const struct cxn_train_step_call *call, double seconds,
                        struct cxn_loop_news *news)
{
    const struct cxn_settings *s = w->loop->settings;
    const double per_step = w->result->step_seconds / (double)w->result->steps;
    const uint64_t left = w->schedule.total - w->state->step;
    const uint64_t epochs_left = (left + w->schedule.epoch_steps - 1) / w->schedule.epoch_steps;
    *news = (struct cxn_loop_news){
        .step = w->state->step, .steps = w->schedule.total,
        .epoch = (w->state->step - 1) / w->schedule.epoch_steps + 1, .epochs = s->epochs,
        .loss = call->loss, .lr = call->lr,
        .images_per_second = (double)cxn_settings_images(s) / fmax(seconds, 1e-9),
        .seconds_left = per_step * (double)left + w->val_seconds * (double)epochs_left
    };
}

/* The update after state->step, and what follows from it. *stop: some rank is asked to. */
static enum cxn_status one_step(struct work *w, bool *stop, struct cxn_error *err)
{
    struct cxn_train_state *s = w->state;
    struct cxn_train_step_call call = {
        .number = s->step + 1, .status = log_failure(w, err), .stop = w->stop,
        .lr = cxn_schedule_lr(&w->schedule, s->step, s->epochs, s->epoch_count)
    };
    struct cxn_loop_news news;
    const double started = cxn_clock_seconds();
    enum cxn_status status = cxn_train_step_run(w->step, &call, err);
    if (status != CXN_OK) return status;
    const double seconds = cxn_clock_seconds() - started;
    s->step++;
    s->skipped += call.skipped;
    *stop = call.stop;
    w->result->steps++;
    w->result->step_seconds += seconds;
    report_step(w, &call, seconds, &news);
    w->log_status = log_step(w, &news, &w->log_error);
    tell(w, &news);
    return CXN_OK;
}

/* Steps until the epoch, the training or the patience of whoever asked to stop is at its end. */
static enum cxn_status some_steps(struct work *w, bool *stop, struct cxn_error *err)
{
    const uint64_t save_every = w->loop->settings->save_every;
    struct cxn_train_state *s = w->state;
    const uint64_t epoch = s->step / w->schedule.epoch_steps;
    uint64_t end = (epoch + 1) * w->schedule.epoch_steps;
    if (end > w->schedule.total) end = w->schedule.total;
    enum cxn_status status = cxn_feed_seek(w->feed, epoch, s->step % w->schedule.epoch_steps, err);
    status = cxn_agree(w->loop->worker.comm, w->loop->worker.peers, status, err);
    while (status == CXN_OK && s->step < end && !*stop) {
        status = one_step(w, stop, err);
        if (status == CXN_OK && save_every > 0 && s->step % save_every == 0 && s->step < end)
            status = save(w, err);
    }
    return status;
}

/* A validation is due after each epoch and at the very end; one that a stop or an error came before
 * is made up for by the resume. */
static bool is_validation_due(const struct work *w)
{
    const uint64_t step = w->state->step;
    return step > steps_in_epochs(w) &&
           (step % w->schedule.epoch_steps == 0 || step == w->schedule.total);
}

static bool is_training_left(const struct work *w)
{
    return w->state->step < w->schedule.total || is_validation_due(w);
}

static enum cxn_status train(struct work *w, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    bool stop = false;
    w->result->end = CXN_LOOP_DONE;
    while (status == CXN_OK) {
        if (is_validation_due(w)) status = end_epoch(w, &stop, err);
        if (status == CXN_OK && stop && is_training_left(w)) w->result->end = CXN_LOOP_STOPPED;
        if (status != CXN_OK || stop || w->state->step >= w->schedule.total) break;
        if (is_early_stop(w)) {
            w->result->end = CXN_LOOP_EARLY_STOP;
            break;
        }
        status = some_steps(w, &stop, err);
        if (status == CXN_OK && stop && w->state->step < w->schedule.total) {
            w->result->end = CXN_LOOP_STOPPED;
            break;
        }
    }
    if (status == CXN_OK && w->saved_step != w->state->step) status = save(w, err);
    return status;
}

/* What a checkpoint tells must be what this training can have come to: a validation after each
 * epoch and after the last step, the latest of which may not have been done. */
static enum cxn_status check_place(const struct work *w, struct cxn_error *err)
{
    const struct cxn_train_state *s = w->state;
    const uint64_t steps = w->schedule.epoch_steps, total = w->schedule.total;
    const bool at_end = s->step % steps == 0 || s->step == total;
    const uint64_t due = s->step / steps + (s->step % steps > 0 && s->step == total);
    if (s->step <= total &&
        (s->epoch_count == due || (at_end && due > 0 && s->epoch_count == due - 1)))
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "the checkpoint is of step %llu with %zu validations, which "
                    "%llu steps in epochs of %llu do not come to", (unsigned long long)s->step,
                    s->epoch_count, (unsigned long long)total, (unsigned long long)steps);
}

static enum cxn_status open_parts(struct work *w, struct cxn_error *err)
{
    const struct cxn_loop *l = w->loop;
    const struct cxn_feed_options feeding = { .images = l->images, .list = l->train,
                                              .settings = l->settings, .notes = l->notes,
                                              .rank = l->worker.comm->rank(l->worker.peers),
                                              .ranks = l->worker.comm->ranks(l->worker.peers) };
    enum cxn_status status = cxn_feed_open(&w->feed, &feeding, w->env, err);
    if (status != CXN_OK) return status;
    const struct cxn_train_step_options stepping = { .settings = l->settings, .loss = l->loss,
                                                     .net = l->net,
                                                     .source = cxn_feed_source(w->feed) };
    return cxn_train_step_open(&w->step, &l->worker, &stepping, w->env, err);
}

enum cxn_status cxn_loop_run(const struct cxn_loop *loop, struct cxn_train_state *state,
                             const struct cxn_env *env, struct cxn_loop_result *result,
                             struct cxn_error *err)
{
    struct work w = { .loop = loop, .env = env, .state = state, .result = result,
                      .schedule = cxn_schedule_make(loop->settings, loop->train->count),
                      .saved_step = state->step > 0 ? state->step : UINT64_MAX };
    const double started = cxn_clock_seconds();
    *result = (struct cxn_loop_result){ 0 };
    enum cxn_status status = check_place(&w, err);
    if (status == CXN_OK) status = open_parts(&w, err);
    status = cxn_agree(loop->worker.comm, loop->worker.peers, status, err);
    if (status == CXN_OK) status = train(&w, err);
    result->seconds = cxn_clock_seconds() - started;
    cxn_train_step_close(&w.step);
    cxn_feed_close(&w.feed);
    return status;
}
