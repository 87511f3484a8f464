/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_HISTOGRAM_H
#define CXN_QUANT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * How often a channel's numbers fall where. Bins are 2^e wide and begin at 0, e being the least
 * with which all numbers so far have a bin: where one has none, pairs of bins are merged. So the
 * counts depend on the numbers alone, not on their order.
 */

enum {
    CXN_HISTOGRAM_BINS = 2048,
    CXN_HISTOGRAM_EXPONENT_MIN = -60, /* of e, and where it begins: what is smaller shares a bin */
    CXN_HISTOGRAM_EXPONENT_MAX = 118, /* every float has a bin */
};

struct cxn_histogram {
    int32_t exponent; /* e */
    int32_t first;    /* number of counts[0], bin 0 being 0 to 2^e: 0, or minus half the bins */
    uint32_t *counts; /* [CXN_HISTOGRAM_BINS] */
};

/* Count places numbers, `step` apart, not negative where first is 0. Those that are not finite are
 * left out. */
void cxn_histogram_count(struct cxn_histogram *h, const float *numbers, size_t places, size_t step);

/* Lower end of counts[i]; i up to CXN_HISTOGRAM_BINS, for the upper end of the last. */
double cxn_histogram_edge(const struct cxn_histogram *h, size_t i);

#endif
