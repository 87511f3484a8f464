/* SPDX-License-Identifier: Apache-2.0 */
/* The probe picture of a model at every level that this CPU has. */
#include <chexnet/optimize.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/engines.h"
#include "api/numbers.h"
#include "base/clock.h"
#include "base/fpmode.h"
#include "cpu/cpu.h"

enum { ANSWERS = CXN_PROBE_VIEWS * CXN_FINDINGS };

_Static_assert(sizeof ((struct cxn_selftest_result *)0)->source_sha256 == CXN_SHA256_HEX_BYTES &&
                   sizeof ((struct cxn_selftest_result *)0)->source_name == CXN_SOURCE_NAME_BYTES,
               "the same sizes");

struct test {
    const struct cxn_env *env;
    struct cxn_numbers numbers;
    cxn_net *net;
    struct cxn_probe probe;
    float drawn[ANSWERS];    /* mode reference's, where the file has none */
    const float *reference;  /* what every row is compared with */
    const float *stored;     /* of the file's own mode; NULL: none */
    double stored_bound;     /* the most that answers may differ from those */
    struct cxn_selftest_result *result;
};

/* The first feature that the level needs and this machine, or the level asked for, withholds. */
static void explain(size_t level, uint32_t cpu, char text[CXN_CPU_TEXT_BYTES])
{
    struct cxn_cpu_registers registers;
    struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
    cxn_cpu_read(&registers);
    const uint32_t machine = cxn_cpu_decide(&registers, verdicts);
    const uint32_t lacks = cxn_cpu_level_lacks(level, machine);
    snprintf(text, CXN_CPU_TEXT_BYTES, "above level %s, as asked for", cxn_cpu_level(cpu));
    for (size_t i = 0; i < CXN_CPU_FEATURES; i++) {
        if ((verdicts[i].bit & lacks) == 0) continue;
        snprintf(text, CXN_CPU_TEXT_BYTES, "no %s", verdicts[i].name);
        return;
    }
}

static enum cxn_status run_row(const struct test *t, const struct cxn_engine *engine,
                               struct cxn_selftest_row *row, struct cxn_error *err)
{
    struct cxn_env env = *t->env;
    float answers[ANSWERS];
    enum cxn_status status = cxn_cpu_limit(t->env->cpu, row->level, &env.cpu, err);
    if (status != CXN_OK) return status;
    const double started = cxn_clock_seconds();
    status = cxn_probe_ask(&t->probe, engine, &t->numbers.source, &env, answers, err);
    if (status != CXN_OK) return status;
    const struct cxn_probe_difference d = cxn_probe_compare(answers, t->reference, CXN_FINDINGS);
    row->seconds = cxn_clock_seconds() - started;
    row->kernels = engine->level(env.cpu);
    row->difference = d.most;
    row->finding = cxn_finding_name((int)d.finding);
    row->stored_difference =
        t->stored ? cxn_probe_compare(answers, t->stored, CXN_FINDINGS).most : NAN;
    row->stored_bound = t->stored ? t->stored_bound : NAN;
    row->passed = d.most <= row->bound && !(row->stored_difference > t->stored_bound);
    return CXN_OK;
}

static enum cxn_status add_row(struct test *t, const struct cxn_engine *engine, size_t level,
                               struct cxn_error *err)
{
    struct cxn_selftest_result *result = t->result;
    struct cxn_selftest_row *row = &result->rows[result->row_count];
    if (result->row_count == CXN_SELFTEST_ROWS_MAX)
        return cxn_fail(err, CXN_E_INTERNAL, "more than %d rows", CXN_SELFTEST_ROWS_MAX);
    *row = (struct cxn_selftest_row){ .mode = engine->name, .level = cxn_cpu_level_name(level),
                                      .bound = engine->bound, .difference = NAN,
                                      .stored_difference = NAN, .stored_bound = NAN };
    result->row_count++;
    if (cxn_cpu_level_lacks(level, t->env->cpu) != 0) {
        explain(level, t->env->cpu, row->skipped);
        result->skipped++;
        return CXN_OK;
    }
    const enum cxn_status status = run_row(t, engine, row, err);
    if (status != CXN_OK) return status;
    if (row->passed) result->passed++;
    else result->failed++;
    return CXN_OK;
}

/* Mode reference computes the same at every level. */
static enum cxn_status add_engine(struct test *t, const struct cxn_engine *engine,
                                  struct cxn_error *err)
{
    enum cxn_status status = add_row(t, engine, 0, err);
    if (engine == &cxn_engine_reference) return status;
    for (size_t i = 1; status == CXN_OK && cxn_cpu_level_name(i); i++)
        status = add_row(t, engine, i, err);
    return status;
}

/* A quantised model is integers: every level gives the stored bits. */
static enum cxn_status test_derived(struct test *t, struct cxn_error *err)
{
    const struct cxn_derived *d = t->numbers.derived;
    struct cxn_selftest_result *r = t->result;
    r->quantized = t->numbers.source.quantized != NULL;
    r->optimized = !r->quantized;
    memcpy(r->source_sha256, d->about.source_sha256, sizeof r->source_sha256);
    memcpy(r->source_name, d->about.source_name, sizeof r->source_name);
    t->reference = d->reference;
    t->stored = d->answers;
    t->stored_bound = r->quantized ? 0.0 : t->numbers.only->bound;
    const enum cxn_status status = cxn_derived_probe(d, &t->probe, err);
    return status == CXN_OK ? add_engine(t, t->numbers.only, err) : status;
}

static enum cxn_status test_weights(struct test *t, struct cxn_error *err)
{
    const struct cxn_engine *engine;
    enum cxn_status status = cxn_probe_draw(&t->probe, t->env, err);
    if (status == CXN_OK)
        status = cxn_probe_ask(&t->probe, &cxn_engine_reference, &t->numbers.source, t->env,
                               t->drawn, err);
    t->reference = t->drawn;
    for (size_t i = 0; status == CXN_OK && (engine = cxn_engine_of_weights(i)); i++)
        status = add_engine(t, engine, err);
    return status;
}

static enum cxn_status run_test(struct test *t, const char *path, struct cxn_error *err)
{
    enum cxn_status status = cxn_net_open(&t->net, &cxn_densenet121, t->env->mem, err);
    if (status != CXN_OK) return status;
    status = cxn_numbers_open(&t->numbers, t->env, t->net, path, err);
    if (status == CXN_OK) {
        status = t->numbers.derived ? test_derived(t, err) : test_weights(t, err);
        if (status == CXN_E_FORMAT) cxn_fail_in(err, status, path);
    }
    cxn_probe_close(&t->probe);
    cxn_numbers_close(&t->numbers);
    cxn_net_close(&t->net);
    return status;
}

enum cxn_status cxn_selftest(cxn_context *ctx, const char *path,
                             struct cxn_selftest_result *result, struct cxn_error *err)
{
    if (!path || !result)
        return cxn_fail(err, CXN_E_ARG, "cxn_selftest: a model and a place for the result are "
                                        "needed");
    *result = (struct cxn_selftest_result){ .views = CXN_PROBE_VIEWS };
    struct test t = { .env = cxn_context_env(ctx), .result = result };
    fenv_t host;
    cxn_fpmode_enter(&host);
    const enum cxn_status status = run_test(&t, path, err);
    cxn_fpmode_leave(&host);
    return status;
}
