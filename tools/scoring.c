/* SPDX-License-Identifier: Apache-2.0 */
#include "scoring.h"

#include <math.h>
#include <string.h>

#include <chexnet/cpu.h>

#include "json_out.h"

void list_modes(char *choices)
{
    struct cxn_cpu_mode mode;
    int n = snprintf(choices, CHOICES_BYTES, "auto");
    for (size_t i = 0; n < CHOICES_BYTES && cxn_cpu_mode_at(NULL, i, &mode) == CXN_OK; i++)
        n += snprintf(choices + n, (size_t)(CHOICES_BYTES - n), "|%s", mode.mode);
}

enum cxn_status open_model(const struct invocation *inv, cxn_context **ctx, cxn_model **model,
                           struct cxn_error *err)
{
    const enum cxn_status status = open_context(inv, ctx, err);
    if (status != CXN_OK) return status;
    return cxn_model_open(model, *ctx, inv->operands[0], opt_text(inv, "mode"), err);
}

void scoring_options(const struct invocation *inv, struct cxn_score_options *options)
{
    *options = (struct cxn_score_options){
        .crops = opt_text(inv, "crops"),
        .skip_bad = strcmp(opt_text(inv, "on-bad"), "skip") == 0,
        .out = opt_text(inv, "out"),
    };
}

void show_scored(struct progress *progress, const cxn_scores *so_far, size_t total,
                 const char *more)
{
    const size_t done = cxn_scores_count(so_far) + cxn_scores_skipped(so_far);
    progress_show(progress, done, total, (double)done / fmax(cxn_scores_seconds(so_far), 1e-9),
                  more);
}

void print_skipped(const cxn_scores *scores)
{
    const size_t skipped = cxn_scores_skipped(scores);
    if (skipped == 0) return;
    fprintf(stderr, "%zu of %zu images skipped:\n", skipped, skipped + cxn_scores_count(scores));
    for (size_t i = 0; i < skipped; i++)
        fprintf(stderr, "  %s\n", cxn_scores_skip_reason(scores, i));
}

json_t *skipped_json(const cxn_scores *scores)
{
    json_t *array = json_array();
    for (size_t i = 0; i < cxn_scores_skipped(scores); i++)
        json_array_append_new(array, json_text(cxn_scores_skip_reason(scores, i)));
    return array;
}
