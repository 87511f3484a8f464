/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_COLLECT_H
#define CXN_QUANT_COLLECT_H

#include "base/env.h"
#include "nn/engine.h"
#include "quant/counts.h"

/*
 * What the float network's activations are, view by view. Each view's numbers are computed by one
 * thread alone and join the others' in the order of the views, in double: the number of threads,
 * and where a batch ends, do not show.
 */
typedef struct cxn_collector cxn_collector;

/* fold and env are borrowed; block: fold->net's floats, not needed afterwards. batch: most views of
 * one call. rule: how ranges are found; all but min-max need 80 MiB for DenseNet-121. CXN_OK,
 * CXN_E_NOMEM, or what cxn_engine_fp32 returns. */
enum cxn_status cxn_collector_open(cxn_collector **collector, const cxn_fold *fold,
                                   const float *block, const struct cxn_range_rule *rule,
                                   size_t batch, const struct cxn_env *env, struct cxn_error *err);

/* Take in these views of the usual room, all of one size. CXN_E_ARG for more than a batch; what
 * cxn_fused_observe() returns; CXN_E_FORMAT where an activation is not finite. The collector is of
 * no use after CXN_E_FORMAT: its histograms may have some of these views. */
enum cxn_status cxn_collector_see(cxn_collector *collector, const struct cxn_view *views,
                                  size_t count, struct cxn_error *err);

/* Ranges, means and shares of what was seen, at least one view, into the parts of a calibration of
 * the same fold; the rest of it is the caller's. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_collector_finish(const cxn_collector *collector, cxn_calibration *calibration,
                                     struct cxn_error *err);

/* All that goes on growing, to be kept and brought back; `seen` alone is a copy. */
struct cxn_collected {
    size_t seen;        /* views */
    double *sums;       /* [sum_count] as in a calibration: extremes, sums of means and of shares */
    size_t sum_count;
    struct cxn_counts_state counts; /* zeroed where the rule needs none */
};
struct cxn_collected cxn_collector_state(const cxn_collector *collector);

/* The arrays of its state were filled from those of another collector, which had seen so many
 * views. CXN_E_FORMAT that names the first of the sums that so many views do not give. */
enum cxn_status cxn_collector_resume(cxn_collector *collector, size_t seen,
                                     struct cxn_error *err);

void cxn_collector_close(cxn_collector **collector);

#endif
