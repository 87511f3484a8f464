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

static enum cxn_status open_quantized(struct cxn_numbers *n, struct cxn_error *err)
{
    const enum cxn_status status =
        cxn_quantized_read(&n->quantized, n->fold, &n->file.list, &n->file.source, err);
    if (status != CXN_OK) return status;
    n->source.quantized = n->quantized.quantized;
    n->derived = &n->quantized.derived;
    n->only = &cxn_engine_int8;
    return CXN_OK;
}

static enum cxn_status open_derived(struct cxn_numbers *n, const cxn_net *net,
                                    struct cxn_mem *mem, struct cxn_error *err)
{
    enum cxn_status status = cxn_fold_open(&n->fold, net, mem, err);
    if (status == CXN_OK)
        status = cxn_quantized_is(&n->file.list) ? open_quantized(n, err) : open_optimized(n, err);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, n->file.path);
}

enum cxn_status cxn_numbers_open(struct cxn_numbers *n, const struct cxn_env *env,
                                 const cxn_net *net, const char *path, struct cxn_error *err)
{
    *n = (struct cxn_numbers){ .source = { .net = net } };
    enum cxn_status status = cxn_weights_file_open(&n->file, env->mem, path, err);
    if (status != CXN_OK) return status;
    if (cxn_derived_is(&n->file.list)) return open_derived(n, net, env->mem, err);
    status = cxn_weights_file_load(env, &n->file, net, &n->block, NULL, err);
    n->source.block = n->block;
    return status;
}

void cxn_numbers_close(struct cxn_numbers *n)
{
    cxn_quantized_file_close(&n->quantized);
    cxn_optimized_close(&n->optimized);
    cxn_fold_close(&n->fold);
    cxn_free(n->block);
    cxn_weights_file_close(&n->file);
}

enum cxn_status cxn_numbers_choose(const struct cxn_numbers *n, const char *mode,
                                   const struct cxn_engine **engine, struct cxn_error *err)
{
    if (*engine == &cxn_engine_int8 && n->only != &cxn_engine_int8)
        return cxn_fail(err, CXN_E_ARG, "%s: not quantised, has no mode int8: see chexnet quantize",
                        n->file.path);
    if (!n->only) return CXN_OK;
    if (strcmp(mode, "auto") != 0 && *engine != n->only)
        return cxn_fail(err, CXN_E_ARG, "%s: %s for mode %s, has no mode %s", n->file.path,
                        n->source.quantized ? "quantised" : "optimised", n->only->name, mode);
    *engine = n->only;
    return CXN_OK;
}
