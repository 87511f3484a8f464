/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Training: from images and lists of labels to a model, on one process or on several that MPI
 * starts. docs/training.md explains the settings, docs/formats.md the folder that is written.
 *
 *     const char *folders[] = { "images" };
 *     const struct cxn_train_setting settings[] = { { "epochs", "20" }, { "lr", "3e-4" } };
 *     struct cxn_train_options options = { .images = folders, .image_count = 1,
 *                                          .train = "train_list.txt", .val = "val_list.txt",
 *                                          .out = "run", .settings = settings,
 *                                          .setting_count = 2 };
 *     struct cxn_train_result result;
 *     enum cxn_status status = cxn_train(ctx, &options, &result, &err);
 *     // run/best.safetensors is a model for cxn_model_open()
 */
#ifndef CHEXNET_TRAIN_H
#define CHEXNET_TRAIN_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a training is; told after each step, between the batches of a validation and after it. */
struct cxn_train_news {
    uint32_t rank;             /**< of this process, 0 for the first or only one */
    int validated;             /**< not 0: an epoch has ended, val_loss and val_mean_auc are its */
    int validating;            /**< not 0: a validation is under way; there is nothing of a step */
    uint64_t step, steps;      /**< done, and of the whole training */
    uint64_t epoch, epochs;    /**< the one under way or just ended, 1 for the first; and in all */
    double loss, lr;           /**< of the step */
    double images_per_second;  /**< of the step, over all ranks */
    double seconds_left;
    double val_loss, val_mean_auc; /**< the latter NaN where no finding has an AUC */
};

/**
 * Anything but 0 as its answer is a request to stop: all ranks end after the next step, or at once
 * in and right after a validation, with a checkpoint, and cxn_train() returns CXN_OK. Called in the
 * caller's thread. NULL: not told.
 */
typedef int cxn_train_progress_fn(void *progress_ctx, const struct cxn_train_news *news);

/** A setting as the command line has it: { "lr", "0.01" } is --lr 0.01. */
struct cxn_train_setting {
    const char *name, *value;
};

/** Strings are borrowed for the call. Zeroed but for what is needed means defaults. */
struct cxn_train_options {
    const char *const *images; /**< folders, searched in order, or one cache made by prepare */
    size_t image_count;        /**< number of paths in images, at least 1 */
    const char *train, *val;   /**< lists: "name.png" and 14 of 0/1 a line, or NIH's name-only */
    const char *entries;       /**< NIH's Data_Entry CSV, for name-only lists; or NULL */
    const char *weights;       /**< DenseNet-121 weights to start from; NULL: drawn by seed */
    const char *out;           /**< folder to write: made, or there and empty */
    const char *resume;        /**< or a folder to go on with, which says all the above and the
                                    settings: they are NULL and 0 then, but for
                                    "deadline", which may be given anew */
    const struct cxn_train_setting *settings; /**< each at most once */
    size_t setting_count;
    cxn_train_progress_fn *progress;
    void *progress_ctx;
};

/** How a training ended. */
enum cxn_train_end {
    CXN_TRAIN_DONE,       /**< all its steps */
    CXN_TRAIN_EARLY_STOP, /**< no better validation for as many epochs as was asked */
    CXN_TRAIN_STOPPED     /**< asked to; it can be resumed */
};

struct cxn_train_result {
    uint32_t rank, ranks;
    int told_by_first;    /**< on error: not 0 where rank 0 returns the same status and text, and
                               this rank need not tell them too */
    int end;              /**< enum cxn_train_end */
    uint64_t steps, epochs; /**< done, over all calls; epochs: validations */
    uint64_t best_epoch;  /**< 1 for the first; 0: there was no validation */
    double best_auc, best_loss; /**< of that epoch; best_auc NaN where no finding has an AUC */
    uint64_t skipped;     /**< images replaced, over all ranks and steps */
    double seconds;       /**< of this call's steps and validations */
    double images_per_second; /**< of this call's steps, over all ranks; 0: there was none */
    uint64_t views_per_image; /**< 10 with ten crops, else 1 */
};

/**
 * Train, or go on with a training. Writes the folder options->out: log.jsonl, run.json,
 * best.safetensors, and last/ with all that a resume needs.
 *
 * @param result  out, may be NULL; filled in as far as known on error too
 * @return CXN_OK        done, or stopped as asked
 *         CXN_E_ARG     a NULL that is needed, an unknown setting or value, settings that do not
 *                       fit each other, the list or the number of ranks; ranks that differ in
 *                       build, settings, lists or weights
 *         CXN_E_IO      a file is missing, unreadable or not writable; the folder holds a run, or
 *                       another process works in it; MPI is missing, or of another launcher
 *         CXN_E_FORMAT  a list, an image, the weights or the folder to resume is wrong; the train
 *                       list is shorter than a step; the loss, a gradient, a statistic or a weight
 *                       is not finite: the last checkpoint is as it was
 *         CXN_E_LIMIT   one of them is over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *         CXN_E_PEER    another process of the job is lost
 *
 * The weights come out to the same bits for any number of threads and ranks, and whether or not the
 * training was stopped and resumed, on one build, one C library (whose exp, log, cos and sin may
 * round otherwise on another CPU) and one instruction level.
 */
CXN_API enum cxn_status cxn_train(cxn_context *ctx, const struct cxn_train_options *options,
                                  struct cxn_train_result *result, struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
