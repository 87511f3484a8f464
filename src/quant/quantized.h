/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_QUANTIZED_H
#define CXN_QUANT_QUANTIZED_H

#include "base/mem.h"
#include "fuse/fold.h"

/* The folded graph in 8 bits as plain numbers, what a quantised file holds: docs/int8.md. Nothing
 * here depends on kernels or instruction levels. */

/*
 * One part; pointers are NULL where its kind has no such array:
 *     stem, convolution  weight [kernel][kernel][in][out], m [out], b [out];
 *                        in two parts, as the stem always is, low like weight
 *     norm               flip [out] (0 or 255), knot [out]
 *     head               linear [out][in], b [out]
 */
struct cxn_quantized_part {
    int8_t *weight, *low;
    float *m, *b;
    uint8_t *flip, *knot;
    float *linear;
};

typedef struct cxn_quantized {
    const cxn_fold *fold;             /* borrowed */
    struct cxn_quantized_part *parts; /* [fold->count] */
    uint8_t *numbers;                 /* what all pointers above point into */
} cxn_quantized;

/*
 * All arrays, zeroed. two_parts: [fold->count], which convolutions have two parts (a put-back
 * layer; the stem has them whatever it says, other kinds never); NULL: the stem alone.
 * CXN_OK or CXN_E_NOMEM.
 */
enum cxn_status cxn_quantized_open(cxn_quantized **quantized, const cxn_fold *fold,
                                   const bool *two_parts, struct cxn_mem *mem,
                                   struct cxn_error *err);
void cxn_quantized_close(cxn_quantized **quantized);

#endif
