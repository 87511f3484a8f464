/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/inspect.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/context.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/json_dump.h"
#include "model/weights.h"
#include "train/checkpoint_form.h"
#include "train/run_files.h"

enum {
    CHECKPOINTS = 2,
    FILES = CHECKPOINTS * (CXN_CHECKPOINT_FILES + 1) + 3,
    PROBLEMS = CHECKPOINTS + 3,
    NAME_BYTES = 48,
    LOG_PIECE_BYTES = 1 << 16, /* and the longest line that is looked into */
    ATTEMPTS = 3
};

static const char *const checkpoint_names[CHECKPOINTS] = { CXN_RUN_LAST, CXN_RUN_BEFORE };

struct file {
    struct cxn_run_file shown;
    char name[NAME_BYTES];
    char sha256[CXN_SHA256_HEX_BYTES];
};

struct cxn_run_info {
    struct cxn_mem mem; /* its own: the context may end before */
    const char *folder; /* while it is being read */
    bool verify;
    cxn_net *net;
    char *config; /* jansson's */
    size_t checkpoint_count, file_count, problem_count;
    struct cxn_run_checkpoint checkpoints[CHECKPOINTS];
    struct file files[FILES];
    struct cxn_error problems[PROBLEMS];
    uint64_t log_lines;
};

/* Content that is wrong is what this is about, not an error; so is a file that cannot be read. */
static enum cxn_status note_problem(struct cxn_run_info *info, enum cxn_status status,
                                    const struct cxn_error *why, struct cxn_error *err)
{
    if (status == CXN_E_NOMEM) return cxn_fail(err, status, "%s", why->text);
    if (status != CXN_OK && info->problem_count < PROBLEMS)
        info->problems[info->problem_count++] = *why;
    return CXN_OK;
}

static char *path_of(struct cxn_run_info *info, const char *name, struct cxn_error *err)
{
    char *path = cxn_path_join(&info->mem, info->folder, name);
    if (!path) cxn_fail_nomem(err, &info->mem, strlen(info->folder), "a file's name");
    return path;
}

/* Lists a file that is there; sha256 may be NULL. */
static enum cxn_status add_file(struct cxn_run_info *info, const char *folder, const char *name,
                                const char *sha256, struct cxn_error *err)
{
    struct file *f = &info->files[info->file_count];
    struct stat st;
    snprintf(f->name, sizeof f->name, "%s%s%s", folder, folder[0] ? "/" : "", name);
    char *path = path_of(info, f->name, err);
    if (!path) return CXN_E_NOMEM;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        f->shown = (struct cxn_run_file){ .name = f->name, .bytes = (uint64_t)st.st_size };
        if (sha256) {
            memcpy(f->sha256, sha256, sizeof f->sha256);
            f->shown.sha256 = f->sha256;
        }
        info->file_count++;
    }
    cxn_free(path);
    return CXN_OK;
}

/* ---- checkpoints -------------------------------------------------------------------------- */

static enum cxn_status read_weights(struct cxn_run_info *info, struct cxn_checkpoint *c,
                                    struct cxn_error *err)
{
    const size_t count = info->net->float_count, bytes = cxn_number_bytes(c->number);
    const struct cxn_span to = { .data = cxn_alloc(&info->mem, count, bytes), .count = count,
                                 .number = c->number };
    if (!to.data) return cxn_fail_nomem(err, &info->mem, count * bytes, "the weights");
    const enum cxn_status status = cxn_checkpoint_read(c, CXN_BLOCK_WEIGHTS, 0, &to, err);
    cxn_free(to.data);
    return status;
}

static enum cxn_status try_checkpoint(struct cxn_run_info *info, const char *path,
                                      struct cxn_checkpoint *c, struct cxn_sums *sums,
                                      struct cxn_error *why)
{
    const struct cxn_env env = { .mem = &info->mem };
    *c = (struct cxn_checkpoint){ 0 };
    enum cxn_status status = cxn_checkpoint_peek(c, sums, &info->mem, path, why);
    if (status != CXN_OK || !info->verify) return status;
    cxn_checkpoint_close(c);
    status = cxn_checkpoint_open(c, &env, info->net, path, why);
    return status == CXN_OK ? read_weights(info, c, why) : status;
}

