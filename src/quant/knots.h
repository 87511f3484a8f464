/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_KNOTS_H
#define CXN_QUANT_KNOTS_H

#include <stdint.h>

#include "quant/grids.h"

/*
 * Norm and ReLU on the bytes of a map, kern/hinge_i8.h:
 *     max(0, scale * x + shift) = slope * u + constant,  u = cxn_hinge_byte(q, flip, knot)
 * exact but for the knot, which is rounded to a byte where it lies inside the grid.
 */
struct cxn_knot {
    uint8_t flip, knot;
    double slope;    /* 0 where u is always 0, that is, where knot is 255 */
    double constant; /* above 0 where the channel is never cut, or does not depend on x */
    double rounded;  /* what u is too small by for the rounding, where it is above 0 */
};

struct cxn_knot cxn_knot_make(double scale, double shift, const struct cxn_grid *grid);

/* The mean of u, from the mean of the hinge in the float network and the share of places where it
 * is above 0. */
double cxn_knot_mean(const struct cxn_knot *knot, double mean, double share);

#endif
