/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/knots.h"

#include <math.h>

static const uint8_t ALWAYS_CUT = 255; /* as a knot: nothing is above it */

/* at: where the knot lies on the grid, from the end where the hinge is 0: at 0 the whole grid is
 * above it. */
static struct cxn_knot place_knot(double slope, double at)
{
    struct cxn_knot k = { .slope = slope };
    if (at < 0.0) {
        k.constant = slope * -at;
        return k;
    }
    const double nearest = rint(at);
    k.knot = nearest < CXN_GRID_TOP ? (uint8_t)nearest : ALWAYS_CUT;
    if (k.knot == ALWAYS_CUT) k.slope = 0.0;
    else k.rounded = at - nearest;
    return k;
}

struct cxn_knot cxn_knot_make(double scale, double shift, const struct cxn_grid *grid)
{
    if (scale == 0.0)
        return (struct cxn_knot){ .knot = ALWAYS_CUT, .constant = shift > 0.0 ? shift : 0.0 };
    const double at = (-shift / scale - grid->lo) / grid->step;
    struct cxn_knot k = place_knot(fabs(scale) * grid->step, scale > 0.0 ? at : CXN_GRID_TOP - at);
    if (scale < 0.0) k.flip = 255;
    return k;
}

double cxn_knot_mean(const struct cxn_knot *knot, double mean, double share)
{
    if (knot->slope == 0.0) return 0.0;
    return (mean - knot->constant) / knot->slope + knot->rounded * share;
}
