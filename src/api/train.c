/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/train.h>

#include <math.h>
#include <string.h>

#include "api/context.h"
#include "api/train_job.h"
#include "api/trainers.h"
#include "base/fpmode.h"
#include "base/number.h"
#include "image/image.h"
#include "train/agree.h"
#include "train/comm_module.h"

/* ---- ranks -------------------------------------------------------------------------------- */

/* The deadline given is put into *seconds; where none is, or it has no valid value, that stays. */
static void given_deadline(const struct cxn_train_options *o, double *seconds)
{
    struct cxn_settings s = { .deadline = *seconds };
    for (size_t i = 0; i < o->setting_count; i++)
        if (o->settings[i].name && o->settings[i].value &&
            strcmp(o->settings[i].name, "deadline") == 0)
            cxn_settings_set(&s, "deadline", o->settings[i].value, NULL);
    *seconds = s.deadline;
}

/* The deadline is a setting, and settings may come from a folder that only rank 0 reads, through
 * the comm: until then the initial one holds, or the one given. */
static double first_deadline(const struct cxn_train_options *o)
{
    struct cxn_settings s;
    cxn_settings_init(&s);
    given_deadline(o, &s.deadline);
    return s.deadline;
}

/* What one rank alone knows. */
static void write_own_note(void *ctx, const char *text)
{
    const struct cxn_train_job *job = ctx;
    if (job->ranks == 1) cxn_note(job->own_log, "%s", text);
    else cxn_note(job->own_log, "rank %u: %s", job->rank, text);
}

static enum cxn_status open_comm(struct cxn_train_job *job, struct cxn_error *err)
{
    struct cxn_worker *w = &job->worker;
    const struct cxn_comm_options how = { .deadline = first_deadline(job->options) };
    enum cxn_status status = CXN_OK;
    w->comm = &cxn_comm_self;
    if (cxn_comm_launcher()) status = cxn_comm_mpi_load(&w->comm, err);
    if (status == CXN_OK) status = w->comm->open(&w->peers, &how, &job->env, err);
    if (w->peers) job->rank = w->comm->rank(w->peers);
    job->agreed = w->peers && status != CXN_OK; /* refused by all alike */
    if (status != CXN_OK) return status;
    job->ranks = w->comm->ranks(w->peers);
    if (w->comm != &cxn_comm_self && job->ranks == 1) /* each would train alone */
        return cxn_fail(err, CXN_E_IO, "%s tells of several processes, but MPI knows of one: is "
                        CXN_COMM_MPI_FILE " of the launcher's MPI? Without %s each is a training "
                        "of its own", cxn_comm_launcher(), cxn_comm_launcher());
    job->own_notes = (struct cxn_log){ .write = write_own_note, .ctx = job };
    job->own_log = job->env.log;
    if (job->rank > 0) job->env.log = &job->silence; /* rank 0 says it once for all */
    return CXN_OK;
}

/* This rank's status becomes that of all. */
static enum cxn_status agree(struct cxn_train_job *job, enum cxn_status own, struct cxn_error *err)
{
    const enum cxn_status status = cxn_agree(job->worker.comm, job->worker.peers, own, err);
    job->agreed = status != CXN_OK && status != CXN_E_PEER;
    return status;
}

/* ---- what it is of ------------------------------------------------------------------------ */

static enum cxn_status read_run(struct cxn_train_job *job, struct cxn_error *err)
{
    struct cxn_json about = { 0 };
    const enum cxn_status status =
        cxn_run_resume(&job->run, &job->env, job->options->resume, &about, err);
    if (status == CXN_OK) job->about = json_incref(about.root);
    cxn_json_close(&about);
    return status;
}

static enum cxn_status open_about(struct cxn_train_job *job, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    if (!job->options->resume)
        status = cxn_about_make(&job->about, job->options, job->ranks, err);
    else if (job->rank == 0)
        status = read_run(job, err);
    status = agree(job, status, err);
    if (status == CXN_OK && job->options->resume)
        status = cxn_about_share(&job->about, job->worker.comm, job->worker.peers, &job->env, err);
    if (status != CXN_OK) return status;
    status = agree(job, cxn_about_settings(job->about, job->ranks, &job->settings, err), err);
    if (status != CXN_OK) return status;
    given_deadline(job->options, &job->settings.deadline);
    job->worker.comm->set_deadline(job->worker.peers, job->settings.deadline);
    return CXN_OK;
}

