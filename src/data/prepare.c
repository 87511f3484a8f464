/* SPDX-License-Identifier: Apache-2.0 */
#include "data/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "data/cache.h"
#include "image/image.h"

enum { SLOTS_A_THREAD = 4 };

/* One image that the cache is to hold. */
struct piece {
    const char *name;
    struct cxn_file_stamp source;
    bool found, done; /* there is a source file; entry is in the unfinished cache */
    struct cxn_cache_entry entry;
};

struct work {
    const struct cxn_env *env;
    const struct cxn_prepare_job *job;
    struct cxn_prepare_counts *counts;
    struct piece *pieces; /* sorted by name, no name twice */
    size_t count, done;
    cxn_cache *old; /* the cache that stands there, NULL: none */
    cxn_cache_writer *writer;
};

/* ---- what is wanted ------------------------------------------------------------------------ */

static int compare_pieces(const void *a, const void *b)
{
    return strcmp(((const struct piece *)a)->name, ((const struct piece *)b)->name);
}

static int compare_to_piece(const void *name, const void *piece)
{
    return strcmp(name, ((const struct piece *)piece)->name);
}

static enum cxn_status plan_pieces(struct work *w, struct cxn_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < w->job->list_count; i++) total += w->job->lists[i]->count;
    w->pieces = cxn_alloc_zero(w->env->mem, total, sizeof *w->pieces);
    if (!w->pieces)
        return cxn_fail_nomem(err, w->env->mem, total * sizeof *w->pieces, "the list of images");
    size_t n = 0;
    for (size_t i = 0; i < w->job->list_count; i++)
        for (size_t k = 0; k < w->job->lists[i]->count; k++)
            w->pieces[n++].name = w->job->lists[i]->items[k].name;
    qsort(w->pieces, n, sizeof *w->pieces, compare_pieces);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(w->pieces[w->count - 1].name, w->pieces[i].name) != 0)
            w->pieces[w->count++] = w->pieces[i];
    /* The state of a source is taken before it is decoded: a file that changes in between will be
     * decoded again next time. */
    for (size_t i = 0; i < w->count; i++)
        w->pieces[i].found = cxn_images_stamp(w->job->images, w->pieces[i].name,
                                              &w->pieces[i].source, NULL) == CXN_OK;
    return CXN_OK;
}

/* ---- what is there ------------------------------------------------------------------------- */

static bool is_current(const struct work *w, const struct piece *p,
                       const struct cxn_cache_entry *e)
{
    if (!p->found || p->source.size_bytes != e->source_bytes ||
        p->source.mtime_ns != e->source_mtime_ns)
        return false;
    /* Reading may work the next time; content does not mend itself. */
    return e->channels != 0 || (w->job->skip_bad && e->status != CXN_E_IO);
}

static void take_found(void *ctx, const struct cxn_cache_entry *e)
{
    struct work *w = ctx;
    struct piece *p = bsearch(e->name, w->pieces, w->count, sizeof *p, compare_to_piece);
    if (!p || !is_current(w, p, e)) return;
    p->done = true;
    p->entry = *e;
    p->entry.name = p->name;
}

/* The cache of that name: absent is fine, damaged is made anew, another file is not overwritten. */
static enum cxn_status open_old(struct work *w, struct cxn_error *err)
{
    const char *path = w->job->path;
    bool there;
    enum cxn_status status = cxn_file_check_target(path, &there, err);
    if (status != CXN_OK || !there) return status;
    struct cxn_file file;
    status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    uint8_t magic[CXN_CACHE_MAGIC_BYTES] = { 0 };
    if (file.size_bytes >= sizeof magic)
        status = cxn_file_pread(&file, path, 0, magic, sizeof magic, err);
    cxn_file_close(&file);
    if (status != CXN_OK) return status;
    if (memcmp(magic, cxn_cache_magic, sizeof magic) != 0)
        return cxn_fail(err, CXN_E_IO, "cannot write '%s': it exists and is not a cache", path);
    struct cxn_error why = { "" };
    status = cxn_cache_open(&w->old, w->env, path, &why);
    if (status == CXN_E_NOMEM) return cxn_fail(err, status, "%s", why.text);
    if (status != CXN_OK) cxn_note(w->env->log, "%s; it is made anew", why.text);
    return CXN_OK;
}

