/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_RANGES_H
#define CXN_QUANT_RANGES_H

#include "base/mem.h"
#include "quant/calibration.h"
#include "quant/histogram.h"

/*
 * Ends of a channel's range between its minimum and maximum:
 *
 * percentile  where that share of the numbers lies below hi, and above lo
 * entropy     where the histogram within, and what 256 levels make of it, differ least by Kullback
 *             and Leibler's measure, numbers outside counting as the last bin (Migacz, "8-bit
 *             inference with TensorRT", GTC 2017; an upper bin's count stands for the numbers that
 *             ReLU made 0, as in NVIDIA's pytorch-quantization)
 * mse         where the mean squared error of 255 steps is least: a twelfth of a step's square
 *             within, the distance to the end outside (Banner, Nahshan, Soudry, "Post training
 *             4-bit quantization of convolutional networks for rapid-deployment", NeurIPS 2019)
 *
 * Where there are two ends, hi is moved first, with lo at its minimum, then lo.
 */
struct cxn_range {
    double lo, hi;
    bool from_zero; /* behind ReLU: lo is 0 and stays there, and 0 has no error */
};

struct cxn_range_rule {
    enum cxn_calibration_method method;
    double percentile; /* above 50, below 100 */
};

/* Doubles of scratch that narrowing a range needs. */
enum { CXN_RANGE_SCRATCH = 4 * (CXN_HISTOGRAM_BINS + 1) };

/* range: minimum and maximum of what h counted; narrowed. scratch: [CXN_RANGE_SCRATCH]. */
void cxn_range_narrow(struct cxn_range *range, const struct cxn_range_rule *rule,
                      const struct cxn_histogram *h, double *scratch);

#endif