/* ---- the trainer -------------------------------------------------------------------------- */

static enum cxn_status open_trainer(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_settings *s = &job->settings;
    const struct cxn_trainer_row row = cxn_trainer_choose((enum cxn_precision)s->precision);
    const struct cxn_engine_source source = { .net = job->net, .block = job->block };
    const struct cxn_trainer_options options = {
        .precision = (enum cxn_precision)s->precision,
        .views_max = s->batch / s->shards * cxn_settings_views(s),
        .side = CXN_CROP_SIDE,
        .slots = cxn_train_step_slots(s, job->ranks),
        .moments = cxn_settings_moments(s),
        .keeps_average = s->ema > 0,
        .head_only = s->freeze == CXN_FREEZE_BACKBONE,
    };
    job->engine = row.engine;
    job->worker.trainer = row.trainer;
    const enum cxn_status status =
        row.trainer->open(&job->worker.state, &source, &options, &job->env, err);
    cxn_free(job->block);
    job->block = NULL;
    return status;
}

/* One block of the checkpoint to every rank. */
static enum cxn_status restore_block(struct cxn_train_job *job, enum cxn_train_block block,
                                     unsigned which, struct cxn_error *err)
{
    const struct cxn_worker *w = &job->worker;
    const struct cxn_span span = w->trainer->block(w->state, block, which);
    const size_t size = cxn_number_bytes(span.number);
    enum cxn_status status = CXN_OK;
    if (job->rank == 0) status = cxn_checkpoint_read(&job->checkpoint, block, which, &span, err);
    status = agree(job, status, err);
    if (status == CXN_OK)
        status = w->comm->broadcast(w->peers, span.data, span.count * size, err);
    return status;
}

static enum cxn_status restore_blocks(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_worker *w = &job->worker;
    enum cxn_status status = restore_block(job, CXN_BLOCK_WEIGHTS, 0, err);
    for (unsigned i = 0; status == CXN_OK && i < cxn_settings_moments(&job->settings); i++)
        status = restore_block(job, CXN_BLOCK_MOMENT, i, err);
    if (status == CXN_OK && job->settings.ema > 0)
        status = restore_block(job, CXN_BLOCK_AVERAGE, 0, err);
    w->trainer->changed(w->state);
    return status;
}

static enum cxn_status restore_state(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_worker *w = &job->worker;
    struct cxn_train_state *s = &job->state;
    struct cxn_train_state told;
    enum cxn_status status = CXN_OK;
    if (job->rank == 0)
        status = cxn_state_read(s, &job->checkpoint.place, job->checkpoint.state.root,
                                job->settings.epochs, err);
    status = agree(job, status, err);
    told = *s;
    if (status == CXN_OK) status = w->comm->broadcast(w->peers, &told, sizeof told, err);
    if (status != CXN_OK) return status;
    told.epochs = s->epochs; /* each rank's own memory */
    *s = told;
    return w->comm->broadcast(w->peers, s->epochs, s->epoch_count * sizeof *s->epochs, err);
}

/* ---- the run ------------------------------------------------------------------------------ */

/* Moments, average and type of numbers are those that the settings need. */
static enum cxn_status check_checkpoint(const struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_checkpoint *c = &job->checkpoint;
    const unsigned moments = cxn_settings_moments(&job->settings);
    const bool average = job->settings.ema > 0;
    if (c->moment_count == moments && c->has_average == average && c->number == CXN_NUMBER_F32)
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%s: the checkpoint has %u moments, %s average, %s numbers; "
                    "its settings need %u, %s, float", job->options->resume, c->moment_count,
                    c->has_average ? "an" : "no",
                    c->number == CXN_NUMBER_F32 ? "float" : "double", moments,
                    average ? "one" : "none");
}

/* Rank 0 finds where to go on; all learn whether there is a checkpoint. */
static enum cxn_status find_checkpoint(struct cxn_train_job *job, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    bool found = false;
    if (job->run) status = cxn_run_load(job->run, job->net, &job->checkpoint, &found, err);
    if (status == CXN_OK && found) status = check_checkpoint(job, err);
    status = agree(job, status, err);
    if (status == CXN_OK)
        status = job->worker.comm->broadcast(job->worker.peers, &found, sizeof found, err);
    job->going_on = status == CXN_OK && found;
    return status;
}

