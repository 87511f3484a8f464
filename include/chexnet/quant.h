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

#ifdef __cplusplus
}
#endif
#endif
