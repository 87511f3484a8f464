/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_PANELS_H
#define CXN_KERN_HINGE_PANELS_H

#include "kern/hinge_conv_bf16.h"

enum { HINGE_PANEL_PLACES = 56 };

/* `count` places from src on. In plain C: each level's compiler flags make vectors of it. The
 * convolution takes an even number of terms. */
static inline void fill_hinge_panel(const struct cxn_hinge_conv *c, const uint16_t *src,
                                    size_t count, size_t step)
{
    const uint16_t *restrict knot = c->knot, *restrict turn = c->turn;
    for (size_t p = 0; p < count; p++, src += c->src_step) {
        uint16_t *restrict to = c->panel + p * step;
        for (size_t i = 0; i < c->channels; i++) {
            const uint16_t turned = src[i] ^ turn[i];
            to[i] = (turned > knot[i] ? turned : knot[i]) ^ turn[i];
        }
        if (c->channels % 2 != 0) to[c->channels] = 0;
    }
}

static inline size_t hinge_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* By a level's convolution of what is in the panel: some whole rows of the map at a time, or a part
 * of a row that is longer. */
static inline void hinge_conv_loop(const struct cxn_hinge_conv *c, cxn_conv_bordered_fn *run)
{
    const size_t step = cxn_hinge_conv_step(c->channels);
    const size_t columns = hinge_smaller(c->width, HINGE_PANEL_PLACES);
    const size_t rows = HINGE_PANEL_PLACES / columns;
    struct cxn_conv_bordered conv = {
        .src = c->panel, .place_step = step, .tap_rows = 1, .run = (c->channels + 1) / 2 * 2,
        .out = c->out, .w = c->w, .dst_place_step = c->dst_place_step,
        .dst_row_step = c->dst_row_step, .relu = true
    };
    for (size_t y = 0; y < c->height; y += conv.height)
        for (size_t x = 0; x < c->width; x += conv.width) {
            conv.width = hinge_smaller(columns, c->width - x);
            conv.height = c->width > columns ? 1 : hinge_smaller(rows, c->height - y);
            conv.row_step = conv.width * step;
            conv.dst = c->dst + y * c->dst_row_step + x * c->dst_place_step;
            fill_hinge_panel(c, c->src + (y * c->width + x) * c->src_step,
                             conv.height * conv.width, step);
            run(&conv);
        }
}

#endif