static const char *level_of(const struct cxn_train_job *job)
{
    const struct cxn_trainer *t = job->worker.trainer;
    return t->level(job->env.cpu, (enum cxn_precision)job->settings.precision);
}

/* What may change the bits of a run that goes on. */
static void note_changes(const struct cxn_train_job *job, const char *build)
{
    const char *level = cxn_about_text(job->about, "level");
    const char *first_build = cxn_about_text(job->about, "build_sha256");
    if (level && strcmp(level, level_of(job)) != 0)
        cxn_note(job->env.log, "the run began on level %s and goes on on %s: its numbers will not "
                 "be the same bits", level, level_of(job));
    if (first_build && strcmp(first_build, build) != 0)
        cxn_note(job->env.log, "the run began with another build (SHA-256 %.12s..., now %.12s...): "
                 "its numbers may not be the same bits", first_build, build);
}

/* A new run writes run.json with the rest of what it is; a resumed one is compared with it. */
static enum cxn_status begin_run(struct cxn_train_job *job, struct cxn_error *err)
{
    char build[CXN_SHA256_HEX_BYTES] = "";
    enum cxn_status status = cxn_build_sha256(build, err);
    if (status == CXN_OK && job->run) {
        note_changes(job, build);
        return CXN_OK;
    }
    if (status == CXN_OK) status = cxn_about_set(job->about, "build_sha256", build, err);
    if (status == CXN_OK)
        status = cxn_about_set(job->about, "trainer", job->worker.trainer->name, err);
    if (status == CXN_OK) status = cxn_about_set(job->about, "level", level_of(job), err);
    if (status == CXN_OK)
        status = cxn_about_set(job->about, "validation_mode", job->engine->name, err);
    int failed = json_object_set_new(job->about, "ranks", json_integer(job->ranks));
    failed |= json_object_set_new(job->about, "threads",
                                  json_integer(cxn_pool_threads(job->env.pool)));
    failed |= json_object_set_new(job->about, "train_images",
                                  json_integer((json_int_t)job->train->count));
    failed |= json_object_set_new(job->about, "val_images",
                                  json_integer((json_int_t)job->val->count));
    if (status == CXN_OK && failed) status = cxn_fail(err, CXN_E_NOMEM, "no memory for run.json");
    if (status != CXN_OK) return status;
    return cxn_run_create(&job->run, &job->env, job->options->out, job->about, err);
}

static int watch(void *ctx, const struct cxn_loop_news *n)
{
    const struct cxn_train_job *job = ctx;
    const struct cxn_train_news news = {
        .rank = job->rank, .validated = n->validated, .validating = n->validating,
        .step = n->step, .steps = n->steps, .epoch = n->epoch, .epochs = n->epochs,
        .loss = n->loss, .lr = n->lr,
        .images_per_second = n->images_per_second, .seconds_left = n->seconds_left,
        .val_loss = n->val_loss, .val_mean_auc = n->val_mean_auc
    };
    return job->options->progress ? job->options->progress(job->options->progress_ctx, &news) : 0;
}

static enum cxn_status loop(struct cxn_train_job *job, struct cxn_train_result *result,
                            struct cxn_error *err)
{
    const struct cxn_out_pair about_best[] = { { "written_by", "chexnet" },
                                               { "version", cxn_version() } };
    const struct cxn_loop loop = {
        .settings = &job->settings, .net = job->net, .images = job->images, .train = job->train,
        .val = job->val, .notes = &job->own_notes, .loss = &job->loss, .engine = job->engine,
        .worker = job->worker, .run = job->run, .about_best = about_best,
        .about_best_count = CXN_COUNTOF(about_best), .watch = watch, .watch_ctx = job
    };
    struct cxn_loop_result r;
    const enum cxn_status status = cxn_loop_run(&loop, &job->state, &job->env, &r, err);
    job->agreed = status != CXN_OK && status != CXN_E_PEER;
    result->end = (int)r.end;
    result->seconds = r.seconds;
    if (r.steps > 0)
        result->images_per_second = (double)(r.steps * cxn_settings_images(&job->settings)) /
                                    fmax(r.step_seconds, 1e-9);
    return status;
}

