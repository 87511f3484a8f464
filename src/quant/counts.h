/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_COUNTS_H
#define CXN_QUANT_COUNTS_H

#include "base/env.h"
#include "quant/ranges.h"

/* Histograms of all channels that a calibration has ranges of. */
typedef struct cxn_counts cxn_counts;

/* Empty ones; fold is borrowed. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_counts_open(cxn_counts **counts, const cxn_fold *fold, struct cxn_mem *mem,
                                struct cxn_error *err);
void cxn_counts_close(cxn_counts **counts);

/* Count the numbers of part i: [places][step], of which the first are its channels. Several threads
 * may call it at once. Numbers that are not finite are left out. */
void cxn_counts_see(cxn_counts *counts, size_t i, const float *numbers, size_t places,
                    size_t step);

/* Narrow the ranges of a calibration, which are those of the numbers counted. The pool's threads
 * share the parts. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_counts_narrow(const cxn_counts *counts, const struct cxn_range_rule *rule,
                                  cxn_calibration *calibration, const struct cxn_env *env,
                                  struct cxn_error *err);

/* What it consists of, to be kept and brought back; the arrays are its own, not copies. */
struct cxn_counts_state {
    size_t channels;
    int32_t *exponents; /* [channels] */
    uint32_t *counts;   /* [channels][CXN_HISTOGRAM_BINS] */
};
struct cxn_counts_state cxn_counts_state(const cxn_counts *counts);

#endif
