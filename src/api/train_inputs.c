/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "api/lists.h"
#include "api/numbers.h"
#include "api/train_job.h"
#include "cpu/cpu.h"
#include "train/agree.h"
#include "train/checkpoint_form.h"
#include "train/init.h"

enum cxn_status cxn_build_sha256(char hex[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    static const char program[] = "/proc/self/exe";
    Dl_info info;
    struct link_map *map = NULL;
    const char *path = program;
    /* The map's name of the program itself is empty. */
    if (dladdr1(&cxn_comm_self, &info, (void **)&map, RTLD_DL_LINKMAP) && map && map->l_name[0])
        path = map->l_name;
    return cxn_path_sha256(path, hex, err);
}

/* ---- lists and images --------------------------------------------------------------------- */

/* Keep a hash of a new run in `about`, or compare it with the one that a run has there. */
static enum cxn_status keep_hash(struct cxn_train_job *job, const char *name, const char *path,
                                 const char *hash, struct cxn_error *err)
{
    const char *before = cxn_about_text(job->about, name);
    if (!job->options->resume) return cxn_about_set(job->about, name, hash, err);
    if (!before) return cxn_fail(err, CXN_E_FORMAT, "run.json: no text '%s'", name);
    if (strcmp(before, hash) == 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%s: changed since the run began, expected SHA-256 %s",
                    path, before);
}

/* What a list and an entry table come to together: names and labels. */
static enum cxn_status keep_labels(struct cxn_train_job *job, const cxn_list *list,
                                   const char *name, struct cxn_error *err)
{
    char hash[CXN_SHA256_HEX_BYTES], member[32], what[40];
    size_t size = 0, at = 0;
    for (size_t i = 0; i < list->count; i++) size += strlen(list->items[i].name) + 3;
    unsigned char *all = cxn_alloc(job->env.mem, size, 1);
    if (!all) return cxn_fail_nomem(err, job->env.mem, size, "the labels' hash");
    for (size_t i = 0; i < list->count; i++) {
        const size_t n = strlen(list->items[i].name) + 1;
        memcpy(all + at, list->items[i].name, n);
        all[at + n] = (unsigned char)(list->items[i].labels & 0xff);
        all[at + n + 1] = (unsigned char)(list->items[i].labels >> 8);
        at += n + 2;
    }
    cxn_sha256_hex(all, size, hash);
    cxn_free(all);
    snprintf(member, sizeof member, "%s_labels_sha256", name);
    snprintf(what, sizeof what, "the labels of the %s list", name);
    return keep_hash(job, member, what, hash, err);
}

static enum cxn_status open_list(struct cxn_train_job *job, cxn_list **list,
                                 const cxn_entries *entries, const char *name,
                                 const char *hash_name, struct cxn_error *err)
{
    const char *path = cxn_about_text(job->about, name);
    if (!path) return cxn_fail(err, CXN_E_FORMAT, "run.json: no path of the %s list", name);
    enum cxn_status status = cxn_labelled_list_open(list, &job->env, path, entries, err);
    if (status == CXN_OK)
        status = keep_hash(job, hash_name, path, (*list)->sha256, err);
    return status == CXN_OK ? keep_labels(job, *list, name, err) : status;
}

static enum cxn_status open_lists(struct cxn_train_job *job, struct cxn_error *err)
{
    const char *path = cxn_about_text(job->about, "entries");
    cxn_entries *entries = NULL;
    enum cxn_status status = CXN_OK;
    if (path) status = cxn_entries_open(&entries, &job->env, path, err);
    if (status == CXN_OK)
        status = open_list(job, &job->train, entries, "train", "train_sha256", err);
    if (status == CXN_OK) status = open_list(job, &job->val, entries, "val", "val_sha256", err);
    cxn_entries_close(&entries);
    return status;
}

static enum cxn_status open_images(struct cxn_train_job *job, struct cxn_error *err)
{
    const json_t *folders = json_object_get(job->about, "images");
    const size_t count = json_array_size(folders);
    const char **paths = cxn_alloc_zero(job->env.mem, count + 1, sizeof *paths);
    enum cxn_status status = CXN_OK;
    if (!paths) return cxn_fail_nomem(err, job->env.mem, count * sizeof *paths, "the folders");
    if (count == 0)
        status = cxn_fail(err, CXN_E_FORMAT, "run.json: images: expected a list of paths");
    for (size_t i = 0; status == CXN_OK && i < count; i++) {
        paths[i] = json_string_value(json_array_get(folders, i));
        if (!paths[i]) status = cxn_fail(err, CXN_E_FORMAT, "run.json: images: not a path");
    }
    if (status == CXN_OK) status = cxn_images_open(&job->images, &job->env, paths, count, err);
    cxn_free(paths);
    return status;
}

static enum cxn_status check_lists(const struct cxn_train_job *job, struct cxn_error *err)
{
    const uint64_t needed = cxn_settings_images(&job->settings);
    if (job->train->count < needed)
        return cxn_fail(err, CXN_E_FORMAT, "%s: %zu images, expected at least the %llu of one step",
                        cxn_about_text(job->about, "train"), job->train->count,
                        (unsigned long long)needed);
    const size_t left = job->train->count % needed;
    if (left > 0)
        cxn_note(job->env.log, "%zu of %zu images are left out of each epoch: a step takes %llu",
                 left, job->train->count, (unsigned long long)needed);
    enum cxn_status status = cxn_images_fit(job->images, job->train, err);
    if (status == CXN_OK) status = cxn_images_fit(job->images, job->val, err);
    if (status != CXN_OK || job->settings.skip_bad) return status;
    status = cxn_images_look(job->images, job->train, err);
    return status == CXN_OK ? cxn_images_look(job->images, job->val, err) : status;
}

enum cxn_status cxn_job_open_inputs(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_settings *s = &job->settings;
    enum cxn_status status = cxn_net_open(&job->net, job->config, job->env.mem, err);
    if (status == CXN_OK) status = open_lists(job, err);
    if (status == CXN_OK) status = open_images(job, err);
    if (status == CXN_OK) status = check_lists(job, err);
    if (status != CXN_OK) return status;
    cxn_loss_init(&job->loss, (enum cxn_loss_kind)s->loss, s->focal_gamma,
                  job->net->config.classes, job->train);
    job->state.epochs = cxn_alloc_zero(job->env.mem, s->epochs, sizeof *job->state.epochs);
    if (job->state.epochs) return CXN_OK;
    return cxn_fail_nomem(err, job->env.mem, s->epochs * sizeof *job->state.epochs, "the epochs");
}

/* ---- weights ------------------------------------------------------------------------------ */

static enum cxn_status draw_weights(struct cxn_train_job *job, struct cxn_error *err)
{
    const size_t count = job->net->float_count;
    job->block = cxn_alloc(job->env.mem, count, sizeof *job->block);
    if (!job->block) return cxn_fail_nomem(err, job->env.mem, count * sizeof(float), "the weights");
    cxn_weights_draw(job->net, job->settings.seed, job->block);
    return CXN_OK;
}

/* A head of another number of classes is made anew; the loader tells. */
static enum cxn_status load_weights(struct cxn_train_job *job, const char *path,
                                    struct cxn_error *err)
{
    struct cxn_weights_report report;
    const enum cxn_status status =
        cxn_numbers_load_start(&job->env, path, job->net, &job->block, &report, err);
    if (status == CXN_OK && report.head_classes > 0)
        cxn_weights_draw_head(job->net, job->settings.seed, job->block);
    return status;
}

enum cxn_status cxn_job_open_weights(struct cxn_train_job *job, struct cxn_error *err)
{
    char hash[CXN_SHA256_HEX_BYTES];
    const char *path = cxn_about_text(job->about, "weights");
    const bool load = path && !job->going_on;
    const enum cxn_status status = load ? load_weights(job, path, err) : draw_weights(job, err);
    if (status != CXN_OK || job->going_on) return status;
    cxn_sha256_hex(job->block, job->net->float_count * sizeof *job->block, hash);
    return keep_hash(job, "weights_sha256", path ? path : "the first weights", hash, err);
}

/* ---- ranks -------------------------------------------------------------------------------- */

static enum cxn_status lower_level(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_worker *w = &job->worker;
    uint32_t all[CXN_RANKS_MAX], common = job->env.cpu;
    const enum cxn_status status =
        w->comm->gather(w->peers, &job->env.cpu, all, sizeof job->env.cpu, err);
    if (status != CXN_OK) return status;
    for (unsigned r = 0; r < job->ranks; r++) common &= all[r];
    for (unsigned r = 0; r < job->ranks; r++) {
        if (all[r] == common) continue;
        cxn_note(job->env.log, "rank %u has level %s, all ranks use %s", r,
                 cxn_cpu_level(all[r]), cxn_cpu_level(common));
        break;
    }
    job->env.cpu = common;
    return CXN_OK;
}

static const char *about_hash(const struct cxn_train_job *job, const char *name)
{
    const char *hash = cxn_about_text(job->about, name);
    return hash ? hash : "";
}

static enum cxn_status compare(struct cxn_train_job *job, struct cxn_error *err)
{
    const struct cxn_worker *w = &job->worker;
    char build[CXN_SHA256_HEX_BYTES] = "", settings[CXN_SHA256_HEX_BYTES];
    enum cxn_status status = cxn_agree(w->comm, w->peers, cxn_build_sha256(build, err), err);
    if (status != CXN_OK) return status;
    cxn_settings_hash(&job->settings, settings);
    const struct cxn_alike items[] = {
        { "their build", build },
        { "their settings", settings },
        { "the train list", job->train->sha256 },
        { "the val list", job->val->sha256 },
        { "the labels of the train list", about_hash(job, "train_labels_sha256") },
        { "the labels of the val list", about_hash(job, "val_labels_sha256") },
        { "the first weights", about_hash(job, "weights_sha256") },
    };
    return cxn_agree_alike(w->comm, w->peers, items, CXN_COUNTOF(items), err);
}

enum cxn_status cxn_job_compare(struct cxn_train_job *job, struct cxn_error *err)
{
    if (job->ranks == 1) return CXN_OK;
    enum cxn_status status = compare(job, err);
    if (status == CXN_OK) status = lower_level(job, err);
    job->agreed = status != CXN_OK && status != CXN_E_PEER;
    return status;
}

void cxn_job_close_inputs(struct cxn_train_job *job)
{
    cxn_free(job->state.epochs);
    cxn_free(job->block);
    cxn_images_close(&job->images);
    cxn_list_close(&job->val);
    cxn_list_close(&job->train);
    cxn_net_close(&job->net);
    json_decref(job->about);
}
