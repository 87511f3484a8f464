/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_OPTIMIZED_FORM_H
#define CXN_FUSE_OPTIMIZED_FORM_H

#include "fuse/optimized.h"

/* What reader and writer of optimised files agree on. */

struct cxn_derived_kind cxn_optimized_kind(enum cxn_precision precision);

/* Slots 2i and 2i + 1 are the arrays of part i. Borrows both. */
struct cxn_slots cxn_optimized_slots(const cxn_fold *fold, const enum cxn_precision *precision);

/* Floats of both arrays of the largest part. */
size_t cxn_optimized_scratch(const cxn_fold *fold);

#endif
