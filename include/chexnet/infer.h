/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Scoring many images: a list with its labels, or a handful of files. Results can be written as
 * preds.csv (docs/formats.md), and handed to eval.h for AUCs.
 */
#ifndef CHEXNET_INFER_H
#define CHEXNET_INFER_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Images and what was predicted for them, in the order of the list or of the files. */
typedef struct cxn_scores cxn_scores;

/**
 * Told after each batch: the scores so far, of total images. Anything but 0 as its answer ends the
 * work, which then returns CXN_E_STOPPED and writes nothing. Called in the caller's thread. NULL:
 * not told.
 */
typedef int cxn_score_progress_fn(void *progress_ctx, const cxn_scores *so_far, size_t total);

/** Zeroed but for crops means: stop at the first bad image, write no file, report no progress. */
struct cxn_score_options {
    const char *crops; /**< "ten", "center" or "full", as for cxn_predict_file() */
    int skip_bad;      /**< 0: an unreadable image is an error; else it is left out and counted */
    const char *out;   /**< CSV to write, appears only when complete; NULL: none */
    cxn_score_progress_fn *progress;
    void *progress_ctx;
};

/** A list and where its images are. Strings are borrowed for the call. */
struct cxn_infer_source {
    const char *const *images; /**< folders, searched in order, or one cache made by prepare */
    size_t image_count;        /**< number of paths in images, at least 1 */
    const char *list;          /**< "name.png" and 14 of 0/1 a line, or NIH's name-only lines */
    const char *entries;       /**< NIH's Data_Entry CSV, for a name-only list; or NULL */
};

/**
 * Score every image of a list. Decoding runs ahead in threads of its own; pictures in memory are
 * few, whatever the length of the list.
 *
 * @param scores  out: close with cxn_scores_close(); NULL on error
 * @return CXN_OK
 *         CXN_E_ARG     a NULL, or an unknown word in options
 *         CXN_E_IO      a file is missing, unreadable, or the CSV is not writable
 *         CXN_E_FORMAT  the list, the entries, or an image is wrong; or every image was skipped
 *         CXN_E_LIMIT   one of them is over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *         CXN_E_STOPPED progress() asked for it
 *
 * Each image's numbers are the same bits for any number of threads and any neighbours.
 */
CXN_API enum cxn_status cxn_infer(cxn_model *model, const struct cxn_infer_source *source,
                                  const struct cxn_score_options *options, cxn_scores **scores,
                                  struct cxn_error *err);

/** The same for image files named one by one; there are no labels then. */
CXN_API enum cxn_status cxn_predict_files(cxn_model *model, const char *const *files,
                                          size_t file_count,
                                          const struct cxn_score_options *options,
                                          cxn_scores **scores, struct cxn_error *err);

CXN_API void cxn_scores_close(cxn_scores **scores);

/** Images scored. */
CXN_API size_t cxn_scores_count(const cxn_scores *scores);

/** Name of scored image i (list name or path), valid until close; NULL for another i. */
CXN_API const char *cxn_scores_name(const cxn_scores *scores, size_t i);

/** All probabilities, [count][CXN_FINDINGS], valid until close. */
CXN_API const float *cxn_scores_prob(const cxn_scores *scores);

/** Labels of the scored images, bit f for finding f; NULL where there are none. */
CXN_API const uint16_t *cxn_scores_labels(const cxn_scores *scores);

/** Patient numbers of the scored images, equal within a patient; NULL where there are none. */
CXN_API const uint32_t *cxn_scores_patients(const cxn_scores *scores);

/** Images left out under skip_bad, and the sentence (with the file's name) for the i-th. */
CXN_API size_t cxn_scores_skipped(const cxn_scores *scores);
CXN_API const char *cxn_scores_skip_reason(const cxn_scores *scores, size_t i);

/** Wall time from the first image asked for to the last one scored. */
CXN_API double cxn_scores_seconds(const cxn_scores *scores);

#ifdef __cplusplus
}
#endif
#endif
