/* SPDX-License-Identifier: Apache-2.0 */
#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum cxn_status cxn_weights_check_values(const struct cxn_net_tensor *t, const char *name,
                                         const float *values, struct cxn_error *err)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!isfinite(values[i]))
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu is %g", name, i,
                            (double)values[i]);
        if (t->role == CXN_ROLE_NORM_VAR && values[i] < 0)
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu, a variance, is %g", name,
                            i, (double)values[i]);
    }
    return CXN_OK;
}

enum cxn_status cxn_weights_fill(struct cxn_tensors *list, const struct cxn_source *source,
                                 const struct cxn_match *match, const cxn_net *net, float **block,
                                 struct cxn_error *err)
{
    *block = NULL;
    enum cxn_status status = cxn_match_check(match, list, net, err);
    if (status != CXN_OK) return status;
    float *values = cxn_alloc(list->mem, net->float_count, sizeof *values);
    if (!values)
        return cxn_fail_nomem(err, list->mem, net->float_count * sizeof *values, "the weights");
    for (size_t k = 0; k < net->tensor_count && status == CXN_OK; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        const size_t i = (size_t)match->item_of[k];
        if (cxn_match_leaves(match, t)) {
            memset(values + t->offset, 0, t->count * sizeof *values);
            continue;
        }
        status = cxn_tensors_read_f32(list, source, i, values + t->offset, err);
        if (status == CXN_OK)
            status = cxn_weights_check_values(t, cxn_tensors_name(list, i), values + t->offset,
                                              err);
    }
    if (status == CXN_OK) *block = values;
    else cxn_free(values);
    return status;
}

struct cxn_weights_report cxn_weights_report_make(const struct cxn_tensors *list,
                                                  const struct cxn_match *match)
{
    struct cxn_weights_report r = { .format = list->format,
                                    .tensor_count = list->count,
                                    .prefix_count = match->prefix_count,
                                    .spelling_count = match->spelling_count,
                                    .head_count = match->head_count,
                                    .head_classes = match->head_classes };
    memcpy(r.prefix, match->prefix, sizeof r.prefix);
    return r;
}

const char *cxn_weights_renamed(const struct cxn_weights_report *r, char *text, size_t size)
{
    char prefix[CXN_MATCH_PREFIX_BYTES + 64] = "", spelling[64] = "", head[64] = "";
    if (r->prefix_count > 0)
        snprintf(prefix, sizeof prefix, ", prefix '%s' removed from %zu", r->prefix,
                 r->prefix_count);
    if (r->spelling_count > 0)
        snprintf(spelling, sizeof spelling, ", old spelling norm.1 or conv.1 in %zu",
                 r->spelling_count);
    if (r->head_count > 0)
        snprintf(head, sizeof head, ", classifier.0 read as classifier in %zu", r->head_count);
    const char *const parts[] = { prefix, spelling, head };
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < CXN_COUNTOF(parts); i++) {
        const char *part = parts[i] + (at == 0 && parts[i][0] ? 2 : 0); /* no comma in front */
        if (at < size) at += (size_t)snprintf(text + at, size - at, "%s", part);
    }
    return text;
}

enum cxn_status cxn_weights_file_open(struct cxn_weights_file *f, struct cxn_mem *mem,
                                      const char *path, struct cxn_error *err)
{
    *f = (struct cxn_weights_file){ .path = path };
    enum cxn_status status = cxn_file_open(&f->file, path, err);
    if (status != CXN_OK) return status;
    f->open = true;
    f->source = cxn_source_file(&f->file, path);
    status = cxn_tensors_open(&f->list, mem, &f->source, err);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, path); /* its text has the path */
}

void cxn_weights_file_close(struct cxn_weights_file *f)
{
    if (!f->open) return;
    cxn_tensors_close(&f->list);
    cxn_file_close(&f->file);
    f->open = false;
}

/* The head that a file must have: the net's, or one of any number of classes. */
enum head { HEAD_SAME, HEAD_ANY };

static enum cxn_status fill_from_list(struct cxn_tensors *list, const struct cxn_source *source,
                                      const cxn_net *net, enum head head, float **block,
                                      struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_match match = { 0 };
    enum cxn_status status = cxn_match_open(&match, list->mem, list, net, err);
    if (status == CXN_OK && head == HEAD_ANY) cxn_match_allow_head(&match, list, net);
    if (status == CXN_OK) status = cxn_weights_fill(list, source, &match, net, block, err);
    if (status == CXN_OK) *report = cxn_weights_report_make(list, &match);
    cxn_match_close(&match);
    return status;
}

enum cxn_status cxn_weights_load_source(const struct cxn_env *env, const struct cxn_source *source,
                                        const cxn_net *net, float **block,
                                        struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_tensors list;
    *block = NULL;
    enum cxn_status status = cxn_tensors_open(&list, env->mem, source, err);
    if (status == CXN_OK)
        status = fill_from_list(&list, source, net, HEAD_SAME, block, report, err);
    cxn_tensors_close(&list);
    return status;
}

void cxn_weights_report_tell(const struct cxn_env *env, const char *path, const cxn_net *net,
                             const struct cxn_weights_report *report)
{
    char renamed[512];
    if (cxn_weights_renamed(report, renamed, sizeof renamed)[0])
        cxn_note(env->log, "%s: names of tensors understood: %s", path, renamed);
    if (report->head_classes != 0)
        cxn_note(env->log, "%s: its head has %llu classes, not %u: the head is made anew", path,
                 (unsigned long long)report->head_classes, net->config.classes);
}

static enum cxn_status load_file(const struct cxn_env *env, struct cxn_weights_file *file,
                                 const cxn_net *net, enum head head, float **block,
                                 struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_weights_report own;
    *block = NULL;
    const enum cxn_status status =
        fill_from_list(&file->list, &file->source, net, head, block, &own, err);
    if (status == CXN_E_IO) return status; /* its text names the file */
    if (status != CXN_OK) return cxn_fail_in(err, status, file->path);
    cxn_weights_report_tell(env, file->path, net, &own);
    if (report) *report = own;
    return CXN_OK;
}

enum cxn_status cxn_weights_file_load(const struct cxn_env *env, struct cxn_weights_file *file,
                                      const cxn_net *net, float **block,
                                      struct cxn_weights_report *report, struct cxn_error *err)
{
    return load_file(env, file, net, HEAD_SAME, block, report, err);
}

static enum cxn_status load_path(const struct cxn_env *env, const char *path, const cxn_net *net,
                                 enum head head, float **block,
                                 struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_weights_file file;
    *block = NULL;
    enum cxn_status status = cxn_weights_file_open(&file, env->mem, path, err);
    if (status == CXN_OK) status = load_file(env, &file, net, head, block, report, err);
    cxn_weights_file_close(&file);
    return status;
}

enum cxn_status cxn_weights_load(const struct cxn_env *env, const char *path, const cxn_net *net,
                                 float **block, struct cxn_weights_report *report,
                                 struct cxn_error *err)
{
    return load_path(env, path, net, HEAD_SAME, block, report, err);
}

enum cxn_status cxn_weights_load_start(const struct cxn_env *env, const char *path,
                                       const cxn_net *net, float **block,
                                       struct cxn_weights_report *report, struct cxn_error *err)
{
    return load_path(env, path, net, HEAD_ANY, block, report, err);
}
