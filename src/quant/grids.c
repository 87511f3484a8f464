/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/grids.h"

#define MAP_MARGIN 0.1        /* of hi - lo, on either side */
#define BOTTLENECK_MARGIN 1.25 /* times the maximum */

/* A channel that does not vary still needs a step, so that the numbers made with it are finite. So
 * small a one makes any byte mean the same. */
#define SPAN_MIN 1e-6

static struct cxn_grid make_grid(double lo, double hi)
{
    const double span = hi - lo;
    return (struct cxn_grid){ .lo = lo,
                              .step = (span > SPAN_MIN ? span : SPAN_MIN) / CXN_GRID_TOP };
}

struct cxn_grid cxn_grid_map(double lo, double hi)
{
    const double margin = MAP_MARGIN * (hi - lo);
    const double below = lo - margin;
    return make_grid(lo >= 0.0 && below < 0.0 ? 0.0 : below, hi + margin);
}

struct cxn_grid cxn_grid_bottleneck(double hi)
{
    return make_grid(0.0, BOTTLENECK_MARGIN * hi);
}
