/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_SENSITIVITY_H
#define CXN_QUANT_SENSITIVITY_H

#include "base/progress.h"
#include "nn/engine.h"
#include "quant/calibration.h"

/* Which convolutions' weights cost most by having 8 bits: each in turn gets two parts, alone. */

struct cxn_sensitivity {
    size_t part; /* of the fold */
    double fall; /* of the probabilities' mean squared change from the float network; below 0 where
                    roundings that had cancelled out no longer do */
};

struct cxn_sensitivity_input {
    const struct cxn_fold_source *source;
    const cxn_calibration *calibration;
    const struct cxn_view *views; /* of the usual room */
    size_t count;
    const float *wanted; /* the float network's probabilities, [count][classes] */
    const struct cxn_progress *progress; /* told of each; NULL: nobody */
};

/*
 * rows: [fold->count]; as many as there are convolutions but the stem are filled in, largest fall
 * first, and of equals the earlier. As many runs of all views as that, and one. CXN_OK;
 * CXN_E_STOPPED; what cxn_quantized_make() and cxn_engine_int8 return.
 */
enum cxn_status cxn_sensitivity_measure(const struct cxn_sensitivity_input *input,
                                        const struct cxn_env *env, struct cxn_sensitivity *rows,
                                        size_t *row_count, struct cxn_error *err);

#endif