/* A training may put the next checkpoint in its place while this one is read: what is wrong is only
 * wrong when it is the same the next time. */
static enum cxn_status read_checkpoint(struct cxn_run_info *info, const char *path,
                                       struct cxn_checkpoint *c, struct cxn_sums *sums,
                                       struct cxn_error *why)
{
    struct cxn_error before = { "" };
    enum cxn_status status = try_checkpoint(info, path, c, sums, why);
    for (int i = 1; i < ATTEMPTS && status != CXN_OK && strcmp(before.text, why->text) != 0; i++) {
        before = *why;
        cxn_checkpoint_close(c);
        *sums = (struct cxn_sums){ 0 };
        status = try_checkpoint(info, path, c, sums, why);
    }
    return status;
}

static enum cxn_status add_checkpoint_files(struct cxn_run_info *info, const char *name,
                                            const struct cxn_sums *sums, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (int i = 0; i < CXN_CHECKPOINT_FILES && status == CXN_OK; i++)
        status = add_file(info, name, cxn_checkpoint_files[i],
                          sums->has[i] ? sums->sha256[i] : NULL, err);
    if (status == CXN_OK) status = add_file(info, name, CXN_CHECKPOINT_SUMS, NULL, err);
    return status;
}

static enum cxn_status describe_checkpoint(struct cxn_run_info *info, const char *name,
                                           struct cxn_error *err)
{
    struct cxn_checkpoint c = { 0 };
    struct cxn_sums sums = { 0 };
    struct cxn_error why = { "" };
    struct stat st;
    char *path = path_of(info, name, err);
    if (!path) return CXN_E_NOMEM;
    if (lstat(path, &st) != 0) { /* there is none yet */
        cxn_free(path);
        return CXN_OK;
    }
    enum cxn_status status = read_checkpoint(info, path, &c, &sums, &why);
    if (c.state.root)
        info->checkpoints[info->checkpoint_count++] = (struct cxn_run_checkpoint){
            .name = name, .step = c.place.step, .epoch = c.place.epoch,
            .best_auc = c.place.best_auc, .has_best = c.best_sha256[0] != '\0'
        };
    cxn_checkpoint_close(&c);
    cxn_free(path);
    status = note_problem(info, status, &why, err);
    return status == CXN_OK ? add_checkpoint_files(info, name, &sums, err) : status;
}

/* ---- the others ---------------------------------------------------------------------------- */

static enum cxn_status read_config(struct cxn_run_info *info, struct cxn_error *err)
{
    struct cxn_json json;
    struct cxn_error why = { "" };
    char *path = path_of(info, CXN_RUN_ABOUT, err);
    if (!path) return CXN_E_NOMEM;
    enum cxn_status status = cxn_json_read(&json, &info->mem, path, &why);
    cxn_free(path);
    if (status == CXN_E_IO) return cxn_fail(err, status, "%s", why.text); /* not a run */
    if (status == CXN_OK) {
        info->config = cxn_json_dump(json.root, JSON_INDENT(2));
        cxn_json_close(&json);
        if (!info->config) return cxn_fail_nomem(err, &info->mem, 0, "what run.json says");
    }
    status = note_problem(info, status, &why, err);
    return status == CXN_OK ? add_file(info, "", CXN_RUN_ABOUT, NULL, err) : status;
}

/* `last`, where it tells anything; close it in either case. */
static bool peek_last(struct cxn_run_info *info, struct cxn_checkpoint *c)
{
    struct cxn_sums sums;
    struct cxn_error unused;
    *c = (struct cxn_checkpoint){ 0 };
    char *path = path_of(info, CXN_RUN_LAST, &unused);
    const bool known =
        path && cxn_checkpoint_peek(c, &sums, &info->mem, path, &unused) == CXN_OK;
    cxn_free(path);
    return known;
}

