/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/rounding.h"

#include <math.h>

enum {
    HIGH = 128,             /* what a unit of the first of two parts is worth */
    TOP_ONE = 127,          /* largest weight of one part */
    TOP_TWO = HIGH * 127 + 63 /* of two: then either part is in its range */
};

static int top_of(const struct cxn_rounding *r)
{
    return r->low ? TOP_TWO : TOP_ONE;
}

static double scale_of(const struct cxn_rounding *r, size_t term)
{
    return r->inputs[term % r->in].scale;
}

static void find_steps(const struct cxn_rounding *r)
{
    for (size_t o = 0; o < r->out; o++) r->step[o] = 0.0;
    for (size_t term = 0; term < r->taps * r->in; term++) {
        const double scale = scale_of(r, term);
        for (size_t o = 0; o < r->out; o++) {
            const double size = fabs((double)r->weight[term * r->out + o] * scale);
            if (size > r->step[o]) r->step[o] = size;
        }
    }
    for (size_t o = 0; o < r->out; o++) r->step[o] /= top_of(r);
}

/* To nearest, ties to even: the sum has no bits behind the point. Without SSE4.1 rint() is a
 * call. */
static double round_small(double x)
{
    return x + 0x1.8p52 - 0x1.8p52;
}

static int round_weight(double weight, double step, int top)
{
    if (step == 0.0) return 0;
    const double nearest = round_small(weight / step);
    return nearest > top ? top : nearest < -top ? -top : (int)nearest;
}

/* high is rounded down after half its unit was added, so that low is -64 to 63. */
static void put_weight(const struct cxn_rounding *r, size_t at, int weight)
{
    if (!r->low) {
        r->high[at] = (int8_t)weight;
        return;
    }
    const int high = (weight + HIGH / 2 + HIGH * HIGH) / HIGH - HIGH;
    r->high[at] = (int8_t)high;
    r->low[at] = (int8_t)(weight - HIGH * high);
}

void cxn_rounding_run(const struct cxn_rounding *r)
{
    find_steps(r);
    for (size_t term = 0; term < r->taps * r->in; term++) {
        const struct cxn_input input = r->inputs[term % r->in];
        for (size_t o = 0; o < r->out; o++) {
            const size_t at = term * r->out + o;
            const double exact = (double)r->weight[at];
            const int weight = round_weight(exact * input.scale, r->step[o], top_of(r));
            put_weight(r, at, weight);
            r->bias[o] += exact * input.mean - r->step[o] * (double)weight * input.number;
        }
    }
}
