/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_CALIBRATION_H
#define CXN_QUANT_CALIBRATION_H

#include "base/hash.h"
#include "base/mem.h"
#include "fuse/fold.h"

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
 *                  lo, hi      the map's channels that it writes; the stem's behind its ReLU
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
    char model_sha256[CXN_SHA256_HEX_BYTES]; /* of the file of weights */
    char list_sha256[CXN_SHA256_HEX_BYTES];  /* of the list of pictures */
    size_t images;  /* that it saw, one crop of each */
    uint64_t seed;  /* of the choice among the list's */
    struct cxn_calibration_part *parts; /* [fold->count] */
    double *numbers;                    /* what all pointers above point into */
} cxn_calibration;

/* All arrays, zeroed. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_calibration_open(cxn_calibration **calibration, const cxn_fold *fold,
                                     struct cxn_mem *mem, struct cxn_error *err);
void cxn_calibration_close(cxn_calibration **calibration);

#endif