/* Again where they differ: a training may have put a better one in its place. */
static enum cxn_status compare_best(struct cxn_run_info *info, const char *path, bool there,
                                    char sha256[CXN_SHA256_HEX_BYTES], struct cxn_error *why)
{
    enum cxn_status status = CXN_OK;
    for (int i = 0; i < ATTEMPTS; i++) {
        struct cxn_checkpoint c;
        status = CXN_OK;
        if (i > 0 && there) status = cxn_path_sha256(path, sha256, why);
        if (peek_last(info, &c) && status == CXN_OK && (there || c.best_sha256[0]))
            status = cxn_best_compare(&c, path, sha256, why);
        cxn_checkpoint_close(&c);
        if (status != CXN_E_FORMAT) break;
    }
    return status;
}

static enum cxn_status check_best(struct cxn_run_info *info, const char *path,
                                  char sha256[CXN_SHA256_HEX_BYTES], struct cxn_error *why)
{
    const struct cxn_env env = { .mem = &info->mem };
    struct cxn_weights_file file;
    float *block = NULL;
    enum cxn_status status = cxn_weights_file_open(&file, &info->mem, path, why);
    if (status == CXN_OK)
        status = cxn_weights_file_load(&env, &file, info->net, &block, NULL, why);
    if (status == CXN_OK) status = cxn_sha256_file(&file.file, path, sha256, why);
    cxn_free(block);
    cxn_weights_file_close(&file);
    return status;
}

static enum cxn_status describe_best(struct cxn_run_info *info, struct cxn_error *err)
{
    struct cxn_error why = { "" };
    struct stat st;
    char sha256[CXN_SHA256_HEX_BYTES] = "";
    char *path = path_of(info, CXN_RUN_BEST, err);
    if (!path) return CXN_E_NOMEM;
    enum cxn_status status = CXN_OK;
    const bool there = lstat(path, &st) == 0;
    if (info->verify && there) status = check_best(info, path, sha256, &why);
    if (info->verify && status == CXN_OK) status = compare_best(info, path, there, sha256, &why);
    cxn_free(path);
    status = note_problem(info, status, &why, err);
    if (status != CXN_OK) return status;
    return add_file(info, "", CXN_RUN_BEST, sha256[0] ? sha256 : NULL, err);
}

struct log_reader {
    struct cxn_run_info *info;
    struct cxn_file file;
    const char *path;
    uint8_t *piece; /* LOG_PIECE_BYTES */
};

static enum cxn_status check_line(struct log_reader *r, const char *line, size_t length,
                                  struct cxn_error *why)
{
    struct cxn_json json;
    char where[32];
    if (!r->info->verify) return CXN_OK;
    const enum cxn_status status = cxn_json_parse(&json, &r->info->mem, line, length, why);
    cxn_json_close(&json);
    snprintf(where, sizeof where, "line %llu", (unsigned long long)r->info->log_lines);
    return cxn_fail_in(why, status, where);
}

static enum cxn_status read_lines(struct log_reader *r, struct cxn_error *why)
{
    for (uint64_t at = 0; at < r->file.size_bytes;) {
        const uint64_t left = r->file.size_bytes - at;
        const size_t n = left < LOG_PIECE_BYTES ? (size_t)left : LOG_PIECE_BYTES;
        enum cxn_status status = cxn_file_pread(&r->file, r->path, at, r->piece, n, why);
        if (status != CXN_OK) return status;
        const uint8_t *end = memrchr(r->piece, '\n', n);
        if (!end && n == left) return CXN_OK; /* a line being written */
        if (!end)
            return cxn_fail(why, CXN_E_LIMIT, "line %llu: more than %d bytes",
                            (unsigned long long)r->info->log_lines + 1, LOG_PIECE_BYTES);
        const size_t whole = (size_t)(end - r->piece) + 1;
        struct cxn_cursor c = cxn_cursor_make(r->piece, whole);
        const char *line;
        size_t length;
        while (cxn_cursor_line(&c, &line, &length)) {
            r->info->log_lines++;
            status = check_line(r, line, length, why);
            if (status != CXN_OK) return status;
        }
        at += whole;
    }
    return CXN_OK;
}

