/* SPDX-License-Identifier: Apache-2.0 */
#include "api/quantize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/source_name.h"
#include "base/fpmode.h"
#include "base/number.h"
#include "quant/engine.h"
#include "quant/quantized_file.h"

enum { ANSWERS = CXN_PROBE_VIEWS * CXN_FINDINGS };

_Static_assert(sizeof ((struct cxn_quantize_result *)0)->source_sha256 == CXN_SHA256_HEX_BYTES,
               "digits");

/* What the file has beside the 8-bit numbers. */
struct probing {
    struct cxn_probe probe;
    float reference[ANSWERS], answers[ANSWERS];
};

/* ---- what there is ------------------------------------------------------------------------ */

static enum cxn_status load_weights(struct cxn_quantize_work *w, const char *path,
                                    struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&w->net, &cxn_densenet121, w->env->mem, err);
    if (status == CXN_OK) status = cxn_fold_open(&w->fold, w->net, w->env->mem, err);
    if (status == CXN_OK)
        status = cxn_numbers_open_trained(&w->numbers, w->env, w->net, path, err);
    if (status == CXN_OK) status = cxn_numbers_sha256(&w->numbers, w->result.source_sha256, err);
    w->source = cxn_fold_source_block(w->fold, w->numbers.block);
    return status;
}

/* The file's hash, which the model will tell, is of the bytes that were read. */
static enum cxn_status read_calibration(struct cxn_quantize_work *w, struct cxn_error *err)
{
    const char *path = w->options->calibration;
    struct cxn_bytes bytes;
    enum cxn_status status =
        cxn_file_read(w->env->mem, path, CXN_CALIBRATION_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    cxn_sha256_hex(bytes.data, bytes.size, w->result.calibration_sha256);
    status = cxn_calibration_parse(&w->calibration, w->fold, w->env, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return cxn_fail_in(err, status, path);
}

static enum cxn_status load_calibration(struct cxn_quantize_work *w, const char *weights,
                                        struct cxn_error *err)
{
    const enum cxn_status status = read_calibration(w, err);
    if (status != CXN_OK) return status;
    w->result.method = cxn_calibration_method_name(w->calibration->method);
    w->result.calibrated = w->calibration->images;
    if (strcmp(w->calibration->model_sha256, w->result.source_sha256) == 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%s: the calibration of '%s' with SHA-256 %.8s..., but that "
                    "of %s is %.8s...", w->options->calibration, w->calibration->model_name,
                    w->calibration->model_sha256, weights, w->result.source_sha256);
}

/* ---- 8-bit numbers ------------------------------------------------------------------------ */

enum cxn_status cxn_quantize_again(struct cxn_quantize_work *w, struct cxn_error *err)
{
    cxn_quantized_close(&w->quantized);
    return cxn_quantized_make(&w->quantized, &w->source, w->calibration, w->two_parts,
                              w->env->mem, err);
}

static enum cxn_status draw(const struct cxn_quantize_work *w, struct probing *p,
                            struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = w->net, .block = w->numbers.block };
    const enum cxn_status status = cxn_probe_draw(&p->probe, w->env, err);
    if (status != CXN_OK) return status;
    return cxn_probe_ask(&p->probe, &cxn_engine_reference, &source, w->env, p->reference, err);
}

static enum cxn_status judge(struct cxn_quantize_work *w, const struct probing *p,
                             struct cxn_error *err)
{
    const struct cxn_probe_difference d =
        cxn_probe_compare(p->answers, p->reference, CXN_FINDINGS);
    double sum = 0.0;
    for (size_t i = 0; i < ANSWERS; i++) {
        const double change = (double)p->answers[i] - (double)p->reference[i];
        sum += change * change;
    }
    w->result.difference = d.most;
    w->result.rms = sqrt(sum / ANSWERS);
    w->result.bound = cxn_engine_int8.bound;
    w->result.level = cxn_engine_int8.level(w->env->cpu);
    if (d.most <= cxn_engine_int8.bound) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "mode int8 differs from mode reference by %.3g in %s of the "
                    "probe, at most %g", d.most, cxn_finding_name((int)d.finding),
                    cxn_engine_int8.bound);
}

