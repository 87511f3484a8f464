/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_GRIDS_H
#define CXN_QUANT_GRIDS_H

/*
 * What the bytes of a channel stand for: q for lo + step q. The ranges are calibration's; a margin
 * keeps pictures that it has not seen out of saturation: docs/int8.md, "Ranges".
 */

/* Bytes are 0 to this. */
#define CXN_GRID_TOP 255.0

struct cxn_grid {
    double lo, step; /* step above 0 */
};

/* Of a map. lo <= hi, both finite. */
struct cxn_grid cxn_grid_map(double lo, double hi);

/* Of a bottleneck, behind its ReLU: lo is 0. hi: its maximum, finite and not negative. */
struct cxn_grid cxn_grid_bottleneck(double hi);

#endif
