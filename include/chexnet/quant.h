/* SPDX-License-Identifier: Apache-2.0 */
/**
 * INT8: what the activations of weights as trained range over, from which their 8-bit numbers are
 * made. docs/int8.md explains the arithmetic, docs/formats.md the files.
 */
#ifndef CHEXNET_QUANT_H
#define CHEXNET_QUANT_H

#include <chexnet/chexnet.h>
#include <chexnet/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Images that a calibration looks at where nothing else is said. */
#define CXN_CALIBRATE_COUNT 1000
/** Of method percentile where nothing else is said: values below the upper end, in percent, and
 * above the lower one where it has one. */
#define CXN_CALIBRATE_PERCENTILE 99.99

/** Zeroed but for images, list and out means defaults. Borrowed for the call. */
struct cxn_calibrate_options {
    const char *const *images; /**< folders, searched in order, or one cache made by prepare */
    size_t image_count;        /**< number of paths in images, at least 1 */
    const char *list;          /**< where images are chosen from: lines of a list; its labels are
                                    not used. Training images, never those that one evaluates on */
    uint64_t count;            /**< how many are chosen, all of a shorter list;
                                    0: CXN_CALIBRATE_COUNT; at most 1,000,000 */
    uint64_t seed;             /**< of the choice; at most 2^63 - 1 */
    const char *method;        /**< "minmax", "percentile", "entropy" or "mse"; NULL: minmax */
    double percentile;         /**< of method percentile alone: values within each end, in percent,
                                    above 50 and below 100; 0: CXN_CALIBRATE_PERCENTILE */
    const char *out;           /**< the file */
    cxn_progress_fn *progress; /**< told after each batch; images of an interrupted call count */
    void *progress_ctx;
};

struct cxn_calibrate_result {
    uint64_t images;  /**< that the file tells of */
    uint64_t resumed; /**< of these, seen by an interrupted call */
    double seconds;   /**< of this call, from the first image on */
    const char *level; /**< of the kernels that computed; static storage */
    char model_sha256[65], list_sha256[65]; /**< 64 lower-case hex digits */
};

/**
 * Run weights in mode fp32 over images of a list, one crop of each (the ten crops in turn), and
 * write what their activations were: a range and a mean for every channel, docs/formats.md.
 *
 * Between two batches, now and then and when progress() ends the work, what was seen is kept in
 * OUT.partial. A call with the same weights, list and options goes on from there and gives the same
 * file; that of another call is refused by name. A list that has "test" in its file's name is
 * told to the context's log: figures on images that a model was made with say too much.
 *
 * @param path    weights as cxn_model_open() takes them, but neither optimised nor quantised
 * @param result  out: written on success alone; may be NULL
 * @return CXN_OK        the file is complete under its name
 *         CXN_E_ARG     options are missing, unknown or out of range
 *         CXN_E_STOPPED progress ended the work; the next call goes on there
 *         CXN_E_IO      a file is missing, unreadable or not writable; OUT.partial is of another
 *                       call
 *         CXN_E_FORMAT  the weights, the list, an image or OUT.partial is wrong; weights that give
 *                       numbers which are not finite
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *
 * The same weights, list and options give the same bytes on one build and instruction level, for
 * any number of threads, and interrupted or not.
 */
CXN_API enum cxn_status cxn_calibrate(cxn_context *ctx, const char *path,
                                      const struct cxn_calibrate_options *options,
                                      struct cxn_calibrate_result *result, struct cxn_error *err);

/* ---- quantise ----------------------------------------------------------------------------- */

/** Findings of the gate's list with fewer images that have them, or that do not, are left out. */
#define CXN_QUANTIZE_POSITIVES_MIN 10
/** Pictures of the gate's list, its first, on whose centre crops layers are compared. */
#define CXN_QUANTIZE_PICTURES 16
/** Convolutions that can be put back: all but the stem. */
#define CXN_QUANTIZE_LAYERS_MAX 128
/** Evaluations of the gate, at most. */
#define CXN_QUANTIZE_ROUNDS_MAX 8

/**
 * Told of the gate's work. stage: "fp32" or "int8", whose images are being scored, or
 * "sensitivity", for layers. Anything but 0 as its answer ends the work. Called in the caller's
 * thread.
 */