static enum cxn_status ask(struct cxn_quantize_work *w, struct probing *p, struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = w->net, .quantized = w->quantized };
    const enum cxn_status status =
        cxn_probe_ask(&p->probe, &cxn_engine_int8, &source, w->env, p->answers, err);
    return status == CXN_OK ? judge(w, p, err) : status;
}

/* ---- the call ----------------------------------------------------------------------------- */

static enum cxn_status make(struct cxn_quantize_work *w, struct probing *p, const char *path,
                            struct cxn_error *err)
{
    enum cxn_status status = draw(w, p, err);
    if (status == CXN_OK) status = cxn_quantize_again(w, err);
    if (status == CXN_OK) status = ask(w, p, err);
    if (status == CXN_E_FORMAT) cxn_fail_in(err, status, path);
    if (status != CXN_OK || !w->options->list) return status;
    status = cxn_quantize_gate(w, err);
    if (status == CXN_OK && w->result.round_count > 1) status = ask(w, p, err);
    return status;
}

static enum cxn_status write_model(const struct cxn_quantize_work *w, const struct probing *p,
                                   const char *path, struct cxn_error *err)
{
    const struct cxn_quantize_result *r = &w->result;
    struct cxn_quantized_content content = {
        .about = { .method = w->calibration->method, .images = w->calibration->images },
        .quantized = w->quantized, .probe = &p->probe, .reference = p->reference,
        .answers = p->answers
    };
    cxn_source_name(path, content.derived.source_name);
    snprintf(content.derived.version, sizeof content.derived.version, "%s", cxn_version());
    snprintf(content.derived.level, sizeof content.derived.level, "%s", r->level);
    memcpy(content.derived.source_sha256, r->source_sha256, sizeof r->source_sha256);
    memcpy(content.about.calibration_sha256, r->calibration_sha256, sizeof r->calibration_sha256);
    if (r->round_count > 0)
        cxn_double_print(content.about.auc_drop, r->rounds[r->round_count - 1].drop);
    return cxn_quantized_write(w->env, w->options->out, &content, err);
}

static enum cxn_status tell(struct cxn_quantize_work *w, struct cxn_quantize_result *result,
                            struct cxn_error *err)
{
    struct cxn_file_stamp stamp;
    const enum cxn_status status = cxn_file_stamp(w->options->out, &stamp, err);
    if (status != CXN_OK || !result) return status;
    w->result.bytes = stamp.size_bytes;
    *result = w->result;
    return CXN_OK;
}

static void work_close(struct cxn_quantize_work *w)
{
    cxn_quantized_close(&w->quantized);
    cxn_calibration_close(&w->calibration);
    cxn_fold_close(&w->fold);
    cxn_net_close(&w->net);
    cxn_numbers_close(&w->numbers);
}

static enum cxn_status check_options(const struct cxn_quantize_options *o, struct cxn_error *err)
{
    if (!o || !o->calibration || !o->out)
        return cxn_fail(err, CXN_E_ARG, "cxn_quantize: a calibration and a file are needed");
    if (o->list && (!o->images || o->image_count == 0))
        return cxn_fail(err, CXN_E_ARG, "cxn_quantize: a list without images");
    if (o->list && !(o->max_auc_drop >= -1 && o->max_auc_drop <= 1))
        return cxn_fail(err, CXN_E_ARG, "a drop of the mean AUC of at most %g, expected -1 to 1",
                        o->max_auc_drop);
    return CXN_OK;
}

enum cxn_status cxn_quantize(cxn_context *ctx, const char *path,
                             const struct cxn_quantize_options *options,
                             struct cxn_quantize_result *result, struct cxn_error *err)
{
    enum cxn_status status = path ? check_options(options, err)
                                  : cxn_fail(err, CXN_E_ARG, "cxn_quantize: weights are needed");
    if (status != CXN_OK) return status;
    struct cxn_quantize_work w = { .env = cxn_context_env(ctx), .options = options };
    struct probing probing = { .reference = { 0 } };
    fenv_t host;
    cxn_fpmode_enter(&host);
    status = load_weights(&w, path, err);
    if (status == CXN_OK) status = load_calibration(&w, path, err);
    if (status == CXN_OK) status = make(&w, &probing, path, err);
    if (status == CXN_OK) status = write_model(&w, &probing, path, err);
    if (status == CXN_OK) status = tell(&w, result, err);
    cxn_probe_close(&probing.probe);
    work_close(&w);
    cxn_fpmode_leave(&host);
    return status;
}
