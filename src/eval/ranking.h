/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_EVAL_RANKING_H
#define CXN_EVAL_RANKING_H

#include <stdbool.h>

#include "eval/auc.h"

/*
 * Images in rising order of one finding's scores. The first image of each group of equal scores
 * carries CXN_RANK_NEW, so that a walk needs no scores.
 */
#define CXN_RANK_NEW 0x80000000u

/* order and scratch have room for set->images. */
void cxn_ranking_make(const struct cxn_eval_set *set, size_t finding, uint32_t *order,
                      uint32_t *scratch);

static inline uint32_t cxn_rank_image(uint32_t rank)
{
    return rank & ~CXN_RANK_NEW;
}

/* End of the group of equal scores that starts at `at`. */
static inline size_t cxn_rank_group_end(const uint32_t *order, size_t n, size_t at)
{
    do at++;
    while (at < n && !(order[at] & CXN_RANK_NEW));
    return at;
}

static inline bool cxn_is_positive(const struct cxn_eval_set *set, uint32_t image, size_t finding)
{
    return set->labels[image] >> finding & 1;
}

/*
 * DeLong's structural components of one finding, each image's divided by what makes the sum of
 * squares the variance of the AUC: (V - auc) / sqrt(m (m - 1)), where m counts the images of that
 * class. 0 for the images of a class with a single one. Their sum is 0.
 */
struct cxn_components {
    size_t positives, negatives;
    double auc;        /* NaN where positives or negatives are 0; component is not written then */
    double *component; /* [images] */
};

void cxn_components_make(const struct cxn_eval_set *set, size_t finding, const uint32_t *order,
                         struct cxn_components *out);

/* Both classes have the two images that a variance needs. */
static inline bool cxn_components_bounded(const struct cxn_components *c)
{
    return c->positives >= 2 && c->negatives >= 2;
}

/* 97.5 % point of the standard normal distribution. */
#define CXN_Z975 1.959963984540054

/* value +- CXN_Z975 * sqrt(variance), clipped to [lowest, 1]. */
struct cxn_eval_figure cxn_figure_normal(double value, double variance, double lowest);

/* value without an interval; NaN: undefined. */
struct cxn_eval_figure cxn_figure_bare(double value);

#endif
