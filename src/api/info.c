/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/inspect.h>

#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/engines.h"
#include "base/fpmode.h"
#include "base/hash.h"
#include "fuse/optimized.h"
#include "model/weights.h"
#include "onnx/quantized.h"
#include "onnx/quantized_pairs.h"
#include "onnx/read.h"
#include "quant/engine.h"
#include "quant/quantized_file.h"

_Static_assert((int)CXN_INFO_RANK_MAX == (int)CXN_TENSOR_RANK_MAX, "one limit on dimensions");

struct cxn_info {
    struct cxn_mem mem; /* its own: the context may end before */
    struct cxn_tensors list;
    struct cxn_info_tensor *tensors;
    cxn_net *net;
    uint64_t file_bytes;
    char sha256[CXN_SHA256_HEX_BYTES];
    char renamed[512];
    struct cxn_error misfit; /* "" when it fits */
    char modes[96];
};

static const char *understood_name(const struct cxn_info *info, const struct cxn_match *match,
                                   size_t i)
{
    const int32_t k = match->net_of[i];
    if (k == CXN_MATCH_IGNORED) return "";
    return k == CXN_MATCH_NONE ? NULL : info->net->tensors[k].name;
}

/* match: NULL for a model derived from weights, whose tensors are what they are called, and for an
 * ONNX one, whose tensors' meaning note_fills() adds. */
static enum cxn_status describe_tensors(struct cxn_info *info, const struct cxn_match *match,
                                        struct cxn_error *err)
{
    const size_t n = info->list.count;
    info->tensors = cxn_alloc_zero(&info->mem, n, sizeof *info->tensors);
    if (!info->tensors)
        return cxn_fail_nomem(err, &info->mem, n * sizeof *info->tensors, "a list of tensors");
    for (size_t i = 0; i < n; i++) {
        const struct cxn_tensor *t = &info->list.items[i];
        struct cxn_info_tensor *out = &info->tensors[i];
        const char *name = cxn_tensors_name(&info->list, i);
        *out = (struct cxn_info_tensor){ .name = name,
                                         .understood =
                                             match ? understood_name(info, match, i) : name,
                                         .dtype = cxn_dtype_name(t->dtype),
                                         .rank = t->rank };
        memcpy(out->dims, t->dims, sizeof out->dims);
    }
    return CXN_OK;
}

/* Content that does not fit is what this is about, not an error. only: the one engine that what
 * fits is for; NULL: every one. */
static enum cxn_status note_misfit(struct cxn_info *info, enum cxn_status status,
                                   const struct cxn_error *why, const struct cxn_engine *only,
                                   struct cxn_error *err)
{
    const struct cxn_engine *engine;
    if (status == CXN_E_FORMAT) info->misfit = *why;
    else if (status != CXN_OK) return cxn_fail(err, status, "%s", why->text);
    if (status == CXN_OK && only) snprintf(info->modes, sizeof info->modes, "%s", only->name);
    for (size_t i = 0; status == CXN_OK && !only && (engine = cxn_engine_of_weights(i)); i++) {
        const size_t n = strlen(info->modes);
        snprintf(info->modes + n, sizeof info->modes - n, "%s%s", n > 0 ? ", " : "", engine->name);
    }
    return CXN_OK;
}

static enum cxn_status try_values(struct cxn_info *info, const struct cxn_source *source,
                                  const struct cxn_match *match, struct cxn_error *err)
{
    float *block = NULL;
    struct cxn_error why = { "" };
    const enum cxn_status status =
        cxn_weights_fill(&info->list, source, match, info->net, &block, &why);
    cxn_free(block);
    return note_misfit(info, status, &why, NULL, err);
}

static enum cxn_status check_optimized(const struct cxn_info *info, const cxn_fold *fold,
                                       const struct cxn_source *source,
                                       const struct cxn_engine **only, struct cxn_error *err)
{
    struct cxn_optimized optimized;
    enum cxn_status status = cxn_optimized_open(&optimized, fold, &info->list, source, err);
    if (status == CXN_OK) status = cxn_optimized_check(&optimized, err);
    *only = cxn_precision_engine(optimized.precision);
    cxn_optimized_close(&optimized);
    return status;
}

static enum cxn_status check_quantized(const struct cxn_info *info, const cxn_fold *fold,
                                       const struct cxn_source *source,
                                       const struct cxn_engine **only, struct cxn_error *err)
{
    struct cxn_quantized_file quantized;
    const enum cxn_status status =
        cxn_quantized_read(&quantized, fold, &info->list, source, err);
    *only = &cxn_engine_int8;
    cxn_quantized_file_close(&quantized);
    return status;
}

