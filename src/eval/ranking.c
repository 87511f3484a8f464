/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/ranking.h"

#include <math.h>

#include "base/sort.h"

/* Scores of one finding, by image. */
struct column {
    const float *first;
    size_t stride;
};

static bool score_before(const void *ctx, uint32_t a, uint32_t b)
{
    const struct column *c = ctx;
    return c->first[a * c->stride] < c->first[b * c->stride];
}

void cxn_ranking_make(const struct cxn_eval_set *set, size_t finding, uint32_t *order,
                      uint32_t *scratch)
{
    const struct column column = { .first = set->scores + finding, .stride = set->findings };
    for (size_t i = 0; i < set->images; i++) order[i] = (uint32_t)i;
    cxn_sort_indices(order, scratch, set->images, score_before, &column);
    for (size_t i = set->images; i-- > 1;) /* downwards: the one before is still unmarked */
        if (score_before(&column, order[i - 1], order[i])) order[i] |= CXN_RANK_NEW;
    order[0] |= CXN_RANK_NEW;
}

/* Images of one group of equal scores, and of all groups below it. */
struct tally {
    uint64_t positives, negatives;
};

static struct tally tally_group(const struct cxn_eval_set *set, size_t finding,
                                const uint32_t *order, size_t at, size_t end)
{
    struct tally t = { 0 };
    for (; at < end; at++) {
        if (cxn_is_positive(set, cxn_rank_image(order[at]), finding)) t.positives++;
        else t.negatives++;
    }
    return t;
}

/* Twice the Mann-Whitney count, an integer, so that the AUC is rounded only once. */
static uint64_t count_twice(const struct cxn_eval_set *set, size_t finding, const uint32_t *order,
                            struct tally *all)
{
    uint64_t twice = 0;
    *all = (struct tally){ 0 };
    for (size_t at = 0, end; at < set->images; at = end) {
        end = cxn_rank_group_end(order, set->images, at);
        const struct tally group = tally_group(set, finding, order, at, end);
        twice += group.positives * (2 * all->negatives + group.negatives);
        all->positives += group.positives;
        all->negatives += group.negatives;
    }
    return twice;
}

void cxn_components_make(const struct cxn_eval_set *set, size_t finding, const uint32_t *order,
                         struct cxn_components *out)
{
    struct tally all, below = { 0 };
    const uint64_t twice = count_twice(set, finding, order, &all);
    out->positives = (size_t)all.positives;
    out->negatives = (size_t)all.negatives;
    out->auc = NAN;
    if (all.positives == 0 || all.negatives == 0) return;
    const double m = (double)all.positives, n = (double)all.negatives;
    out->auc = (double)twice / (2 * m * n);
    const double per_positive = all.positives > 1 ? 1 / sqrt(m * (m - 1)) : 0;
    const double per_negative = all.negatives > 1 ? 1 / sqrt(n * (n - 1)) : 0;
    for (size_t at = 0, end; at < set->images; at = end) {
        end = cxn_rank_group_end(order, set->images, at);
        const struct tally group = tally_group(set, finding, order, at, end);
        const uint64_t above = all.positives - below.positives - group.positives;
        const double v10 = (double)(2 * below.negatives + group.negatives) / (2 * n);
        const double v01 = (double)(2 * above + group.positives) / (2 * m);
        for (size_t i = at; i < end; i++) {
            const uint32_t image = cxn_rank_image(order[i]);
            out->component[image] = cxn_is_positive(set, image, finding)
                                        ? (v10 - out->auc) * per_positive
                                        : (v01 - out->auc) * per_negative;
        }
        below.positives += group.positives;
        below.negatives += group.negatives;
    }
}

struct cxn_eval_figure cxn_figure_bare(double value)
{
    return (struct cxn_eval_figure){
        .value = value, .lo = NAN, .hi = NAN, .defined = !isnan(value)
    };
}

struct cxn_eval_figure cxn_figure_normal(double value, double variance, double lowest)
{
    const double half = CXN_Z975 * sqrt(variance);
    return (struct cxn_eval_figure){ .value = value,
                                     .lo = fmax(value - half, lowest),
                                     .hi = fmin(value + half, 1),
                                     .defined = true,
                                     .bounded = true };
}
