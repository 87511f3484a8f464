/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/auc.h"

#include <math.h>
#include <string.h>

#include "eval/ranking.h"

enum cxn_status cxn_eval_check(const struct cxn_eval_set *set, struct cxn_error *err)
{
    if (set->images < 1 || set->images > INT32_MAX)
        return cxn_fail(err, CXN_E_ARG, "AUC of %zu images, expected 1..%d", set->images,
                        INT32_MAX);
    if (set->findings < 1 || set->findings > CXN_EVAL_FINDINGS_MAX)
        return cxn_fail(err, CXN_E_ARG, "AUC of %zu findings, expected 1..%d", set->findings,
                        CXN_EVAL_FINDINGS_MAX);
    for (size_t i = 0; i < set->images; i++) {
        if ((uint32_t)set->labels[i] >> set->findings)
            return cxn_fail(err, CXN_E_ARG, "image %zu: label bits beyond %zu findings", i,
                            set->findings);
        for (size_t f = 0; f < set->findings; f++)
            if (isnan(set->scores[i * set->findings + f]))
                return cxn_fail(err, CXN_E_FORMAT, "image %zu, finding %zu (from 0): score is NaN",
                                i, f);
    }
    return CXN_OK;
}

/* Youden's threshold; both classes are there. */
static double find_threshold(const struct cxn_eval_set *set, size_t finding, const uint32_t *order,
                             const struct cxn_components *c)
{
    /* sensitivity + specificity - 1, times positives * negatives: exact in 64 bits */
    int64_t best = -1, below_positives = 0, below_negatives = 0;
    const int64_t positives = (int64_t)c->positives, negatives = (int64_t)c->negatives;
    double threshold = NAN;
    for (size_t at = 0; at < set->images; at++) {
        const uint32_t image = cxn_rank_image(order[at]);
        const int64_t found = positives - below_positives, alarms = negatives - below_negatives;
        const int64_t index = found * negatives - alarms * positives;
        if (order[at] & CXN_RANK_NEW && index >= best) {
            best = index;
            threshold = (double)set->scores[image * set->findings + finding];
        }
        if (cxn_is_positive(set, image, finding)) below_positives++;
        else below_negatives++;
    }
    return threshold;
}

static double sum_squares(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* Scratch of cxn_auc_delong(), each as long as there are images. */
struct work {
    double *component, *total; /* total: components summed over the findings of the mean */
    uint32_t *order, *scratch;
};

static struct cxn_eval_auc make_finding(const struct cxn_eval_set *set, size_t finding,
                                        const struct work *w)
{
    struct cxn_components c = { .component = w->component };
    cxn_ranking_make(set, finding, w->order, w->scratch);
    cxn_components_make(set, finding, w->order, &c);
    struct cxn_eval_auc out = { .auc = cxn_figure_bare(c.auc),
                                .positives = c.positives,
                                .threshold = NAN };
    if (!out.auc.defined) return out;
    out.threshold = find_threshold(set, finding, w->order, &c);
    if (cxn_components_bounded(&c))
        out.auc = cxn_figure_normal(c.auc, sum_squares(c.component, set->images), 0);
    for (size_t i = 0; i < set->images; i++) w->total[i] += c.component[i];
    return out;
}

static struct cxn_eval_figure make_mean(const struct cxn_eval_table *aucs, size_t findings,
                                        const double *total, size_t images)
{
    double sum = 0;
    bool bounded = true;
    for (size_t f = 0; f < findings; f++) {
        const struct cxn_eval_figure *auc = &aucs->finding[f].auc;
        if (!auc->defined) continue;
        sum += auc->value;
        bounded = bounded && auc->bounded;
    }
    const double count = (double)aucs->mean_of;
    if (aucs->mean_of == 0) return cxn_figure_bare(NAN);
    if (!bounded) return cxn_figure_bare(sum / count);
    return cxn_figure_normal(sum / count, sum_squares(total, images) / (count * count), 0);
}

enum cxn_status cxn_auc_delong(const struct cxn_env *env, const struct cxn_eval_set *set,
                               struct cxn_eval_table *out, struct cxn_error *err)
{
    const size_t image_bytes = 2 * sizeof(double) + 2 * sizeof(uint32_t);
    memset(out, 0, sizeof *out);
    const enum cxn_status status = cxn_eval_check(set, err);
    if (status != CXN_OK) return status;
    const size_t n = set->images;
    double *block = cxn_alloc_zero(env->mem, n, image_bytes);
    if (!block) return cxn_fail_nomem(err, env->mem, n * image_bytes, "the AUC");
    const struct work w = { .component = block,
                            .total = block + n,
                            .order = (uint32_t *)(block + 2 * n),
                            .scratch = (uint32_t *)(block + 2 * n) + n };
    for (size_t f = 0; f < set->findings; f++) {
        out->finding[f] = make_finding(set, f, &w);
        if (out->finding[f].auc.defined) out->mean_of++;
    }
    out->mean = make_mean(out, set->findings, w.total, n);
    cxn_free(block);
    return CXN_OK;
}
