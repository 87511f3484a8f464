/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How long one opened model takes on this machine: per crop, and per image of ten crops.
 */
#ifndef CHEXNET_BENCH_H
#define CHEXNET_BENCH_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CXN_BENCH_BATCH_MAX 1024   /**< crops a call */
#define CXN_BENCH_RUNS_MAX 100000  /**< timed rounds */
#define CXN_BENCH_SECONDS_MAX 3600 /**< wanted duration */

/** Zeroed means: synthetic pictures, ten crops a call, three seconds. */
struct cxn_bench_options {
    /** PNG or JPEG files to cut the crops from, decoded and resized before the clock starts; count
     * 0: four synthetic grey pictures of 256 x 256, always the same */
    const char *const *files;
    size_t file_count;
    uint32_t batch;  /**< crops a call, 1..CXN_BENCH_BATCH_MAX; 0: 10 */
    uint32_t runs;   /**< timed rounds, 1..CXN_BENCH_RUNS_MAX; 0: as many as `seconds` allow */
    double seconds;  /**< up to CXN_BENCH_SECONDS_MAX, but three rounds at least; 0: 3 */
    /** Called after each round, in the caller's thread, with what is done, 0..1. Not 0 stops: the
     * call then gives CXN_E_STOPPED. NULL: none. */
    int (*progress)(void *progress_ctx, double done);
    void *progress_ctx;
};

/** Milliseconds over the timed rounds. */
struct cxn_spread {
    double min;
    double median; /**< of an even count the mean of the middle two */
    double p95;    /**< the smallest value that 95 % of the rounds do not exceed */
};

struct cxn_bench_result {
    uint32_t batch;  /**< crops a call, as asked for */
    uint32_t runs;   /**< timed rounds */
    uint32_t pictures; /**< that the crops were cut from */
    struct cxn_spread crop_ms;  /**< a call's time divided by its crops */
    struct cxn_spread image_ms; /**< a call with the ten crops of one picture, mean included */
};

/**
 * Time the model, after untimed rounds to warm up. A round is one call with `batch` crops, taken in
 * turn from the ten crops of each picture, and one call with one picture's ten crops; both begin
 * with 8-bit pictures of short side 256 in memory and end with probabilities.
 *
 * @param model    not changed; one call at a time a model, as for prediction
 * @param options  borrowed for the call; NULL for defaults
 * @param result   out: written on success alone
 * @return CXN_OK
 *         CXN_E_ARG     a NULL, or a number out of range
 *         CXN_E_IO, CXN_E_FORMAT, CXN_E_LIMIT  of a file, or of the weights
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *         CXN_E_STOPPED progress() asked for it
 */
CXN_API enum cxn_status cxn_bench(cxn_model *model, const struct cxn_bench_options *options,
                                  struct cxn_bench_result *result, struct cxn_error *err);

#define CXN_BENCH_OPERATIONS_MAX 128 /**< rows of a profile, at most */
#define CXN_BENCH_NAME_BYTES 64      /**< of an operation's name, the final NUL included */

/** All layers that do the same operation on the same size. Products are counted as the network
 * defines them: a mode that needs fewer can pass the machine's peak. */
struct cxn_bench_operation {
    char name[CXN_BENCH_NAME_BYTES]; /**< e.g. "conv 3x3 14x14 -> 32" */
    uint32_t calls; /**< a crop: layers, or parts of them where a mode computes them in parts */
    double ms;      /**< a crop, all calls together; minimum over the runs */
    double gflop;   /**< a crop: 1e9 products and sums of its definition; 0: not counted */
};

/**
 * Where the time of one 224x224 crop goes, in one thread, in the order of the network.
 *
 * @param runs   times that the crop is computed, 1..CXN_BENCH_RUNS_MAX, after one untimed
 * @param rows   out: room for CXN_BENCH_OPERATIONS_MAX
 * @param count  out: rows written
 * @return CXN_OK; CXN_E_ARG for a NULL, runs out of range, or a mode that does not tell its
 *         operations; CXN_E_FORMAT for the weights; CXN_E_LIMIT for more rows; CXN_E_NOMEM
 */
CXN_API enum cxn_status cxn_bench_operations(cxn_model *model, uint32_t runs,
                                             struct cxn_bench_operation *rows, size_t *count,
                                             struct cxn_error *err);

/**
 * What one core can do in float32, in 1e9 products and sums a second: measured in about 30 ms with
 * multiply-adds in registers, at the context's level. ctx NULL: level c.
 */
CXN_API double cxn_bench_peak_gflops(const cxn_context *ctx);

/**
 * The same of 8-bit integers whose products are summed exactly in 32 bits, as mode int8 does;
 * within about 200 ms.
 */
CXN_API double cxn_bench_peak_int8_gops(const cxn_context *ctx);

#ifdef __cplusplus
}
#endif
#endif
