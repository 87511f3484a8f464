/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Optimised models: weights folded once for the mode that will run them, in a file that opens
 * faster, tells what it was made from, and carries a probe picture with the answers it must give.
 */
#ifndef CHEXNET_OPTIMIZE_H
#define CHEXNET_OPTIMIZE_H

#include <chexnet/chexnet.h>
#include <chexnet/cpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What was written. */
struct cxn_optimize_result {
    uint64_t bytes;            /**< of the file */
    double difference;         /**< largest from mode reference on the probe, any probability */
    double bound;              /**< the most that it may be */
    const char *level;         /**< of the kernels that answered; static storage */
    char source_sha256[65];    /**< of the weights' file, 64 lower-case hex digits */
};

/**
 * Fold the weights for one mode, ask the probe picture in mode reference and in that mode, and
 * write the optimised model.
 *
 * @param path       weights as cxn_model_open() takes them, neither optimised nor quantised
 * @param precision  "fp32" or "bf16": the mode that the new file is for, its only one
 * @param out        the file; it appears under its name only when complete
 * @param result     out: written on success alone; may be NULL
 * @return CXN_OK
 *         CXN_E_ARG     an unknown precision
 *         CXN_E_IO      a file cannot be read or written
 *         CXN_E_FORMAT  not such weights, weights that give numbers which are not finite, or the
 *                       mode's answers differ from the reference's by more than `bound`
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *
 * The same weights, precision and level give the same bytes. Model files are read by
 * cxn_model_open(); answers are the same bits as those of the weights in that mode.
 */
CXN_API enum cxn_status cxn_optimize(cxn_context *ctx, const char *path, const char *precision,
                                     const char *out, struct cxn_optimize_result *result,
                                     struct cxn_error *err);

/** Modes times levels, at most. */
#define CXN_SELFTEST_ROWS_MAX 32

/** One mode at one instruction level. */
struct cxn_selftest_row {
    const char *mode;                 /**< static storage, as all texts by pointer here */
    const char *level;                /**< what the kernels were limited to */
    const char *kernels;              /**< level of those that did most of the work; NULL where
                                           the row was skipped */
    char skipped[CXN_CPU_TEXT_BYTES]; /**< why it was: "no AVX-512"; "" where it was not */
    int32_t passed;                   /**< 1: both differences are at most their bounds; else 0 */
    double difference;                /**< largest from the answers of mode reference, */
    double bound;                     /**< and the most that it may be */
    double stored_difference;         /**< largest from the file's own answers, */
    double stored_bound;              /**< 0 for a quantised model; both NaN without answers */
    const char *finding;              /**< where `difference` is; NULL where the row was skipped */
    double seconds;
};

/** What a self-test came to. */
struct cxn_selftest_result {
    int32_t optimized, quantized; /**< 1: such a file, and the answers compared with are its own;
                                       both 0: made now */
    char source_sha256[65];    /**< of the weights that the model was made from; "" if it is
                                    weights */
    char source_name[256];
    uint32_t views, row_count, passed, failed, skipped;
    struct cxn_selftest_row rows[CXN_SELFTEST_ROWS_MAX];
};

/**
 * Ask a model's probe picture at every instruction level up to the context's.
 *
 * An optimised or quantised model runs its one mode; its stored answers, of mode reference when it
 * was made and of its own mode, are what each level is compared with; a quantised one must give its
 * own again to the bit. For weights as trained the picture is drawn, mode reference answers first,
 * and all modes that run them are compared with that; mode reference itself a second time, which
 * must give the same bits.
 *
 * @param path    any file that cxn_model_open() takes
 * @param result  out: complete also where rows failed, which is not an error of the call
 * @return CXN_OK, or what cxn_model_open() returns
 */
CXN_API enum cxn_status cxn_selftest(cxn_context *ctx, const char *path,
                                     struct cxn_selftest_result *result, struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
