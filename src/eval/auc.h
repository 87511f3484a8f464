/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_EVAL_AUC_H
#define CXN_EVAL_AUC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/*
 * Area under the ROC curve (AUC) of several findings on the same images, with 95 % intervals.
 * docs/evaluation.md has the formulas; the sources are named at each function.
 */

enum { CXN_EVAL_FINDINGS_MAX = 16 };

/* What is evaluated; all borrowed. */
struct cxn_eval_set {
    size_t images;            /* 1..2^31 - 1 */
    size_t findings;          /* 1..CXN_EVAL_FINDINGS_MAX */
    const float *scores;      /* [images][findings], larger means more likely; no NaN */
    const uint16_t *labels;   /* [images], bit f: finding f is present; no other bit */
    const uint32_t *patients; /* [images], equal for one patient; NULL: each image is one */
};

/* A figure with its 95 % interval; value is NaN unless defined, lo and hi unless bounded. */
struct cxn_eval_figure {
    double value, lo, hi;
    bool defined, bounded;
};

struct cxn_eval_auc {
    struct cxn_eval_figure auc; /* not defined where there is no positive or no negative image */
    double threshold;           /* by Youden's index; NaN unless the AUC is defined */
    size_t positives;
};

struct cxn_eval_table {
    struct cxn_eval_auc finding[CXN_EVAL_FINDINGS_MAX]; /* [findings of the set] */
    struct cxn_eval_figure mean; /* of the findings with a defined AUC */
    int mean_of;                 /* how many those are */
};

/* CXN_E_ARG for sizes or labels out of range, CXN_E_FORMAT for a NaN score, naming its place. */
enum cxn_status cxn_eval_check(const struct cxn_eval_set *set, struct cxn_error *err);

/*
 * AUC = (pairs of a positive and a negative image in right order + half the ties) / pairs (Mann and
 * Whitney; Hanley and McNeil 1982), computed exactly and rounded once. Intervals: DeLong, DeLong
 * and Clarke-Pearson 1988 by the sorting method of Sun and Xu 2014, normal approximation, clipped
 * to [0, 1]; none where positives or negatives are fewer than 2. The mean's interval sums the
 * components of each image over the findings before the variance, so that images are the sampling
 * unit; none unless each of its findings has one. Thresholds: Youden 1950, the largest score t for
 * which "score >= t" has the greatest sensitivity + specificity - 1.
 *
 * O(findings * images log images) time, 24 bytes an image. Errors as cxn_eval_check(), or
 * CXN_E_NOMEM.
 */
enum cxn_status cxn_auc_delong(const struct cxn_env *env, const struct cxn_eval_set *set,
                               struct cxn_eval_table *out, struct cxn_error *err);

/* ---- bootstrap over patients -------------------------------------------------------------- */

enum { CXN_RESAMPLES_MAX = 100000 };

/*
 * Replace the intervals of *aucs, which cxn_auc_delong() made of the same set, by percentile
 * intervals of resampled patients (Efron and Tibshirani 1993, chapter 13, with patients as units
 * since images of one are not independent). Resample r draws as many patients as there are, with
 * replacement, from stream r of the seed, so the bounds do not depend on the number of threads. A
 * resample in which a finding has no AUC leaves that finding out of its mean. No interval where the
 * positives, or the negatives, of a finding come from fewer than 2 patients; the mean has one when
 * a finding has. resamples: 1..CXN_RESAMPLES_MAX, or CXN_E_ARG.
 */
enum cxn_status cxn_auc_bootstrap(const struct cxn_env *env, const struct cxn_eval_set *set,
                                  size_t resamples, uint64_t seed, struct cxn_eval_table *aucs,
                                  struct cxn_error *err);

/* ---- two sets of scores on the same images ------------------------------------------------ */

struct cxn_eval_difference {
    double a, b;                       /* AUC of each */
    struct cxn_eval_figure difference; /* b - a, interval clipped to [-1, 1] */
    double z, p;                       /* two-sided; NaN unless the difference is bounded */
    size_t positives;                  /* 0 for the mean */
};

struct cxn_eval_comparison {
    struct cxn_eval_difference finding[CXN_EVAL_FINDINGS_MAX]; /* [findings of the set] */
    struct cxn_eval_difference mean;
    int mean_of;
};

/*
 * DeLong, DeLong and Clarke-Pearson's paired test of set->scores (a) against scores_b (b), for each
 * finding and for the mean; the variance of the difference is that of the differences of each
 * image's components. No test where there is no interval for one of the two, or where the estimated
 * variance is 0 although the AUCs differ. Errors as cxn_auc_delong().
 */
enum cxn_status cxn_auc_compare(const struct cxn_env *env, const struct cxn_eval_set *set,
                                const float *scores_b, struct cxn_eval_comparison *out,
                                struct cxn_error *err);

#endif