static enum cxn_status train(struct cxn_train_job *job, struct cxn_train_result *result,
                             struct cxn_error *err)
{
    enum cxn_status status = open_comm(job, err);
    if (status == CXN_OK) status = open_about(job, err);
    if (status == CXN_OK) status = agree(job, cxn_job_open_inputs(job, err), err);
    if (status == CXN_OK && job->options->resume) status = find_checkpoint(job, err);
    if (status == CXN_OK) status = agree(job, cxn_job_open_weights(job, err), err);
    if (status == CXN_OK) status = cxn_job_compare(job, err);
    if (status == CXN_OK) status = agree(job, open_trainer(job, err), err);
    if (status == CXN_OK && job->going_on) status = restore_blocks(job, err);
    if (status == CXN_OK && job->going_on) status = restore_state(job, err);
    if (status == CXN_OK)
        status = agree(job, job->rank == 0 ? begin_run(job, err) : CXN_OK, err);
    return status == CXN_OK ? loop(job, result, err) : status;
}

/* ---- the call ----------------------------------------------------------------------------- */

static void tell_result(const struct cxn_train_job *job, enum cxn_status status,
                        struct cxn_train_result *r)
{
    const struct cxn_train_state *s = &job->state;
    r->rank = job->rank;
    r->ranks = job->ranks;
    r->told_by_first = status != CXN_OK && job->agreed && job->rank > 0;
    r->steps = s->step;
    r->epochs = s->epoch_count;
    r->skipped = s->skipped;
    r->views_per_image = cxn_settings_views(&job->settings);
    r->best_auc = r->best_loss = NAN;
    if (s->epoch_count == 0) return;
    const size_t best = cxn_state_best(s->epochs, s->epoch_count);
    r->best_epoch = best + 1;
    r->best_auc = s->epochs[best].val_mean_auc;
    r->best_loss = s->epochs[best].val_loss;
}

static void job_close(struct cxn_train_job *job, enum cxn_status status)
{
    struct cxn_worker *w = &job->worker;
    cxn_checkpoint_close(&job->checkpoint);
    cxn_run_close(&job->run);
    /* First: sums that an error left under way are in the trainer's blocks. */
    if (w->peers) w->comm->close(&w->peers, status != CXN_OK && !job->agreed);
    if (w->state) w->trainer->close(&w->state);
    cxn_job_close_inputs(job);
}

/* What waits for whom may be another machine now; all else is the folder's. */
static enum cxn_status check_resume(const struct cxn_train_options *o, struct cxn_error *err)
{
    struct cxn_settings s;
    const bool alone = !o->images && !o->train && !o->val && !o->entries && !o->weights && !o->out;
    const struct cxn_train_setting *d = o->settings;
    if (alone && o->setting_count == 0) return CXN_OK;
    if (alone && o->setting_count == 1 && d && d->name && d->value &&
        strcmp(d->name, "deadline") == 0)
        return cxn_settings_set(&s, d->name, d->value, err);
    return cxn_fail(err, CXN_E_ARG, "a resume takes images, lists, weights and settings from its "
                    "folder, expected none of them but a deadline beside it");
}

static enum cxn_status check_options(const struct cxn_train_options *o, struct cxn_error *err)
{
    if (!o) return cxn_fail(err, CXN_E_ARG, "cxn_train: options are needed");
    if (o->resume) return check_resume(o, err);
    if (o->images && o->image_count > 0 && o->train && o->val && o->out &&
        (o->settings || o->setting_count == 0))
        return CXN_OK;
    return cxn_fail(err, CXN_E_ARG, "cxn_train: images, a train and a val list, and a folder to "
                    "write are needed");
}

enum cxn_status cxn_train_network(cxn_context *ctx, const struct cxn_net_config *config,
                                  const struct cxn_train_options *options,
                                  struct cxn_train_result *result, struct cxn_error *err)
{
    struct cxn_train_result unused;
    struct cxn_error text = { "" };
    if (!result) result = &unused;
    if (!err) err = &text; /* ranks exchange it */
    *result = (struct cxn_train_result){ 0 };
    enum cxn_status status = check_options(options, err);
    if (status != CXN_OK) return status;
    struct cxn_train_job job = { .options = options, .config = config,
                                 .env = *cxn_context_env(ctx) };
    fenv_t host;
    cxn_fpmode_enter(&host);
    status = train(&job, result, err);
    tell_result(&job, status, result);
    job_close(&job, status);
    cxn_fpmode_leave(&host);
    return status;
}

enum cxn_status cxn_train(cxn_context *ctx, const struct cxn_train_options *options,
                          struct cxn_train_result *result, struct cxn_error *err)
{
    return cxn_train_network(ctx, &cxn_densenet121, options, result, err);
}
