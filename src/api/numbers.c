/* SPDX-License-Identifier: Apache-2.0 */
#include "api/numbers.h"

#include <string.h>

#include "quant/engine.h"

static enum cxn_status open_optimized(struct cxn_numbers *n, struct cxn_error *err)
{
    const enum cxn_status status =
        cxn_optimized_open(&n->optimized, n->fold, &n->file.list, &n->file.source, err);
    if (status != CXN_OK) return status;
    n->folded = cxn_optimized_source(&n->optimized);
    n->source.folded = &n->folded;
    n->derived = &n->optimized.derived;
    n->only = cxn_precision_engine(n->optimized.precision);
    return CXN_OK;
}

static void take_quantized(struct cxn_numbers *n, struct cxn_quantized_file *file)
{
    n->quantized = file;
    n->source.quantized = file->quantized;
    n->derived = &file->derived;
    n->only = &cxn_engine_int8;
}

static enum cxn_status open_quantized(struct cxn_numbers *n, struct cxn_error *err)
{
    const enum cxn_status status = cxn_quantized_read(&n->quantized_file, n->fold, &n->file.list,
                                                      &n->file.source, err);
    if (status == CXN_OK) take_quantized(n, &n->quantized_file);
    return status;
}

static enum cxn_status open_derived(struct cxn_numbers *n, const cxn_net *net,
                                    struct cxn_mem *mem, struct cxn_error *err)
{
    enum cxn_status status = cxn_fold_open(&n->fold, net, mem, err);
    if (status == CXN_OK)
        status = cxn_quantized_is(&n->file.list) ? open_quantized(n, err) : open_optimized(n, err);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, n->path);
}

static enum cxn_status open_onnx_quantized(struct cxn_numbers *n, const struct cxn_env *env,
                                           const cxn_net *net, struct cxn_error *err)
{
    enum cxn_status status = cxn_fold_open(&n->fold, net, env->mem, err);
    if (status == CXN_OK)
        status = cxn_onnx_quantized_open(&n->onnx_quantized, &n->onnx.model, n->fold, env, err);
    if (status == CXN_OK) take_quantized(n, &n->onnx_quantized.file);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, n->path);
}

static enum cxn_status open_onnx(struct cxn_numbers *n, const struct cxn_env *env,
                                 const cxn_net *net, struct cxn_error *err)
{
    struct cxn_weights_report report;
    enum cxn_status status = cxn_onnx_file_open(&n->onnx, env->mem, n->path, err);
    if (status != CXN_OK) return status;
    if (cxn_onnx_is_quantized(&n->onnx.model)) return open_onnx_quantized(n, env, net, err);
    status = cxn_onnx_file_load(env, &n->onnx, net, CXN_ONNX_HEAD_SAME, &n->block, &report, err);
    n->source.block = n->block;
    return status;
}

enum cxn_status cxn_numbers_open(struct cxn_numbers *n, const struct cxn_env *env,
                                 const cxn_net *net, const char *path, struct cxn_error *err)
{
    bool is_onnx;
    *n = (struct cxn_numbers){ .source = { .net = net }, .path = path };
    enum cxn_status status = cxn_onnx_file_is(path, &is_onnx, err);
    if (status != CXN_OK) return status;
    if (is_onnx) return open_onnx(n, env, net, err);
    status = cxn_weights_file_open(&n->file, env->mem, path, err);
    if (status != CXN_OK) return status;
    if (cxn_derived_is(&n->file.list)) return open_derived(n, net, env->mem, err);
    status = cxn_weights_file_load(env, &n->file, net, &n->block, NULL, err);
    n->source.block = n->block;
    return status;
}

enum cxn_status cxn_numbers_want_trained(const struct cxn_numbers *n, struct cxn_error *err)
{
    if (!n->derived) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%s: %s already, expected the weights that it was made from",
                    n->path, n->quantized ? "quantised" : "optimised");
}

enum cxn_status cxn_numbers_open_trained(struct cxn_numbers *n, const struct cxn_env *env,
                                         const cxn_net *net, const char *path,
                                         struct cxn_error *err)
{
    const enum cxn_status status = cxn_numbers_open(n, env, net, path, err);
    return status == CXN_OK ? cxn_numbers_want_trained(n, err) : status;
}

void cxn_numbers_close(struct cxn_numbers *n)
{
    cxn_onnx_quantized_close(&n->onnx_quantized);
    cxn_quantized_file_close(&n->quantized_file);
    cxn_optimized_close(&n->optimized);
    cxn_fold_close(&n->fold);
    cxn_free(n->block);
    cxn_weights_file_close(&n->file);
    cxn_onnx_file_close(&n->onnx);
}

enum cxn_status cxn_numbers_sha256(struct cxn_numbers *n, char hex[CXN_SHA256_HEX_BYTES],
                                   struct cxn_error *err)
{
    if (n->onnx.open) return cxn_onnx_file_sha256(&n->onnx, hex, err);
    return cxn_sha256_file(&n->file.file, n->path, hex, err);
}

enum cxn_status cxn_numbers_load_start(const struct cxn_env *env, const char *path,
                                       const cxn_net *net, float **block,
                                       struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_onnx_file onnx = { 0 };
    bool is_onnx;
    *block = NULL;
    enum cxn_status status = cxn_onnx_file_is(path, &is_onnx, err);
    if (status != CXN_OK) return status;
    if (!is_onnx) return cxn_weights_load_start(env, path, net, block, report, err);
    status = cxn_onnx_file_open(&onnx, env->mem, path, err);
    if (status == CXN_OK)
        status = cxn_onnx_file_load(env, &onnx, net, CXN_ONNX_HEAD_ANY, block, report, err);
    cxn_onnx_file_close(&onnx);
    return status;
}

enum cxn_status cxn_numbers_choose(const struct cxn_numbers *n, const char *mode,
                                   const struct cxn_engine **engine, struct cxn_error *err)
{
    if (*engine == &cxn_engine_int8 && n->only != &cxn_engine_int8)
        return cxn_fail(err, CXN_E_ARG, "%s: not quantised, has no mode int8: see chexnet quantize",
                        n->path);
    if (!n->only) return CXN_OK;
    if (strcmp(mode, "auto") != 0 && *engine != n->only)
        return cxn_fail(err, CXN_E_ARG, "%s: %s for mode %s, has no mode %s", n->path,
                        n->source.quantized ? "quantised" : "optimised", n->only->name, mode);
    *engine = n->only;
    return CXN_OK;
}
