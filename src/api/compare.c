/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/context.h"
#include "api/figures.h"
#include "api/lists.h"
#include "base/fpmode.h"
#include "data/predictions.h"

_Static_assert(CXN_FINDINGS == CXN_FINDING_COUNT, "rows of predictions are rows of an eval set");

/* The files read, and their rows brought into the list's order. */
struct comparison {
    const struct cxn_compare_files *files;
    cxn_entries *entries;
    cxn_list *list;
    cxn_predictions *a, *b;
    float *scores;    /* [2][images][CXN_FINDINGS] */
    uint16_t *labels; /* [images] */
};

static enum cxn_status open_files(struct comparison *c, const struct cxn_env *env,
                                  struct cxn_error *err)
{
    const struct cxn_compare_files *f = c->files;
    enum cxn_status status = CXN_OK;
    if (f->entries) status = cxn_entries_open(&c->entries, env, f->entries, err);
    if (status == CXN_OK)
        status = cxn_labelled_list_open(&c->list, env, f->list, c->entries, err);
    if (status == CXN_OK) status = cxn_predictions_open(&c->a, env, f->a, err);
    if (status == CXN_OK) status = cxn_predictions_open(&c->b, env, f->b, err);
    return status;
}

static enum cxn_status check_same_images(const cxn_predictions *whole, const char *whole_path,
                                         const cxn_predictions *part, const char *part_path,
                                         struct cxn_error *err)
{
    for (size_t i = 0; i < whole->count; i++)
        if (cxn_predictions_find(part, whole->names[i]) == SIZE_MAX)
            return cxn_fail(err, CXN_E_FORMAT, "%s: no image '%s', which is in %s", part_path,
                            whole->names[i], whole_path);
    return CXN_OK;
}

static enum cxn_status gather_scores(const struct comparison *c, const cxn_predictions *from,
                                     const char *path, float *scores, struct cxn_error *err)
{
    for (size_t i = 0; i < c->list->count; i++) {
        const char *name = c->list->items[i].name;
        const size_t row = cxn_predictions_find(from, name);
        if (row == SIZE_MAX)
            return cxn_fail(err, CXN_E_FORMAT, "%s: no image '%s', which is in %s", path, name,
                            c->files->list);
        memcpy(scores + i * CXN_FINDINGS, from->scores + row * CXN_FINDINGS,
               CXN_FINDINGS * sizeof *scores);
        c->labels[i] = c->list->items[i].labels;
    }
    return CXN_OK;
}

static struct cxn_auc_difference copy_difference(const struct cxn_eval_difference *d)
{
    return (struct cxn_auc_difference){ .a = d->a, .b = d->b,
                                        .difference = cxn_estimate_of(&d->difference),
                                        .z = d->z, .p = d->p, .positives = d->positives };
}

static void copy_comparison(const struct cxn_eval_comparison *from, struct cxn_auc_comparison *to)
{
    for (int f = 0; f < CXN_FINDINGS; f++) to->finding[f] = copy_difference(&from->finding[f]);
    to->mean = copy_difference(&from->mean);
    to->mean_of = from->mean_of;
}

static enum cxn_status run(struct comparison *c, const struct cxn_env *env,
                           struct cxn_auc_comparison *out, struct cxn_error *err)
{
    const struct cxn_compare_files *f = c->files;
    enum cxn_status status = open_files(c, env, err);
    if (status == CXN_OK) status = check_same_images(c->a, f->a, c->b, f->b, err);
    if (status == CXN_OK) status = check_same_images(c->b, f->b, c->a, f->a, err);
    if (status != CXN_OK) return status;
    const size_t n = c->list->count;
    const size_t row_bytes = 2 * CXN_FINDINGS * sizeof *c->scores + sizeof *c->labels;
    c->scores = cxn_alloc(env->mem, n, row_bytes);
    if (!c->scores) return cxn_fail_nomem(err, env->mem, n * row_bytes, "the scores");
    float *scores_b = c->scores + n * CXN_FINDINGS;
    c->labels = (uint16_t *)(void *)(scores_b + n * CXN_FINDINGS);
    status = gather_scores(c, c->a, f->a, c->scores, err);
    if (status == CXN_OK) status = gather_scores(c, c->b, f->b, scores_b, err);
    const struct cxn_eval_set set = { .images = n,
                                      .findings = CXN_FINDINGS,
                                      .scores = c->scores,
                                      .labels = c->labels };
    struct cxn_eval_comparison result;
    if (status == CXN_OK) status = cxn_auc_compare(env, &set, scores_b, &result, err);
    if (status != CXN_OK) return status;
    copy_comparison(&result, out);
    out->images = n;
    out->left_out = c->a->count - n;
    return CXN_OK;
}

enum cxn_status cxn_compare(cxn_context *ctx, const struct cxn_compare_files *files,
                            struct cxn_auc_comparison *comparison, struct cxn_error *err)
{
    if (!files || !files->a || !files->b || !files->list || !comparison)
        return cxn_fail(err, CXN_E_ARG, "cxn_compare: two predictions and a list are needed");
    struct comparison c = { .files = files };
    fenv_t host;
    cxn_fpmode_enter(&host);
    const enum cxn_status status = run(&c, cxn_context_env(ctx), comparison, err);
    cxn_fpmode_leave(&host);
    cxn_free(c.scores);
    cxn_predictions_close(&c.b);
    cxn_predictions_close(&c.a);
    cxn_list_close(&c.list);
    cxn_entries_close(&c.entries);
    return status;
}
