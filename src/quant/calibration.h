/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_CALIBRATION_H
#define CXN_QUANT_CALIBRATION_H

#include "base/env.h"
#include "base/hash.h"
#include "base/mem.h"
#include "fuse/derived.h"

/* What a calibration tells of the float network's activations: docs/int8.md. */

enum cxn_calibration_method {
    CXN_CALIBRATION_MINMAX,
    CXN_CALIBRATION_PERCENTILE,
    CXN_CALIBRATION_ENTROPY,
    CXN_CALIBRATION_MSE,
    CXN_CALIBRATION_METHODS
};

/*
 * Of one part; each array is [out], and NULL where the part's kind has none:
 *     stem (the grey one alone), 3x3, 1x1 of a transition
 *                  lo, hi      the map's channels that it writes; the stem's behind ReLU and pool
 *     1x1 of a dense layer
 *                  hi, mean    the bottleneck behind its ReLU, from 0 up
 *     norm         mean, share  of relu(x * scale + shift): its mean, how often it is above 0
 * lo and hi are as the method has them, without a margin.
 */
struct cxn_calibration_part {
    double *lo, *hi, *mean, *share;
};

typedef struct cxn_calibration {
    const cxn_fold *fold; /* borrowed */
    enum cxn_calibration_method method;
    double percentile; /* of method percentile: values within each end, in percent; else 0 */
    char version[CXN_WORD_BYTES]; /* of the library that made it */
    char model_name[CXN_SOURCE_NAME_BYTES];  /* of the file of weights, without its folder */
    char model_sha256[CXN_SHA256_HEX_BYTES]; /* of the file of weights */
    char list_sha256[CXN_SHA256_HEX_BYTES];  /* of the list of pictures */
    size_t images; /* that it saw, one crop of each */
    uint64_t seed; /* of the choice among the list's */
    struct cxn_calibration_part *parts; /* [fold->count] */
    double *numbers;                    /* [number_count], what all pointers above point into */
    size_t number_count;
} cxn_calibration;

/* All arrays, zeroed; fold is borrowed. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_calibration_open(cxn_calibration **calibration, const cxn_fold *fold,
                                     struct cxn_mem *mem, struct cxn_error *err);
void cxn_calibration_close(cxn_calibration **calibration);

/* "minmax", ...; static storage. */
const char *cxn_calibration_method_name(enum cxn_calibration_method method);

/* CXN_E_ARG for another word, with those there are. */
enum cxn_status cxn_calibration_method_parse(const char *word, enum cxn_calibration_method *method,
                                             struct cxn_error *err);

/* As a JSON file (docs/formats.md), complete or not at all; the same calibration, the same bytes.
 * CXN_E_FORMAT that names a number which is not finite; CXN_E_IO; CXN_E_NOMEM. */
enum cxn_status cxn_calibration_write(const cxn_calibration *calibration, const struct cxn_env *env,
                                      const char *path, struct cxn_error *err);

/* Of a file's text, and of what jansson takes for it. */
enum { CXN_CALIBRATION_TEXT_MAX_BYTES = 16 << 20, CXN_CALIBRATION_JSON_MAX_BYTES = 64 << 20 };

/*
 * Untrusted input: the calibration of exactly this network. CXN_OK; CXN_E_FORMAT: no JSON, a member
 * that is missing, unexpected or of another kind, or the first number that no calibration has;
 * CXN_E_LIMIT; CXN_E_IO; CXN_E_NOMEM. Texts name the file. fold is borrowed.
 */
enum cxn_status cxn_calibration_read(cxn_calibration **calibration, const cxn_fold *fold,
                                     const struct cxn_env *env, const char *path,
                                     struct cxn_error *err);

/* The same of bytes in memory, borrowed for the call; texts name no file. */
enum cxn_status cxn_calibration_parse(cxn_calibration **calibration, const cxn_fold *fold,
                                      const struct cxn_env *env, const void *text, size_t size,
                                      struct cxn_error *err);

#endif