static bool old_serves(const struct work *w)
{
    if (!w->old || cxn_cache_count(w->old) != w->count) return false;
    for (size_t i = 0; i < w->count; i++) {
        const struct cxn_cache_entry *e = cxn_cache_find(w->old, w->pieces[i].name);
        if (!e || !is_current(w, &w->pieces[i], e)) return false;
    }
    return true;
}

static enum cxn_status keep_old_piece(struct work *w, struct piece *p, struct cxn_error *err)
{
    const struct cxn_cache_entry *e = cxn_cache_find(w->old, p->name);
    if (!e || !is_current(w, p, e)) return CXN_OK;
    uint8_t *data = cxn_alloc(w->env->mem, e->data_bytes, 1);
    if (!data) return cxn_fail_nomem(err, w->env->mem, e->data_bytes, "a picture");
    enum cxn_status status = CXN_OK;
    struct cxn_cache_entry copy = *e;
    copy.name = p->name;
    /* A damaged picture is decoded again. */
    if (cxn_cache_read_data(w->old, e, data, NULL) == CXN_OK) {
        status = cxn_cache_writer_append(w->writer, &copy, data, err);
        p->done = status == CXN_OK;
        p->entry = copy;
    }
    cxn_free(data);
    return status;
}

static enum cxn_status keep_old(struct work *w, struct cxn_error *err)
{
    for (size_t i = 0; w->old && i < w->count; i++) {
        if (w->pieces[i].done) continue;
        const enum cxn_status status = keep_old_piece(w, &w->pieces[i], err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static enum cxn_status add_picture(struct work *w, struct piece *p, const struct cxn_sample *s,
                                   struct cxn_error *err)
{
    const struct cxn_picture *pic = &s->picture;
    p->entry.width = pic->width;
    p->entry.height = pic->height;
    p->entry.channels = pic->channels;
    p->entry.notes = s->notes;
    p->entry.data_bytes = pic->width * pic->height * pic->channels;
    return cxn_cache_writer_append(w->writer, &p->entry, pic->pixels, err);
}

static enum cxn_status add_failure(struct work *w, struct piece *p, const struct cxn_sample *s,
                                   struct cxn_error *err)
{
    p->entry.status = s->status;
    p->entry.data_bytes = (uint32_t)strlen(s->error.text);
    return cxn_cache_writer_append(w->writer, &p->entry, (const uint8_t *)s->error.text, err);
}

static enum cxn_status add_sample(struct work *w, struct piece *p, const struct cxn_sample *s,
                                  struct cxn_error *err)
{
    const bool bad_file = s->status == CXN_E_FORMAT || s->status == CXN_E_LIMIT ||
                          s->status == CXN_E_IO;
    if (s->status != CXN_OK && !(bad_file && w->job->skip_bad))
        return cxn_fail(err, s->status, "%s", s->error.text);
    p->entry = (struct cxn_cache_entry){ .name = p->name,
                                         .source_bytes = p->source.size_bytes,
                                         .source_mtime_ns = p->source.mtime_ns };
    const enum cxn_status status =
        s->status == CXN_OK ? add_picture(w, p, s, err) : add_failure(w, p, s, err);
    p->done = status == CXN_OK;
    w->counts->decoded++;
    return status;
}

static enum cxn_status tell_progress(struct work *w, struct cxn_error *err)
{
    w->done++;
    if (!cxn_progress_stops(&w->job->progress, w->done, w->count)) return CXN_OK;
    return cxn_fail(err, CXN_E_STOPPED, "stopped after %zu of %zu images; a next run goes on there",
                    w->done, w->count);
}

/* todo: the pieces that are not done, as a list in the same order. */
static enum cxn_status decode_list(struct work *w, const cxn_list *todo, struct cxn_error *err)
{
    const unsigned threads = cxn_pool_threads(w->env->pool);
    const struct cxn_loader_options options = { .threads = threads,
                                                .slots = (size_t)SLOTS_A_THREAD * threads };
    cxn_loader *loader;
    enum cxn_status status =
        cxn_loader_open(&loader, w->env, w->job->images, todo, &options, err);
    if (status != CXN_OK) return status;
    size_t at = 0;
    for (;;) {
        struct cxn_sample *s = cxn_loader_next(loader);
        if (!s) break;
        while (w->pieces[at].done) at++;
        status = add_sample(w, &w->pieces[at], s, err);
        cxn_loader_release(loader, s);
        if (status == CXN_OK) status = tell_progress(w, err);
        if (status != CXN_OK) break;
    }
    cxn_loader_close(&loader);
    return status;
}

static enum cxn_status decode_rest(struct work *w, struct cxn_error *err)
{
    cxn_list todo = { 0 };
    todo.items = cxn_alloc_zero(w->env->mem, w->count, sizeof *todo.items);
    if (!todo.items)
        return cxn_fail_nomem(err, w->env->mem, w->count * sizeof *todo.items, "a list");
    for (size_t i = 0; i < w->count; i++)
        if (!w->pieces[i].done) todo.items[todo.count++].name = w->pieces[i].name;
    w->done = w->count - todo.count;
    w->counts->kept = w->done;
    const enum cxn_status status = decode_list(w, &todo, err);
    cxn_free(todo.items);
    return status;
}

/* ---- finishing ----------------------------------------------------------------------------- */

static enum cxn_status finish_cache(struct work *w, struct cxn_error *err)
{
    const struct cxn_cache_entry **entries =
        cxn_alloc(w->env->mem, w->count, sizeof *entries);
    if (!entries)
        return cxn_fail_nomem(err, w->env->mem, w->count * sizeof *entries, "the index");
    for (size_t i = 0; i < w->count; i++) entries[i] = &w->pieces[i].entry;
    const enum cxn_status status = cxn_cache_writer_finish(w->writer, entries, w->count, err);
    cxn_free(entries);
    return status;
}

/* Which images are bad is said at the end, so that the names stand together; those of earlier runs
 * are among them. */
static void report_bad(struct work *w, const cxn_cache *cache)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct cxn_cache_entry *e = cxn_cache_find(cache, w->pieces[i].name);
        if (!e || e->channels != 0) continue;
        w->counts->bad++;
        char text[CXN_ERROR_BYTES] = "";
        if (cxn_cache_read_data(cache, e, (uint8_t *)text, NULL) == CXN_OK)
            cxn_note(w->env->log, "skipped: %s", text);
    }
}

static enum cxn_status make_cache(struct work *w, struct cxn_error *err)
{
    enum cxn_status status =
        cxn_cache_writer_open(&w->writer, w->env, w->job->path, take_found, w, err);
    if (status != CXN_OK) return status;
    if (old_serves(w)) {
        cxn_cache_writer_discard(w->writer);
        w->counts->kept = w->count;
        return CXN_OK;
    }
    status = keep_old(w, err);
    if (status == CXN_OK) status = decode_rest(w, err);
    if (status == CXN_OK) status = finish_cache(w, err);
    return status;
}

/* What was written is opened as a reader will: a cache that cannot be read is no success. */
static enum cxn_status describe_cache(struct work *w, struct cxn_error *err)
{
    cxn_cache *cache;
    const enum cxn_status status = cxn_cache_open(&cache, w->env, w->job->path, err);
    if (status != CXN_OK) return status;
    w->counts->images = cxn_cache_count(cache);
    w->counts->cache_bytes = cxn_cache_bytes(cache);
    report_bad(w, cache);
    cxn_cache_close(&cache);
    return CXN_OK;
}

enum cxn_status cxn_prepare_run(const struct cxn_env *env, const struct cxn_prepare_job *job,
                                struct cxn_prepare_counts *counts, struct cxn_error *err)
{
    *counts = (struct cxn_prepare_counts){ 0 };
    if (cxn_images_cached(job->images))
        return cxn_fail(err, CXN_E_ARG, "prepare reads folders of images, not a cache");
    struct work w = { .env = env, .job = job, .counts = counts };
    enum cxn_status status = plan_pieces(&w, err);
    if (status == CXN_OK) status = open_old(&w, err);
    if (status == CXN_OK) status = make_cache(&w, err);
    cxn_cache_writer_close(&w.writer);
    cxn_cache_close(&w.old);
    if (status == CXN_OK) status = describe_cache(&w, err);
    cxn_free(w.pieces);
    return status;
}
