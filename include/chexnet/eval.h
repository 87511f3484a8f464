/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How good predictions are: AUC with intervals, the paired test of two sets of predictions, and
 * what is in the lists of a split. docs/evaluation.md has every formula with its source.
 *
 * A context may be NULL: no memory limit, the calling thread alone. Calls with different contexts
 * may run at the same time.
 */
#ifndef CHEXNET_EVAL_H
#define CHEXNET_EVAL_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- AUC ---------------------------------------------------------------------------------- */

/** A figure with its 95 % interval. */
struct cxn_estimate {
    double value;  /**< NaN unless defined */
    double lo, hi; /**< NaN unless bounded */
    int defined;   /**< 1: there is a value */
    int bounded;   /**< 1: there is an interval; only where there is a value */
};

struct cxn_finding_auc {
    struct cxn_estimate auc; /**< 0..1; not defined without a positive or without a negative */
    double threshold;        /**< by Youden's index: call the finding present where the score is at
                                  least this; NaN unless the AUC is defined */
    uint64_t positives;      /**< images with the finding */
};

struct cxn_auc_table {
    struct cxn_finding_auc finding[CXN_FINDINGS];
    struct cxn_estimate mean; /**< of the findings whose AUC is defined */
    uint64_t images;
    int mean_of; /**< how many findings the mean is of, 0..CXN_FINDINGS */
};

/** Scores and truth of the same images; all borrowed for the call. */
struct cxn_auc_input {
    size_t images;            /**< 1..2^31 - 1 */
    const float *scores;      /**< [images][CXN_FINDINGS], larger is more likely; no NaN */
    const uint16_t *labels;   /**< [images], bit f set where finding f is present */
    const uint32_t *patients; /**< [images], equal for images of one patient; NULL: each image is a
                                   patient; used by the bootstrap alone */
};

/** Zeroed means: DeLong's intervals. */
struct cxn_auc_options {
    const char *ci;     /**< "delong" (also NULL) or "patient-bootstrap" */
    uint32_t resamples; /**< of the bootstrap, 1..100000; 0: 1000 */
    uint64_t seed;      /**< of the bootstrap */
};

/**
 * AUC of each finding and their mean.
 *
 * AUC: Mann and Whitney's count with ties at one half (Hanley and McNeil, Radiology 1982).
 * "delong": DeLong, DeLong and Clarke-Pearson (Biometrics 1988), computed by sorting (Sun and Xu,
 * IEEE Signal Processing Letters 2014), normal approximation clipped to 0..1; an interval needs two
 * positives and two negatives. For the mean the components of each image are summed over the
 * findings first; it has an interval when each finding in it has one.
 * "patient-bootstrap": 2.5 % and 97.5 % points over resampled patients; an interval needs positives
 * of two patients and negatives of two. The same bounds for any number of threads.
 * Threshold: Youden (Cancer 1950); the largest score that reaches the greatest index.
 *
 * @param options  NULL for defaults
 * @param table    out; not to be used after an error
 * @return CXN_OK
 *         CXN_E_ARG     NULL pointer, no images, label bits beyond the findings, unknown ci, too
 *                       many resamples
 *         CXN_E_FORMAT  a score is NaN; the text gives image and finding, counted from 0
 *         CXN_E_NOMEM   over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_auc_compute(cxn_context *ctx, const struct cxn_auc_input *input,
                                        const struct cxn_auc_options *options,
                                        struct cxn_auc_table *table, struct cxn_error *err);

/* ---- two sets of predictions -------------------------------------------------------------- */

struct cxn_auc_difference {
    double a, b; /**< AUC of each; NaN unless the difference is defined */
    struct cxn_estimate difference; /**< b - a, in -1..1 */
    double z;           /**< difference / standard error; NaN unless bounded */
    double p;           /**< two-sided, of no difference; NaN unless bounded */
    uint64_t positives; /**< 0 for the mean */
};

struct cxn_auc_comparison {
    struct cxn_auc_difference finding[CXN_FINDINGS];
    struct cxn_auc_difference mean; /**< of the findings whose AUC is defined */
    uint64_t images;                /**< on the list */
    uint64_t left_out;              /**< predicted in both files but not on the list */
    int mean_of;
};

/** Files of a comparison. Strings are borrowed for the call. */
struct cxn_compare_files {
    const char *a, *b;   /**< prediction CSVs (docs/formats.md), in any order of images */
    const char *list;    /**< images that count, with labels */
    const char *entries; /**< NIH's Data_Entry CSV with labels for a name-only list; or NULL */
};

/**
 * DeLong, DeLong and Clarke-Pearson's test whether two sets of predictions for the same images
 * differ in AUC, for each finding and for the mean. There is no test (not bounded) with fewer than
 * two positives or negatives, or where the estimated variance is 0 though the AUCs differ.
 *
 * @param comparison  out; not to be used after an error
 * @return CXN_OK
 *         CXN_E_ARG     a NULL pointer
 *         CXN_E_IO      a file is missing or unreadable
 *         CXN_E_FORMAT  a file is wrong, with file and line; or an image is in one file and not in
 *                       the other, or on the list and in neither: the text names it
 *         CXN_E_LIMIT   a file is over a limit of docs/formats.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_compare(cxn_context *ctx, const struct cxn_compare_files *files,
                                    struct cxn_auc_comparison *comparison, struct cxn_error *err);

/* ---- what is in a split ------------------------------------------------------------------- */

/** Indices of splits, and of pairs of them: pair i lacks split 2 - i. */
#define CXN_SPLITS 3
#define CXN_SPLIT_TRAIN 0
#define CXN_SPLIT_VAL 1
#define CXN_SPLIT_TEST 2
#define CXN_PAIR_TRAIN_VAL 0
#define CXN_PAIR_TRAIN_TEST 1
#define CXN_PAIR_VAL_TEST 2

struct cxn_split_stats {
    int given; /**< 0: this list was not asked for, all else is 0 */
    uint64_t images;
    uint64_t patients;   /**< by patient number; an image whose patient is unknown counts as one */
    uint64_t no_finding; /**< images with none of the findings */
    uint64_t positives[CXN_FINDINGS];
};

/** Bytes of an image's name, the final NUL included. */
#define CXN_NAME_BYTES 256

struct cxn_stats {
    struct cxn_split_stats split[CXN_SPLITS];
    uint64_t shared_patients[CXN_SPLITS]; /**< by pair: patients with images in both lists */
    char shared_image[CXN_SPLITS][CXN_NAME_BYTES]; /**< by pair: an image in the second list of a
                                                        patient who is in the first too; or "" */
};

/** Strings are borrowed for the call. */
struct cxn_stats_files {
    const char *list[CXN_SPLITS]; /**< NULL: not given; at least one is */
    const char *entries;          /**< NIH's Data_Entry CSV, for name-only lists; or NULL */
};

/**
 * Count images, patients and findings of each list, and the patients that lists share.
 *
 * @param stats  out; not to be used after an error
 * @return CXN_OK, also where patients are shared
 *         CXN_E_ARG     a NULL pointer, or no list
 *         CXN_E_IO      a file is missing or unreadable
 *         CXN_E_FORMAT  a file is wrong, with file and line; or a list has no labels
 *         CXN_E_LIMIT   a file is over a limit of docs/formats.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_stats_compute(cxn_context *ctx, const struct cxn_stats_files *files,
                                          struct cxn_stats *stats, struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