static enum cxn_status try_derived(struct cxn_info *info, const struct cxn_source *source,
                                   struct cxn_error *err)
{
    const struct cxn_engine *only = NULL;
    struct cxn_error why = { "" };
    cxn_fold *fold = NULL;
    enum cxn_status status = cxn_fold_open(&fold, info->net, &info->mem, &why);
    if (status == CXN_OK)
        status = cxn_quantized_is(&info->list)
                     ? check_quantized(info, fold, source, &only, &why)
                     : check_optimized(info, fold, source, &only, &why);
    cxn_fold_close(&fold);
    status = note_misfit(info, status, &why, only, err);
    return status == CXN_OK ? describe_tensors(info, NULL, err) : status;
}

static enum cxn_status compare_with_net(struct cxn_info *info, const struct cxn_source *source,
                                        struct cxn_error *err)
{
    struct cxn_match match = { 0 };
    enum cxn_status status = cxn_net_open(&info->net, &cxn_densenet121, &info->mem, err);
    if (status == CXN_OK && cxn_derived_is(&info->list))
        return try_derived(info, source, err);
    if (status == CXN_OK) status = cxn_match_open(&match, &info->mem, &info->list, info->net, err);
    if (status == CXN_OK) {
        const struct cxn_weights_report report = cxn_weights_report_make(&info->list, &match);
        cxn_weights_renamed(&report, info->renamed, sizeof info->renamed);
        status = describe_tensors(info, &match, err);
    }
    if (status == CXN_OK) status = try_values(info, source, &match, err);
    cxn_match_close(&match);
    return status;
}

/* ---- ONNX --------------------------------------------------------------------------------- */

/* Constants of a graph, and tensors that it has for nothing, are part of no network. */
static void note_fills(struct cxn_info *info, const struct cxn_onnx_match *match)
{
    for (size_t i = 0; i < info->list.count; i++) info->tensors[i].understood = NULL;
    for (size_t k = info->net->tensor_count; k-- > 0;) { /* the first that shares a tensor counts */
        const struct cxn_onnx_fill *fill = &match->fills[k];
        if (fill->kind == CXN_FILL_TENSOR || fill->kind == CXN_FILL_TURNED)
            info->tensors[fill->tensor].understood = info->net->tensors[k].name;
    }
}

/* Bytes that are metadata for want of a place in the graph are not for reading. */
static void hide_tensors(struct cxn_tensors *list, const cxn_fold *fold)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->pair_count; i++)
        if (!cxn_onnx_is_pair_slot(fold, cxn_tensors_text(list, list->pairs[i].key_at)))
            list->pairs[kept++] = list->pairs[i];
    list->pair_count = kept;
}

static enum cxn_status try_quantized_graph(struct cxn_info *info, struct cxn_onnx_model *m,
                                           const cxn_fold *fold, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = &info->mem };
    struct cxn_onnx_quantized quantized;
    struct cxn_error why = { "" };
    enum cxn_status status = cxn_onnx_quantized_open(&quantized, m, fold, &env, &why);
    cxn_onnx_quantized_close(&quantized);
    return note_misfit(info, status, &why, &cxn_engine_int8, err);
}

static enum cxn_status compare_quantized_graph(struct cxn_info *info, struct cxn_onnx_model *m,
                                               struct cxn_error *err)
{
    cxn_fold *fold = NULL;
    enum cxn_status status = cxn_net_open(&info->net, &cxn_densenet121, &info->mem, err);
    if (status == CXN_OK) status = cxn_fold_open(&fold, info->net, &info->mem, err);
    if (status == CXN_OK) status = try_quantized_graph(info, m, fold, err);
    if (status == CXN_OK) hide_tensors(&m->list, fold);
    cxn_fold_close(&fold);
    info->list = m->list;
    m->list = (struct cxn_tensors){ 0 };
    return status == CXN_OK ? describe_tensors(info, NULL, err) : status;
}

static enum cxn_status compare_graph(struct cxn_info *info, struct cxn_onnx_model *m,
                                     struct cxn_error *err)
{
    struct cxn_onnx_match match = { 0 };
    struct cxn_error why = { "" };
    float *block = NULL;
    enum cxn_status status = cxn_net_open(&info->net, &cxn_densenet121, &info->mem, err);
    if (status != CXN_OK) return status;
    status = cxn_onnx_match(&match, m, info->net, &why);
    if (status == CXN_OK) status = cxn_onnx_fill_block(m, &match, info->net, &block, &why);
    cxn_free(block);
    status = note_misfit(info, status, &why, NULL, err);
    info->list = m->list;
    m->list = (struct cxn_tensors){ 0 };
    if (status == CXN_OK) status = describe_tensors(info, NULL, err);
    if (status == CXN_OK) note_fills(info, &match);
    cxn_onnx_match_close(&match);
    return status;
}

