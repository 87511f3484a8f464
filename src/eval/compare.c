/* SPDX-License-Identifier: Apache-2.0 */
/* The paired test of DeLong, DeLong and Clarke-Pearson 1988. */
#include <math.h>
#include <string.h>

#include "eval/ranking.h"

/* Scratch, each as long as there are images. */
struct work {
    double *a, *b; /* components of the finding in hand */
    double *total; /* differences summed over the findings of the mean */
    uint32_t *order, *scratch;
};

static struct cxn_eval_difference test_difference(double a, double b, double variance)
{
    struct cxn_eval_difference d = { .a = a, .b = b, .z = NAN, .p = NAN };
    const double difference = b - a;
    d.difference = cxn_figure_bare(difference);
    if (variance == 0 && difference != 0) return d; /* too few images to say how sure it is */
    d.difference = cxn_figure_normal(difference, variance, -1);
    d.z = difference == 0 ? 0 : difference / sqrt(variance);
    d.p = erfc(fabs(d.z) / sqrt(2));
    return d;
}

static struct cxn_eval_difference leave_untested(double a, double b)
{
    return (struct cxn_eval_difference){
        .a = a, .b = b, .difference = cxn_figure_bare(b - a), .z = NAN, .p = NAN
    };
}

static struct cxn_components make_components(const struct cxn_eval_set *set, size_t finding,
                                             const struct work *w, double *component)
{
    struct cxn_components c = { .component = component };
    cxn_ranking_make(set, finding, w->order, w->scratch);
    cxn_components_make(set, finding, w->order, &c);
    return c;
}

/* *bounded becomes false where the mean can have no interval because of this finding. */
static struct cxn_eval_difference compare_finding(const struct cxn_eval_set *set_a,
                                                  const struct cxn_eval_set *set_b, size_t finding,
                                                  const struct work *w, bool *bounded)
{
    const struct cxn_components a = make_components(set_a, finding, w, w->a);
    const struct cxn_components b = make_components(set_b, finding, w, w->b);
    struct cxn_eval_difference d = leave_untested(a.auc, b.auc);
    d.positives = a.positives;
    if (!d.difference.defined) return d;
    double variance = 0;
    for (size_t i = 0; i < set_a->images; i++) {
        const double difference = w->b[i] - w->a[i];
        w->total[i] += difference;
        variance += difference * difference;
    }
    if (cxn_components_bounded(&a)) d = test_difference(a.auc, b.auc, variance);
    else *bounded = false;
    d.positives = a.positives;
    return d;
}

static void compare_all(const struct cxn_eval_set *a, const struct cxn_eval_set *b,
                        const struct work *w, struct cxn_eval_comparison *out)
{
    double sum_a = 0, sum_b = 0, variance = 0;
    bool bounded = true;
    for (size_t f = 0; f < a->findings; f++) {
        struct cxn_eval_difference *d = &out->finding[f];
        *d = compare_finding(a, b, f, w, &bounded);
        if (!d->difference.defined) continue;
        sum_a += d->a;
        sum_b += d->b;
        out->mean_of++;
    }
    const double count = (double)out->mean_of;
    for (size_t i = 0; i < a->images; i++) variance += w->total[i] * w->total[i];
    if (out->mean_of == 0) out->mean = leave_untested(NAN, NAN);
    else if (!bounded) out->mean = leave_untested(sum_a / count, sum_b / count);
    else out->mean = test_difference(sum_a / count, sum_b / count, variance / (count * count));
}

enum cxn_status cxn_auc_compare(const struct cxn_env *env, const struct cxn_eval_set *set,
                                const float *scores_b, struct cxn_eval_comparison *out,
                                struct cxn_error *err)
{
    const size_t image_bytes = 3 * sizeof(double) + 2 * sizeof(uint32_t);
    struct cxn_eval_set set_b = *set;
    set_b.scores = scores_b;
    memset(out, 0, sizeof *out);
    enum cxn_status status = cxn_fail_in(err, cxn_eval_check(set, err), "first scores");
    if (status == CXN_OK) status = cxn_fail_in(err, cxn_eval_check(&set_b, err), "second scores");
    if (status != CXN_OK) return status;
    const size_t n = set->images;
    double *block = cxn_alloc_zero(env->mem, n, image_bytes);
    if (!block) return cxn_fail_nomem(err, env->mem, n * image_bytes, "the comparison");
    const struct work w = { .a = block,
                            .b = block + n,
                            .total = block + 2 * n,
                            .order = (uint32_t *)(block + 3 * n),
                            .scratch = (uint32_t *)(block + 3 * n) + n };
    compare_all(set, &set_b, &w, out);
    cxn_free(block);
    return CXN_OK;
}