/* Lines are on the disk before the checkpoint that they belong to. */
static enum cxn_status check_log_size(struct cxn_run_info *info, const struct cxn_file *file,
                                      struct cxn_error *why)
{
    struct cxn_checkpoint c;
    struct stat st;
    enum cxn_status status = CXN_OK;
    if (peek_last(info, &c) && fstat(file->fd, &st) == 0 && (uint64_t)st.st_size < c.log_bytes)
        status = cxn_fail(why, CXN_E_FORMAT, "%llu bytes, the checkpoint has %llu: lines are lost",
                          (unsigned long long)st.st_size, (unsigned long long)c.log_bytes);
    cxn_checkpoint_close(&c);
    return status;
}

static enum cxn_status describe_log(struct cxn_run_info *info, struct cxn_error *err)
{
    struct cxn_error why = { "" };
    char *path = path_of(info, CXN_RUN_LOG, err);
    struct log_reader r = { .info = info, .path = path,
                            .piece = cxn_alloc(&info->mem, LOG_PIECE_BYTES, 1) };
    enum cxn_status status = CXN_OK;
    if (!path || !r.piece)
        status = cxn_fail_nomem(&why, &info->mem, LOG_PIECE_BYTES, "a piece of the log");
    if (status == CXN_OK) status = cxn_file_open(&r.file, path, &why);
    if (status == CXN_OK) {
        status = read_lines(&r, &why);
        if (status == CXN_OK && info->verify) status = check_log_size(info, &r.file, &why);
        if (status != CXN_E_IO) cxn_fail_in(&why, status, path);
        cxn_file_close(&r.file);
    }
    cxn_free(r.piece);
    cxn_free(path);
    status = note_problem(info, status, &why, err);
    return status == CXN_OK ? add_file(info, "", CXN_RUN_LOG, NULL, err) : status;
}

/* ---- public -------------------------------------------------------------------------------- */

static enum cxn_status read_run(struct cxn_run_info *info, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&info->net, &cxn_densenet121, &info->mem, err);
    if (status == CXN_OK) status = read_config(info, err);
    if (status == CXN_OK) status = describe_log(info, err);
    if (status == CXN_OK) status = describe_best(info, err);
    for (int i = 0; i < CHECKPOINTS && status == CXN_OK; i++)
        status = describe_checkpoint(info, checkpoint_names[i], err);
    info->folder = NULL;
    return status;
}

enum cxn_status cxn_run_info_open(cxn_run_info **out, const cxn_context *ctx, const char *path,
                                  int verify, struct cxn_error *err)
{
    if (!out || !path) return cxn_fail(err, CXN_E_ARG, "cxn_run_info_open: a NULL pointer");
    *out = NULL;
    const struct cxn_mem *budget = cxn_context_env(ctx)->mem;
    struct cxn_run_info *info = cxn_alloc_zero(NULL, 1, sizeof *info);
    if (!info) return cxn_fail_nomem(err, NULL, sizeof *info, "what a folder holds");
    cxn_mem_init(&info->mem, budget ? budget->limit_bytes : 0);
    info->folder = path;
    info->verify = verify != 0;
    const enum cxn_status status = read_run(info, err);
    if (status == CXN_OK) *out = info;
    else cxn_run_info_close(&info);
    return status;
}

void cxn_run_info_close(cxn_run_info **info)
{
    if (!info || !*info) return;
    free((*info)->config);
    cxn_net_close(&(*info)->net);
    cxn_free(*info);
    *info = NULL;
}

const char *cxn_run_info_config(const cxn_run_info *info) { return info->config; }
uint64_t cxn_run_info_log_lines(const cxn_run_info *info) { return info->log_lines; }
size_t cxn_run_info_file_count(const cxn_run_info *info) { return info->file_count; }

size_t cxn_run_info_checkpoint_count(const cxn_run_info *info)
{
    return info->checkpoint_count;
}

const struct cxn_run_checkpoint *cxn_run_info_checkpoint(const cxn_run_info *info, size_t i)
{
    return i < info->checkpoint_count ? &info->checkpoints[i] : NULL;
}

const struct cxn_run_file *cxn_run_info_file(const cxn_run_info *info, size_t i)
{
    return i < info->file_count ? &info->files[i].shown : NULL;
}

const char *cxn_run_info_problem(const cxn_run_info *info, size_t i)
{
    return i < info->problem_count ? info->problems[i].text : NULL;
}
