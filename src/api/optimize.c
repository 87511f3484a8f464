/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/optimize.h>

#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/numbers.h"
#include "api/source_name.h"
#include "base/fpmode.h"
#include "fuse/optimized.h"

_Static_assert(sizeof ((struct cxn_optimize_result *)0)->source_sha256 == CXN_SHA256_HEX_BYTES,
               "digits");

/* One optimisation at work. */
struct work {
    const struct cxn_env *env;
    const struct cxn_engine *engine;
    struct cxn_numbers numbers;
    cxn_net *net;
    cxn_fold *fold;
    struct cxn_probe probe;
    float reference[CXN_PROBE_VIEWS * CXN_FINDINGS], answers[CXN_PROBE_VIEWS * CXN_FINDINGS];
    struct cxn_derived_about about;
    enum cxn_precision precision;
};

static enum cxn_status load(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&w->net, &cxn_densenet121, w->env->mem, err);
    if (status == CXN_OK) status = cxn_fold_open(&w->fold, w->net, w->env->mem, err);
    if (status == CXN_OK)
        status = cxn_numbers_open_trained(&w->numbers, w->env, w->net, path, err);
    return status == CXN_OK
        ? cxn_numbers_sha256(&w->numbers, w->about.source_sha256, err) : status;
}

static enum cxn_status ask(struct work *w, const char *path, struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = w->net, .block = w->numbers.block };
    enum cxn_status status = cxn_probe_draw(&w->probe, w->env, err);
    if (status == CXN_OK)
        status = cxn_probe_ask(&w->probe, &cxn_engine_reference, &source, w->env, w->reference,
                               err);
    if (status == CXN_OK)
        status = cxn_probe_ask(&w->probe, w->engine, &source, w->env, w->answers, err);
    if (status != CXN_OK) return status == CXN_E_FORMAT ? cxn_fail_in(err, status, path) : status;
    const struct cxn_probe_difference d =
        cxn_probe_compare(w->answers, w->reference, CXN_FINDINGS);
    if (d.most <= w->engine->bound) return CXN_OK;
    return cxn_fail_in(err, cxn_fail(err, CXN_E_FORMAT, "mode %s differs from mode reference by "
                                     "%.3g in %s of the probe, at most %g", w->engine->name,
                                     d.most, cxn_finding_name((int)d.finding), w->engine->bound),
                       path);
}

static enum cxn_status write_model(const struct work *w, const char *path, const char *out,
                                   struct cxn_error *err)
{
    const struct cxn_fold_source source = cxn_fold_source_block(w->fold, w->numbers.block);
    const struct cxn_optimized_content content = { .about = w->about,
                                                   .precision = w->precision, .source = &source,
                                                   .probe = &w->probe, .reference = w->reference,
                                                   .answers = w->answers };
    const enum cxn_status status = cxn_optimized_write(w->env, out, &content, err);
    return status == CXN_E_FORMAT ? cxn_fail_in(err, status, path) : status;
}

static enum cxn_status tell(const struct work *w, const char *out,
                            struct cxn_optimize_result *result, struct cxn_error *err)
{
    struct cxn_file_stamp stamp;
    const enum cxn_status status = cxn_file_stamp(out, &stamp, err);
    if (status != CXN_OK || !result) return status;
    *result = (struct cxn_optimize_result){
        .bytes = stamp.size_bytes, .bound = w->engine->bound,
        .difference = cxn_probe_compare(w->answers, w->reference, CXN_FINDINGS).most,
        .level = w->engine->level(w->env->cpu)
    };
    memcpy(result->source_sha256, w->about.source_sha256, sizeof result->source_sha256);
    return CXN_OK;
}

static void work_close(struct work *w)
{
    cxn_probe_close(&w->probe);
    cxn_fold_close(&w->fold);
    cxn_net_close(&w->net);
    cxn_numbers_close(&w->numbers);
}

enum cxn_status cxn_optimize(cxn_context *ctx, const char *path, const char *precision,
                             const char *out, struct cxn_optimize_result *result,
                             struct cxn_error *err)
{
    if (!path || !precision || !out)
        return cxn_fail(err, CXN_E_ARG, "cxn_optimize: weights, a precision and a file are needed");
    struct work w = { .env = cxn_context_env(ctx) };
    enum cxn_status status = cxn_precision_parse(precision, &w.precision, err);
    if (status != CXN_OK) return status;
    w.engine = cxn_precision_engine(w.precision);
    cxn_source_name(path, w.about.source_name);
    snprintf(w.about.version, sizeof w.about.version, "%s", cxn_version());
    snprintf(w.about.level, sizeof w.about.level, "%s", w.engine->level(w.env->cpu));
    fenv_t host;
    cxn_fpmode_enter(&host);
    status = load(&w, path, err);
    if (status == CXN_OK) status = ask(&w, path, err);
    if (status == CXN_OK) status = write_model(&w, path, out, err);
    if (status == CXN_OK) status = tell(&w, out, result, err);
    work_close(&w);
    cxn_fpmode_leave(&host);
    return status;
}
