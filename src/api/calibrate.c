/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration of a list: pictures are read ahead while a batch of crops is computed. */
#include <chexnet/quant.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/context.h"
#include "api/lists.h"
#include "api/numbers.h"
#include "api/source_name.h"
#include "base/clock.h"
#include "base/fpmode.h"
#include "base/random.h"
#include "data/loader.h"
#include "fuse/engine.h"
#include "image/image.h"
#include "quant/partial.h"

_Static_assert(sizeof ((struct cxn_calibrate_result *)0)->model_sha256 == CXN_SHA256_HEX_BYTES,
               "digits");

enum { COUNT_MAX = 1000000, BATCH_MAX = 64 };

/* Of work, between two savings of what was seen. */
#define SAVE_SECONDS 30.0

/* One calibration at work. */
struct work {
    const struct cxn_env *env;
    const struct cxn_calibrate_options *options;
    struct cxn_numbers numbers;
    cxn_net *net;
    cxn_fold *fold;
    cxn_list *list;
    cxn_images *images;
    uint32_t *chosen; /* [chosen_count] indices into the list, rising */
    size_t chosen_count;
    size_t batch;
    struct cxn_range_rule rule;
    cxn_collector *collector;
    cxn_calibration *calibration;
    char *partial; /* OUT.partial */
    size_t resumed;
    double started, saved;
};

/* ---- what is asked for -------------------------------------------------------------------- */

static enum cxn_status make_rule(struct work *w, struct cxn_error *err)
{
    const struct cxn_calibrate_options *o = w->options;
    const double percentile = o->percentile != 0 ? o->percentile : CXN_CALIBRATE_PERCENTILE;
    const enum cxn_status status = cxn_calibration_method_parse(
        o->method ? o->method : "minmax", &w->rule.method, err);
    if (status != CXN_OK || w->rule.method != CXN_CALIBRATION_PERCENTILE) return status;
    w->rule.percentile = percentile;
    if (percentile > 50 && percentile < 100) return CXN_OK;
    return cxn_fail(err, CXN_E_ARG, "percentile %g, expected a number above 50 and below 100",
                    percentile);
}

/* ---- what there is ------------------------------------------------------------------------ */

static enum cxn_status load_weights(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&w->net, &cxn_densenet121, w->env->mem, err);
    if (status == CXN_OK) status = cxn_fold_open(&w->fold, w->net, w->env->mem, err);
    if (status == CXN_OK)
        status = cxn_numbers_open_trained(&w->numbers, w->env, w->net, path, err);
    return status;
}

/* Two pictures a thread: a batch's statistics are as many as its pictures. */
static size_t batch_size(const struct work *w)
{
    const size_t batch = 2 * (size_t)cxn_pool_threads(w->env->pool);
    return batch < BATCH_MAX ? batch : BATCH_MAX;
}

static enum cxn_status open_model(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = load_weights(w, path, err);
    w->batch = batch_size(w);
    if (status == CXN_OK) {
        status = cxn_collector_open(&w->collector, w->fold, w->numbers.block, &w->rule, w->batch,
                                    w->env, err);
        if (status == CXN_E_FORMAT) cxn_fail_in(err, status, path);
    }
    if (status == CXN_OK)
        status = cxn_calibration_open(&w->calibration, w->fold, w->env->mem, err);
    return status;
}

static enum cxn_status open_list(struct work *w, struct cxn_error *err)
{
    const struct cxn_calibrate_options *o = w->options;
    enum cxn_status status = cxn_list_open(&w->list, w->env, o->list, NULL, err);
    if (status == CXN_OK)
        status = cxn_images_open(&w->images, w->env, o->images, o->image_count, err);
    if (status == CXN_OK) status = cxn_images_fit(w->images, w->list, err);
    if (status == CXN_OK) cxn_list_note_purpose(w->env, o->list);
    return status;
}

/* So many of the list in its order, each choice as likely (Knuth, "The art of computer
 * programming", vol. 2, 3.4.2, algorithm S). */
static enum cxn_status choose(struct work *w, struct cxn_error *err)
{
    const uint64_t wanted = w->options->count ? w->options->count : CXN_CALIBRATE_COUNT;
    const size_t listed = w->list->count, count = wanted < listed ? (size_t)wanted : listed;
    w->chosen = cxn_alloc(w->env->mem, count, sizeof *w->chosen);
    if (!w->chosen)
        return cxn_fail_nomem(err, w->env->mem, count * sizeof *w->chosen, "the chosen images");
    struct cxn_random r = cxn_random_make(w->options->seed, 0);
    for (size_t i = 0; i < listed && w->chosen_count < count; i++)
        if (cxn_random_below(&r, (uint32_t)(listed - i)) < count - w->chosen_count)
            w->chosen[w->chosen_count++] = (uint32_t)i;
    return CXN_OK;
}

