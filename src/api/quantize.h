/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_QUANTIZE_H
#define CXN_API_QUANTIZE_H

#include <chexnet/quant.h>

#include "api/context.h"
#include "api/numbers.h"
#include "quant/quantize.h"

/* One quantisation at work. */
struct cxn_quantize_work {
    const struct cxn_env *env;
    const struct cxn_quantize_options *options;
    struct cxn_numbers numbers;
    cxn_net *net;
    cxn_fold *fold;
    struct cxn_fold_source source; /* of the block */
    cxn_calibration *calibration;
    bool two_parts[2 * CXN_QUANTIZE_LAYERS_MAX]; /* by part */
    cxn_quantized *quantized;
    struct cxn_quantize_result result;
};

/* Makes work->quantized anew, by work->two_parts. */
enum cxn_status cxn_quantize_again(struct cxn_quantize_work *work, struct cxn_error *err);

/* Evaluates work->quantized on the options' list and puts layers back until it passes; what it came
 * to is in work->result. */
enum cxn_status cxn_quantize_gate(struct cxn_quantize_work *work, struct cxn_error *err);

#endif
