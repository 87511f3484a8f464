/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/eval.h>

#include <stdbool.h>
#include <string.h>

#include "api/context.h"
#include "api/figures.h"
#include "base/fpmode.h"

enum { RESAMPLES_DEFAULT = 1000 };

struct cxn_estimate cxn_estimate_of(const struct cxn_eval_figure *figure)
{
    return (struct cxn_estimate){ .value = figure->value, .lo = figure->lo, .hi = figure->hi,
                                  .defined = figure->defined, .bounded = figure->bounded };
}

static void copy_table(const struct cxn_eval_table *from, size_t images, struct cxn_auc_table *to)
{
    for (int f = 0; f < CXN_FINDINGS; f++)
        to->finding[f] = (struct cxn_finding_auc){ .auc = cxn_estimate_of(&from->finding[f].auc),
                                                   .threshold = from->finding[f].threshold,
                                                   .positives = from->finding[f].positives };
    to->mean = cxn_estimate_of(&from->mean);
    to->mean_of = from->mean_of;
    to->images = images;
}

enum cxn_status cxn_auc_compute(cxn_context *ctx, const struct cxn_auc_input *input,
                                const struct cxn_auc_options *options, struct cxn_auc_table *table,
                                struct cxn_error *err)
{
    static const struct cxn_auc_options defaults;
    const struct cxn_env *env = cxn_context_env(ctx);
    if (!input || !table || !input->scores || !input->labels)
        return cxn_fail(err, CXN_E_ARG, "cxn_auc_compute: scores, labels and a table are needed");
    if (!options) options = &defaults;
    const char *ci = options->ci ? options->ci : "delong";
    const bool bootstrap = strcmp(ci, "patient-bootstrap") == 0;
    if (!bootstrap && strcmp(ci, "delong") != 0)
        return cxn_fail(err, CXN_E_ARG, "interval '%s', expected delong or patient-bootstrap", ci);
    const struct cxn_eval_set set = { .images = input->images,
                                      .findings = CXN_FINDINGS,
                                      .scores = input->scores,
                                      .labels = input->labels,
                                      .patients = input->patients };
    const size_t resamples = options->resamples ? options->resamples : RESAMPLES_DEFAULT;
    struct cxn_eval_table aucs;
    fenv_t host;
    cxn_fpmode_enter(&host);
    enum cxn_status status = cxn_auc_delong(env, &set, &aucs, err);
    if (status == CXN_OK && bootstrap)
        status = cxn_auc_bootstrap(env, &set, resamples, options->seed, &aucs, err);
    cxn_fpmode_leave(&host);
    if (status == CXN_OK) copy_table(&aucs, input->images, table);
    return status;
}