/* ---- what an interrupted call has kept ---------------------------------------------------- */

static struct cxn_partial_about about_of(const struct work *w)
{
    return (struct cxn_partial_about){ w->calibration, w->chosen_count,
                                       cxn_engine_fp32.level(w->env->cpu) };
}

static enum cxn_status resume(struct work *w, struct cxn_error *err)
{
    const struct cxn_partial_about about = about_of(w);
    const size_t bytes = strlen(w->options->out) + sizeof ".partial";
    bool there;
    w->partial = cxn_alloc(w->env->mem, bytes, 1);
    if (!w->partial) return cxn_fail_nomem(err, w->env->mem, bytes, "a file's name");
    snprintf(w->partial, bytes, "%s.partial", w->options->out);
    enum cxn_status status = cxn_file_check_target(w->options->out, &there, err);
    if (status == CXN_OK) status = cxn_file_check_target(w->partial, &there, err);
    if (status == CXN_OK && there)
        status = cxn_partial_read(w->collector, &about, w->env, w->partial, err);
    if (status == CXN_OK) w->resumed = cxn_collector_state(w->collector).seen;
    return status;
}

/* ---- pictures ----------------------------------------------------------------------------- */

static enum cxn_status check_sample(const struct work *w, const struct cxn_sample *sample,
                                    struct cxn_error *err)
{
    if (sample->status != CXN_OK) {
        if (err) *err = sample->error;
        return sample->status;
    }
    return cxn_fail_in(err, cxn_crops_check(CXN_CROPS_TEN, &sample->picture, err),
                       w->list->items[sample->index].name);
}

/* The crop whose turn it is for picture number i. */
static struct cxn_view choose_crop(const struct cxn_picture *picture, size_t i)
{
    struct cxn_view views[CXN_VIEWS_MAX];
    const size_t count = cxn_crops_views(CXN_CROPS_TEN, picture, views);
    return views[i % count];
}

static size_t seen(const struct work *w)
{
    return cxn_collector_state(w->collector).seen;
}

/* The next of them, at most a batch; *count is 0 behind the last. */
static enum cxn_status see_batch(struct work *w, cxn_loader *loader, size_t *count,
                                 struct cxn_error *err)
{
    struct cxn_sample *samples[BATCH_MAX];
    struct cxn_view views[BATCH_MAX];
    enum cxn_status status = CXN_OK;
    size_t n = 0;
    while (n < w->batch && status == CXN_OK) {
        struct cxn_sample *sample = cxn_loader_next(loader);
        if (!sample) break;
        samples[n] = sample;
        status = check_sample(w, sample, err);
        if (status == CXN_OK)
            views[n] = choose_crop(&sample->picture, seen(w) + n);
        n++;
    }
    if (status == CXN_OK && n > 0) status = cxn_collector_see(w->collector, views, n, err);
    for (size_t i = 0; i < n; i++) cxn_loader_release(loader, samples[i]);
    *count = n;
    return status;
}

static enum cxn_status save(struct work *w, struct cxn_error *err)
{
    const struct cxn_partial_about about = about_of(w);
    w->saved = cxn_clock_seconds();
    return cxn_partial_write(w->collector, &about, w->env, w->partial, err);
}

static enum cxn_status stop(struct work *w, struct cxn_error *err)
{
    const enum cxn_status status = save(w, err);
    if (status != CXN_OK) return status;
    return cxn_fail(err, CXN_E_STOPPED, "stopped after %zu of %zu images, kept in '%s'", seen(w),
                    w->chosen_count, w->partial);
}

static enum cxn_status tell_progress(struct work *w, struct cxn_error *err)
{
    const struct cxn_calibrate_options *o = w->options;
    if (o->progress && o->progress(o->progress_ctx, seen(w), w->chosen_count) != 0)
        return stop(w, err);
    return cxn_clock_seconds() - w->saved < SAVE_SECONDS ? CXN_OK : save(w, err);
}