typedef int cxn_quantize_progress_fn(void *progress_ctx, const char *stage, size_t done,
                                     size_t total);

/** Zeroed but for calibration and out: no gate. Borrowed for the call. */
struct cxn_quantize_options {
    const char *calibration;   /**< what cxn_calibrate() made of the same weights */
    const char *out;           /**< the file */
    const char *list;          /**< labelled images that the gate scores, which had no part in the
                                    calibration; NULL: no gate, and the next four are not read */
    const char *const *images; /**< folders, searched in order, or one cache made by prepare */
    size_t image_count;        /**< number of paths in images, at least 1 */
    const char *entries;       /**< NIH's Data_Entry CSV, for a name-only list; or NULL */
    double max_auc_drop;       /**< what the mean AUC may fall by from mode fp32's, -1 to 1 */
    cxn_quantize_progress_fn *progress; /**< NULL: not told */
    void *progress_ctx;
};

/** A convolution that can be put back. */
struct cxn_quantize_layer {
    char name[72];       /**< torchvision's */
    double sensitivity;  /**< what the mean squared change of a probability falls by where this
                              layer alone is put back */
    uint32_t put_back;   /**< in which evaluation of the gate it first was, from 1; 0: it is not */
};

/** An evaluation of the gate, ten crops an image. */
struct cxn_quantize_round {
    uint32_t put_back;    /**< layers */
    double mean_auc;      /**< of the findings that count */
    double drop;          /**< of it from mode fp32's, below 0 where it rises */
    double drop_lo, drop_hi; /**< paired 95 % interval (DeLong); NaN where there is none */
};

/** What was written. */
struct cxn_quantize_result {
    uint64_t bytes;             /**< of the file */
    double difference;          /**< largest from mode reference on the probe, any probability */
    double rms;                 /**< root of the mean of their squares */
    double bound;               /**< the most that difference may be */
    const char *level;          /**< of the kernels that answered; static storage */
    const char *method;         /**< of the calibration; static storage */
    uint64_t calibrated;        /**< images that it saw */
    char source_sha256[65], calibration_sha256[65]; /**< of files, 64 lower-case hex digits */
    uint64_t gate_images;       /**< 0 without a gate, and then nothing below is set */
    int32_t mean_of;            /**< findings whose AUC counts */
    double reference_auc;       /**< mean AUC of mode fp32 */
    uint32_t round_count;       /**< the last is the file's */
    struct cxn_quantize_round rounds[CXN_QUANTIZE_ROUNDS_MAX];
    uint32_t layer_count;       /**< 0 where none had to be put back; most sensitive first */
    struct cxn_quantize_layer layers[CXN_QUANTIZE_LAYERS_MAX];
};

/**
 * Make the 8-bit numbers of weights from their calibration, ask the probe picture in mode reference
 * and with them in mode int8, and write the quantised model.
 *
 * With a list, both modes score it and the mean AUCs are compared, over findings with at least
 * CXN_QUANTIZE_POSITIVES_MIN images with it and as many without. While it has fallen by more than
 * max_auc_drop, layers are put back, which means weights of 16 bits in two exact parts: the most
 * sensitive first, in groups that double, so that there are at most CXN_QUANTIZE_ROUNDS_MAX
 * evaluations. Each evaluation, and a list that is the calibration's or has "test" in its name, is
 * told to the context's log.
 *
 * @param path    weights as cxn_model_open() takes them, but neither optimised nor quantised
 * @param result  out: written on success alone; may be NULL
 * @return CXN_OK
 *         CXN_E_ARG     options are missing or out of range
 *         CXN_E_IO      a file cannot be read or written
 *         CXN_E_FORMAT  not such weights, numbers that are not finite, a calibration of other
 *                       weights or of no images, answers to the probe further apart than `bound`;
 *                       of the gate a wrong list or image, no finding that counts, or a mean AUC
 *                       that falls by more than max_auc_drop with all layers put back
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *         CXN_E_STOPPED progress ended the work
 *
 * Nothing is written on error. The same weights and calibration, and without a gate the same level,
 * give the same bytes; the numbers themselves are the same at every level.
 */
CXN_API enum cxn_status cxn_quantize(cxn_context *ctx, const char *path,
                                     const struct cxn_quantize_options *options,
                                     struct cxn_quantize_result *result, struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
