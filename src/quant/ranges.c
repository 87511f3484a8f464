/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/ranges.h"

#include <math.h>

enum { STEPS = 255, LEVELS = STEPS + 1, CANDIDATES = 128 };

/* A histogram with its sums up to each edge, and the edges of the whole range. */
struct search {
    const struct cxn_histogram *h;
    const struct cxn_range_rule *rule;
    struct cxn_range whole;
    double *weight;               /* [CXN_HISTOGRAM_BINS] what a bin counts */
    double *count, *sum, *square; /* [CXN_HISTOGRAM_BINS + 1] of what lies below an edge */
    size_t first, last;           /* edges around all numbers */
};

static void take_weights(struct search *s)
{
    for (size_t i = 0; i < CXN_HISTOGRAM_BINS; i++) s->weight[i] = (double)s->h->counts[i];
    if (!s->whole.from_zero) return;
    if (s->rule->method == CXN_CALIBRATION_ENTROPY) s->weight[0] = s->weight[1];
    if (s->rule->method == CXN_CALIBRATION_MSE) s->weight[0] = 0;
}

static void add_up(struct search *s)
{
    const double half = ldexp(0.5, s->h->exponent);
    s->count[0] = s->sum[0] = s->square[0] = 0;
    for (size_t i = 0; i < CXN_HISTOGRAM_BINS; i++) {
        const double x = cxn_histogram_edge(s->h, i) + half;
        s->count[i + 1] = s->count[i] + s->weight[i];
        s->sum[i + 1] = s->sum[i] + s->weight[i] * x;
        s->square[i + 1] = s->square[i] + s->weight[i] * x * x;
    }
}

static void begin(struct search *s, double *scratch)
{
    enum { EDGES = CXN_HISTOGRAM_BINS + 1 };
    s->weight = scratch;
    s->count = scratch + EDGES;
    s->sum = scratch + 2 * EDGES;
    s->square = scratch + 3 * EDGES;
    take_weights(s);
    add_up(s);
    s->last = CXN_HISTOGRAM_BINS;
    while (s->last > 1 && s->h->counts[s->last - 1] == 0) s->last--;
    while (!s->whole.from_zero && s->first + 1 < s->last && s->h->counts[s->first] == 0)
        s->first++;
}

/* The range between two edges; the outermost are the minimum and the maximum. */
static struct cxn_range range_of(const struct search *s, size_t lo, size_t hi)
{
    struct cxn_range range = s->whole;
    if (lo > s->first) range.lo = cxn_histogram_edge(s->h, lo);
    if (hi < s->last) range.hi = cxn_histogram_edge(s->h, hi);
    return range;
}

/* ---- percentile --------------------------------------------------------------------------- */

static struct cxn_range cut_shares(const struct search *s)
{
    const double all = s->count[CXN_HISTOGRAM_BINS], wanted = all * s->rule->percentile / 100;
    size_t hi = s->first + 1, lo = s->last - 1;
    while (hi < s->last && s->count[hi] < wanted) hi++;
    while (lo > s->first && all - s->count[lo] < wanted) lo--;
    return range_of(s, s->whole.from_zero ? s->first : lo, hi);
}

/* ---- entropy and mse: the range of least cost --------------------------------------------- */

typedef double cost_fn(const struct search *s, size_t lo, size_t hi);

static double squared_error(const struct search *s, size_t lo, size_t hi)
{
    const struct cxn_range r = range_of(s, lo, hi);
    const double step = (r.hi - r.lo) / STEPS;
    const double above = s->count[CXN_HISTOGRAM_BINS] - s->count[hi];
    const double above_sum = s->sum[CXN_HISTOGRAM_BINS] - s->sum[hi];
    const double above_square = s->square[CXN_HISTOGRAM_BINS] - s->square[hi];
    return (s->count[hi] - s->count[lo]) * step * step / 12 +
           s->square[lo] - 2 * r.lo * s->sum[lo] + r.lo * r.lo * s->count[lo] +
           above_square - 2 * r.hi * above_sum + r.hi * r.hi * above;
}

/* Bins lo..hi - 1, those outside added to the outermost, against the same with each level's count
 * spread evenly over its bins that have one. */
static double divergence(const struct search *s, size_t lo, size_t hi)
{
    const size_t bins = hi - lo;
    const double all = s->count[CXN_HISTOGRAM_BINS], within = s->count[hi] - s->count[lo];
    double sum = 0;
    for (size_t level = 0; level < LEVELS; level++) {
        const size_t from = lo + level * bins / LEVELS, to = lo + (level + 1) * bins / LEVELS;
        size_t filled = 0;
        for (size_t i = from; i < to; i++) filled += s->weight[i] > 0;
        const double spread = (s->count[to] - s->count[from]) / (double)filled;
        for (size_t i = from; i < to; i++) {
            double p = s->weight[i];
            if (i == lo) p += s->count[lo];
            if (i + 1 == hi) p += all - s->count[hi];
            if (p > 0 && !(s->weight[i] > 0)) return INFINITY;
            if (p > 0) sum += p / all * log(p / all / (spread / within));
        }
    }
    return sum;
}

/* An end is moved inwards, `stride` bins at a time, while `narrowest` are left; of equal costs the
 * widest range is taken. */
struct walk {
    const struct search *s;
    cost_fn *cost;
    size_t stride, narrowest;
};

static size_t move_hi(const struct walk *w, size_t lo, size_t hi)
{
    size_t best = hi;
    double least = w->cost(w->s, lo, hi);
    while (hi >= lo + w->narrowest + w->stride) {
        hi -= w->stride;
        const double cost = w->cost(w->s, lo, hi);
        if (!(cost < least)) continue;
        least = cost;
        best = hi;
    }
    return best;
}

static size_t move_lo(const struct walk *w, size_t lo, size_t hi)
{
    size_t best = lo;
    double least = w->cost(w->s, lo, hi);
    while (hi >= lo + w->narrowest + w->stride) {
        lo += w->stride;
        const double cost = w->cost(w->s, lo, hi);
        if (!(cost < least)) continue;
        least = cost;
        best = lo;
    }
    return best;
}

static struct cxn_range find_least(const struct search *s)
{
    const size_t bins = s->last - s->first;
    struct walk w = { .s = s, .cost = squared_error, .stride = 1, .narrowest = 1 };
    if (s->rule->method == CXN_CALIBRATION_ENTROPY) {
        w.cost = divergence;
        w.narrowest = LEVELS;
        w.stride = (bins + CANDIDATES - 1) / CANDIDATES;
    }
    if (bins < w.narrowest) return s->whole;
    const size_t hi = move_hi(&w, s->first, s->last);
    const size_t lo = s->whole.from_zero ? s->first : move_lo(&w, s->first, hi);
    return range_of(s, lo, hi);
}

void cxn_range_narrow(struct cxn_range *range, const struct cxn_range_rule *rule,
                      const struct cxn_histogram *h, double *scratch)
{
    struct search s = { .h = h, .rule = rule, .whole = *range };
    if (rule->method == CXN_CALIBRATION_MINMAX || !(range->hi > range->lo)) return;
    begin(&s, scratch);
    *range = rule->method == CXN_CALIBRATION_PERCENTILE ? cut_shares(&s) : find_least(&s);
}