static enum cxn_status see_all(struct work *w, struct cxn_error *err)
{
    const struct cxn_loader_options options = { .threads = cxn_pool_threads(w->env->pool),
                                                .slots = 2 * w->batch,
                                                .order = w->chosen + w->resumed,
                                                .order_count = w->chosen_count - w->resumed };
    cxn_loader *loader = NULL;
    size_t count = 1;
    enum cxn_status status =
        cxn_loader_open(&loader, w->env, w->images, w->list, &options, err);
    while (status == CXN_OK) {
        status = see_batch(w, loader, &count, err);
        if (count == 0 || status != CXN_OK) break;
        status = tell_progress(w, err);
    }
    cxn_loader_close(&loader);
    return status;
}

/* ---- the call ----------------------------------------------------------------------------- */

static enum cxn_status write_calibration(struct work *w, struct cxn_error *err)
{
    w->calibration->images = seen(w);
    enum cxn_status status = cxn_collector_finish(w->collector, w->calibration, err);
    if (status == CXN_OK)
        status = cxn_calibration_write(w->calibration, w->env, w->options->out, err);
    if (status == CXN_OK && unlink(w->partial) != 0 && errno != ENOENT)
        status = cxn_fail_errno(err, errno, "remove", w->partial);
    return status;
}

static enum cxn_status describe(struct work *w, const char *path, struct cxn_error *err)
{
    cxn_calibration *c = w->calibration;
    c->seed = w->options->seed;
    cxn_source_name(path, c->model_name);
    snprintf(c->version, sizeof c->version, "%s", cxn_version());
    memcpy(c->list_sha256, w->list->sha256, sizeof c->list_sha256);
    c->method = w->rule.method;
    c->percentile = w->rule.percentile;
    return cxn_numbers_sha256(&w->numbers, c->model_sha256, err);
}

static void tell(const struct work *w, struct cxn_calibrate_result *result)
{
    if (!result) return;
    *result = (struct cxn_calibrate_result){
        .images = w->calibration->images, .resumed = w->resumed,
        .seconds = cxn_clock_seconds() - w->started,
        .level = cxn_engine_fp32.level(w->env->cpu)
    };
    memcpy(result->model_sha256, w->calibration->model_sha256, sizeof result->model_sha256);
    memcpy(result->list_sha256, w->calibration->list_sha256, sizeof result->list_sha256);
}

static enum cxn_status run(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = make_rule(w, err);
    if (status == CXN_OK) status = open_list(w, err);
    if (status == CXN_OK) status = choose(w, err);
    if (status == CXN_OK) status = open_model(w, path, err);
    if (status == CXN_OK) status = describe(w, path, err);
    if (status == CXN_OK) status = resume(w, err);
    w->started = w->saved = cxn_clock_seconds();
    if (status == CXN_OK) status = see_all(w, err);
    if (status == CXN_OK) status = write_calibration(w, err);
    return status;
}

static void work_close(struct work *w)
{
    cxn_free(w->partial);
    cxn_calibration_close(&w->calibration);
    cxn_collector_close(&w->collector);
    cxn_free(w->chosen);
    cxn_images_close(&w->images);
    cxn_list_close(&w->list);
    cxn_fold_close(&w->fold);
    cxn_net_close(&w->net);
    cxn_numbers_close(&w->numbers);
}

enum cxn_status cxn_calibrate(cxn_context *ctx, const char *path,
                              const struct cxn_calibrate_options *options,
                              struct cxn_calibrate_result *result, struct cxn_error *err)
{
    if (!path || !options || !options->images || options->image_count == 0 || !options->list ||
        !options->out)
        return cxn_fail(err, CXN_E_ARG, "cxn_calibrate: weights, images, a list and a file are "
                                        "needed");
    if (options->count > COUNT_MAX)
        return cxn_fail(err, CXN_E_ARG, "cxn_calibrate: %" PRIu64 " images, at most %d",
                        options->count, COUNT_MAX);
    if (options->seed > INT64_MAX) /* what a number in JSON may be */
        return cxn_fail(err, CXN_E_ARG, "cxn_calibrate: seed %" PRIu64 ", at most %" PRId64,
                        options->seed, INT64_MAX);
    struct work w = { .env = cxn_context_env(ctx), .options = options };
    fenv_t host;
    cxn_fpmode_enter(&host);
    const enum cxn_status status = run(&w, path, err);
    if (status == CXN_OK) tell(&w, result);
    work_close(&w);
    cxn_fpmode_leave(&host);
    return status;
}
