/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/histogram.h"

#include <math.h>

/* Number of the bin that bin i lies in where bins are 2^shift times as wide: rounded downwards. */
static int32_t wider(int32_t i, int32_t shift)
{
    if (shift > 30) return i < 0 ? -1 : 0;
    return i < 0 ? -((-i - 1) >> shift) - 1 : i >> shift;
}

static void move(const struct cxn_histogram *h, int32_t i, int32_t shift)
{
    uint32_t *from = &h->counts[i - h->first];
    const uint32_t count = *from;
    *from = 0;
    h->counts[wider(i, shift) - h->first] += count;
}

/* From 0 outwards, so that no bin is moved onto one that has yet to move. */
static void widen(struct cxn_histogram *h, int32_t exponent)
{
    const int32_t shift = exponent - h->exponent;
    for (int32_t i = 0; i < CXN_HISTOGRAM_BINS + h->first; i++) move(h, i, shift);
    for (int32_t i = -1; i >= h->first; i--) move(h, i, shift);
    h->exponent = exponent;
}

/* The least exponent with which all numbers of at most that size have a bin. */
static int32_t exponent_for(const struct cxn_histogram *h, float most)
{
    int above; /* most < 2^above */
    if (!(most > 0)) return CXN_HISTOGRAM_EXPONENT_MIN; /* frexpf() would say 2^0 */
    frexpf(most, &above);
    const int32_t bins = h->first == 0 ? 11 : 10; /* 2^11 or 2^10 of them on either side of 0 */
    _Static_assert(CXN_HISTOGRAM_BINS == 1 << 11, "bins");
    return above - bins;
}

void cxn_histogram_count(struct cxn_histogram *h, const float *numbers, size_t places, size_t step)
{
    float most = 0;
    for (size_t p = 0; p < places; p++)
        if (isfinite(numbers[p * step])) most = fmaxf(most, fabsf(numbers[p * step]));
    const int32_t exponent = exponent_for(h, most);
    if (exponent > h->exponent) widen(h, exponent);
    const double per_bin = ldexp(1, -h->exponent);
    for (size_t p = 0; p < places; p++) {
        if (!isfinite(numbers[p * step])) continue;
        const double at = (double)numbers[p * step] * per_bin; /* exact */
        int32_t i = (int32_t)at;
        if ((double)i > at) i--;
        h->counts[i - h->first]++;
    }
}

double cxn_histogram_edge(const struct cxn_histogram *h, size_t i)
{
    return ldexp((double)((int32_t)i + h->first), h->exponent);
}
