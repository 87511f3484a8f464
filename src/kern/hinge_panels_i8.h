/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_PANELS_I8_H
#define CXN_KERN_HINGE_PANELS_I8_H

#include "kern/hinge_conv_i8.h"
#include "kern/hinge_panels.h"

static inline void hinge_bytes(uint8_t *restrict to, const uint8_t *restrict src,
                               const uint8_t *restrict flip, const uint8_t *restrict knot,
                               size_t channels)
{
    for (size_t i = 0; i < channels; i++) to[i] = cxn_hinge_byte(src[i], flip[i], knot[i]);
}

/* In plain C: each level's compiler flags make vectors of it. What is behind the channels is
 * multiplied by the zeros that weights are filled up with. */
static inline void fill_hinge_panel_i8(const void *hinge, size_t first, size_t count)
{
    const struct cxn_hinge_conv_i8 *c = hinge;
    const size_t step = cxn_hinge_conv_i8_step(c->channels);
    for (size_t p = 0; p < count; p++)
        hinge_bytes(c->panel + p * step, c->src + (first + p) * c->src_step, c->flip, c->knot,
                    c->channels);
}

/* The convolution of the panel; its terms are filled up to a multiple of `terms`. */
static inline struct cxn_conv_bordered hinge_conv_i8_whole(const struct cxn_hinge_conv_i8 *c,
                                                           size_t terms)
{
    return (struct cxn_conv_bordered){
        .src = c->panel, .place_step = cxn_hinge_conv_i8_step(c->channels), .tap_rows = 1,
        .run = (c->channels + terms - 1) / terms * terms, .height = c->height, .width = c->width,
        .out = c->out, .w = c->w, .dst = c->dst, .dst_place_step = c->dst_place_step,
        .dst_row_step = c->dst_row_step, .two_parts = c->two_parts,
        .bounded = c->bounded, .ahead = c->ahead
    };
}

static inline void hinge_conv_i8_by(const struct cxn_hinge_conv_i8 *c, cxn_conv_bordered_fn *run)
{
    const struct cxn_conv_bordered whole = hinge_conv_i8_whole(c, CXN_CONV_I8_TERMS);
    hinge_conv_loop(&whole, sizeof(uint8_t), fill_hinge_panel_i8, c, run);
}

#endif
