/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_PANELS_H
#define CXN_KERN_HINGE_PANELS_H

#include "kern/conv_bordered.h"
#include "kern/panel_fill.h"

enum { HINGE_PANEL_PLACES = 56 };

static inline size_t hinge_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of `count`, cut into parts of at most `most` and about equal size. */
static inline size_t hinge_share(size_t count, size_t most)
{
    const size_t parts = (count + most - 1) / most;
    return (count + parts - 1) / parts;
}

/* The 1x1 `whole` by a level's convolution of what is in the panel, which is whole->src: some whole
 * rows of the map at a time, or a part of a row that is longer. */
static inline void hinge_conv_loop(const struct cxn_conv_bordered *whole, size_t number_bytes,
                                   panel_fill_fn *fill, const void *hinge,
                                   cxn_conv_bordered_fn *run)
{
    const size_t columns = hinge_share(whole->width, HINGE_PANEL_PLACES);
    const size_t rows = hinge_share(whole->height, HINGE_PANEL_PLACES / columns);
    struct cxn_conv_bordered conv = *whole;
    for (size_t y = 0; y < whole->height; y += conv.height)
        for (size_t x = 0; x < whole->width; x += conv.width) {
            conv.width = hinge_smaller(columns, whole->width - x);
            conv.height = whole->width > columns ? 1 : hinge_smaller(rows, whole->height - y);
            conv.row_step = conv.width * conv.place_step;
            conv.dst = (char *)whole->dst +
                       (y * conv.dst_row_step + x * conv.dst_place_step) * number_bytes;
            fill(hinge, y * whole->width + x, conv.height * conv.width);
            run(&conv);
        }
}

#endif
