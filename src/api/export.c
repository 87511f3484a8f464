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
_Static_assert((int)CXN_EXPORT_BATCH_MAX == (int)CXN_ONNX_BATCH_MAX, "one limit on pictures");

/* One export at work. */
struct work {
    const struct cxn_env *env;
    cxn_net *net;
    struct cxn_numbers numbers;
    struct cxn_probe probe; /* of a quantised model */
    char source_name[CXN_SOURCE_NAME_BYTES], source_sha256[CXN_SHA256_HEX_BYTES];
};

/* A model of ours tells what it was made from. */
static enum cxn_status find_source(struct work *w, const char *path, struct cxn_error *err)
{
    if (w->numbers.onnx.open &&
        cxn_onnx_find_source(&w->numbers.onnx.model, w->source_name, w->source_sha256))
        return CXN_OK;
    cxn_source_name(path, w->source_name);
    return cxn_numbers_sha256(&w->numbers, w->source_sha256, err);
}

static enum cxn_status take_quantized(struct work *w, struct cxn_error *err)
{
    const struct cxn_derived_about *about = &w->numbers.derived->about;
    memcpy(w->source_name, about->source_name, sizeof w->source_name);
    memcpy(w->source_sha256, about->source_sha256, sizeof w->source_sha256);
    return cxn_derived_probe(w->numbers.derived, &w->probe, err);
}

static enum cxn_status load(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&w->net, &cxn_densenet121, w->env->mem, err);
    if (status == CXN_OK) status = cxn_numbers_open(&w->numbers, w->env, w->net, path, err);
    if (status != CXN_OK) return status;
    if (w->numbers.quantized) return take_quantized(w, err);
    status = cxn_numbers_want_trained(&w->numbers, err);
    return status == CXN_OK ? find_source(w, path, err) : status;
}

static struct cxn_quantized_content quantized_content(const struct work *w)
{
    const struct cxn_quantized_file *file = w->numbers.quantized;
    if (!file) return (struct cxn_quantized_content){ 0 };
    return (struct cxn_quantized_content){
        .derived = file->derived.about, .about = file->about, .quantized = file->quantized,
        .probe = &w->probe, .reference = file->derived.reference,
        .answers = file->derived.answers
    };
}

static enum cxn_status write_model(const struct work *w, const struct cxn_export_options *o,
                                   const char *out, struct cxn_export_result *result,
                                   struct cxn_error *err)
{
    const struct cxn_quantized_content quantized = quantized_content(w);
    const struct cxn_onnx_content content = {
        .net = w->net, .block = w->numbers.block,
        .quantized = w->numbers.quantized ? &quantized : NULL, .batch = o->batch,
        .preprocessing = o->with_preprocessing != 0, .version = cxn_version(),
        .source_name = w->source_name, .source_sha256 = w->source_sha256
    };
    struct cxn_onnx_written written;
    const enum cxn_status status = cxn_onnx_write(w->env, out, &content, &written, err);
    if (status == CXN_E_FORMAT) cxn_fail_in(err, status, w->numbers.path);
    if (status != CXN_OK || !result) return status;
    *result = (struct cxn_export_result){ .bytes = written.bytes, .nodes = written.nodes,
                                          .opset = CXN_ONNX_OPSET,
                                          .quantized = w->numbers.quantized != NULL };
    memcpy(result->source_sha256, w->source_sha256, sizeof result->source_sha256);
    return CXN_OK;
}

static void work_close(struct work *w)
{
    cxn_probe_close(&w->probe);
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
