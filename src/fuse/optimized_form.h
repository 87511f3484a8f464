/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_OPTIMIZED_FORM_H
#define CXN_FUSE_OPTIMIZED_FORM_H

#include "fuse/optimized.h"
#include "model/safetensors.h"

/* What reader and writer of optimised files agree on: their tensors and their metadata. */

enum { CXN_SLOT_NAME_BYTES = CXN_NET_NAME_BYTES + 8 };

/* A tensor as the file has it. */
struct cxn_slot {
    char name[CXN_SLOT_NAME_BYTES]; /* "": the part has no such array */
    enum cxn_dtype dtype;
    uint32_t rank;
    uint64_t dims[4];
};

/* Slots 2i and 2i + 1 are the arrays of part i; these three stand behind all parts. */
enum { CXN_SLOT_PICTURE, CXN_SLOT_REFERENCE, CXN_SLOT_ANSWERS, CXN_SLOTS_PROBE };

static inline size_t cxn_slot_count(const cxn_fold *fold)
{
    return 2 * fold->count + CXN_SLOTS_PROBE;
}

struct cxn_slot cxn_slot_make(const cxn_fold *fold, enum cxn_precision precision, size_t i);

/* What cxn_optimized_is() goes by. */
#define CXN_OPTIMIZED_KEY "chexnet_format"

enum { CXN_OPTIMIZED_PAIRS = 11, CXN_OPTIMIZED_TEXT_BYTES = 512 };

/* All metadata, in the order of the file; borrows from about and text. difference: of the probe's
 * answers from the reference's. */
void cxn_optimized_pairs(const struct cxn_optimized_about *about, double difference,
                         char text[CXN_OPTIMIZED_TEXT_BYTES],
                         struct cxn_out_pair pairs[CXN_OPTIMIZED_PAIRS]);

/* Number i is not finite: CXN_E_FORMAT that says so. */
enum cxn_status cxn_fail_infinite(struct cxn_error *err, const char *tensor, size_t i,
                                  double value);

/* Number of the first of them that is not finite, or count. */
size_t cxn_find_infinite(const float *numbers, size_t count);

#endif