static enum cxn_status read_onnx(struct cxn_info *info, const struct cxn_source *source,
                                 struct cxn_error *err)
{
    struct cxn_onnx_model m;
    enum cxn_status status = cxn_onnx_model_read(&m, &info->mem, source, err);
    if (status == CXN_OK)
        status = cxn_onnx_is_quantized(&m) ? compare_quantized_graph(info, &m, err)
                                           : compare_graph(info, &m, err);
    cxn_onnx_model_close(&m);
    return status;
}

static enum cxn_status read_weights(struct cxn_info *info, const struct cxn_source *source,
                                    struct cxn_error *err)
{
    const enum cxn_status status = cxn_tensors_open(&info->list, &info->mem, source, err);
    return status == CXN_OK ? compare_with_net(info, source, err) : status;
}

/* ---- file --------------------------------------------------------------------------------- */

static enum cxn_status read_file(struct cxn_info *info, const char *path, struct cxn_error *err)
{
    struct cxn_file file;
    bool is_onnx;
    enum cxn_status status = cxn_onnx_file_is(path, &is_onnx, err);
    if (status == CXN_OK) status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    const struct cxn_source source = cxn_source_file(&file, path);
    info->file_bytes = file.size_bytes;
    status = is_onnx ? read_onnx(info, &source, err) : read_weights(info, &source, err);
    if (status != CXN_E_IO) cxn_fail_in(err, status, path);
    if (status == CXN_OK) status = cxn_sha256_file(&file, path, info->sha256, err);
    cxn_file_close(&file);
    return status;
}

enum cxn_status cxn_info_open(cxn_info **out, const cxn_context *ctx, const char *path,
                              struct cxn_error *err)
{
    if (!out || !path) return cxn_fail(err, CXN_E_ARG, "cxn_info_open: a NULL pointer");
    *out = NULL;
    const struct cxn_mem *budget = cxn_context_env(ctx)->mem;
    struct cxn_info *info = cxn_alloc_zero(NULL, 1, sizeof *info);
    if (!info) return cxn_fail_nomem(err, NULL, sizeof *info, "what a file holds");
    cxn_mem_init(&info->mem, budget ? budget->limit_bytes : 0);
    fenv_t host;
    cxn_fpmode_enter(&host); /* a quantised graph is written anew, its probe drawn */
    const enum cxn_status status = read_file(info, path, err);
    cxn_fpmode_leave(&host);
    if (status == CXN_OK) *out = info;
    else cxn_info_close(&info);
    return status;
}

void cxn_info_close(cxn_info **info)
{
    if (!info || !*info) return;
    cxn_tensors_close(&(*info)->list);
    cxn_free((*info)->tensors);
    cxn_net_close(&(*info)->net);
    cxn_free(*info);
    *info = NULL;
}

const char *cxn_info_format(const cxn_info *info) { return info->list.format; }
uint64_t cxn_info_file_bytes(const cxn_info *info) { return info->file_bytes; }
const char *cxn_info_sha256(const cxn_info *info) { return info->sha256; }
size_t cxn_info_tensor_count(const cxn_info *info) { return info->list.count; }
size_t cxn_info_metadata_count(const cxn_info *info) { return info->list.pair_count; }
const char *cxn_info_renamed(const cxn_info *info) { return info->renamed; }

const struct cxn_info_tensor *cxn_info_tensor(const cxn_info *info, size_t i)
{
    return i < info->list.count ? &info->tensors[i] : NULL;
}

const char *cxn_info_metadata_key(const cxn_info *info, size_t i)
{
    if (i >= info->list.pair_count) return NULL;
    return cxn_tensors_text(&info->list, info->list.pairs[i].key_at);
}

const char *cxn_info_metadata_value(const cxn_info *info, size_t i)
{
    if (i >= info->list.pair_count) return NULL;
    return cxn_tensors_text(&info->list, info->list.pairs[i].value_at);
}

const char *cxn_info_misfit(const cxn_info *info)
{
    return info->misfit.text[0] ? info->misfit.text : NULL;
}

const char *cxn_info_modes(const cxn_info *info) { return info->modes; }
