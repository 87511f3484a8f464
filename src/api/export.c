/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/onnx.h>

#include <string.h>

#include "api/context.h"
#include "api/numbers.h"
#include "api/source_name.h"
#include "base/fpmode.h"
#include "onnx/write.h"

_Static_assert(sizeof ((struct cxn_export_result *)0)->source_sha256 == CXN_SHA256_HEX_BYTES,
               "digits");

/* One export at work. */
struct work {
    const struct cxn_env *env;
    cxn_net *net;
    struct cxn_numbers numbers;
    char source_name[CXN_SOURCE_NAME_BYTES], source_sha256[CXN_SHA256_HEX_BYTES];
};

static enum cxn_status load(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&w->net, &cxn_densenet121, w->env->mem, err);
    if (status == CXN_OK) status = cxn_numbers_open_trained(&w->numbers, w->env, w->net, path, err);
    if (status != CXN_OK) return status;
    if (w->numbers.onnx.open &&
        cxn_onnx_find_source(&w->numbers.onnx.model, w->source_name, w->source_sha256))
        return CXN_OK; /* ours: it was made from the same */
    cxn_source_name(path, w->source_name);
    return cxn_numbers_sha256(&w->numbers, w->source_sha256, err);
}

static enum cxn_status write_model(const struct work *w, const struct cxn_export_options *o,
                                   const char *out, struct cxn_export_result *result,
                                   struct cxn_error *err)
{
    const struct cxn_onnx_content content = {
        .net = w->net, .block = w->numbers.block, .batch = o->batch,
        .preprocessing = o->with_preprocessing != 0, .version = cxn_version(),
        .source_name = w->source_name, .source_sha256 = w->source_sha256
    };
    struct cxn_onnx_written written;
    const enum cxn_status status = cxn_onnx_write(out, &content, &written, err);
    if (status != CXN_OK || !result) return status;
    *result = (struct cxn_export_result){ .bytes = written.bytes, .nodes = written.nodes,
                                          .opset = CXN_ONNX_OPSET };
    memcpy(result->source_sha256, w->source_sha256, sizeof result->source_sha256);
    return CXN_OK;
}

static void work_close(struct work *w)
{
    cxn_numbers_close(&w->numbers);
    cxn_net_close(&w->net);
}

enum cxn_status cxn_export_onnx(cxn_context *ctx, const char *path,
                                const struct cxn_export_options *options, const char *out,
                                struct cxn_export_result *result, struct cxn_error *err)
{
    static const struct cxn_export_options usual = { 0 };
    const struct cxn_export_options *o = options ? options : &usual;
    if (!path || !out)
        return cxn_fail(err, CXN_E_ARG, "cxn_export_onnx: weights and a file are needed");
    if (o->batch > CXN_EXPORT_BATCH_MAX)
        return cxn_fail(err, CXN_E_ARG, "cxn_export_onnx: batch %u, at most %d", o->batch,
                        CXN_EXPORT_BATCH_MAX);
    struct work w = { .env = cxn_context_env(ctx) };
    fenv_t host;
    cxn_fpmode_enter(&host);
    enum cxn_status status = load(&w, path, err);
    if (status == CXN_OK) status = write_model(&w, o, out, result, err);
    work_close(&w);
    cxn_fpmode_leave(&host);
    return status;
}
