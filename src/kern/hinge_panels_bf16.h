/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_PANELS_BF16_H
#define CXN_KERN_HINGE_PANELS_BF16_H

#include "kern/hinge_conv_bf16.h"
#include "kern/hinge_panels.h"

/* In plain C: each level's compiler flags make vectors of it. The convolution takes an even number
 * of terms. */
static inline void fill_hinge_panel_bf16(const void *hinge, size_t first, size_t count)
{
    const struct cxn_hinge_conv *c = hinge;
    const size_t step = cxn_hinge_conv_step(c->channels);
    const uint16_t *restrict knot = c->knot, *restrict turn = c->turn;
    for (size_t p = 0; p < count; p++) {
        const uint16_t *src = c->src + (first + p) * c->src_step;
        uint16_t *restrict to = c->panel + p * step;
        for (size_t i = 0; i < c->channels; i++) {
            const uint16_t turned = src[i] ^ turn[i];
            to[i] = (turned > knot[i] ? turned : knot[i]) ^ turn[i];
        }
        if (c->channels % 2 != 0) to[c->channels] = 0;
    }
}

static inline void hinge_conv_bf16_by(const struct cxn_hinge_conv *c, cxn_conv_bordered_fn *run)
{
    const struct cxn_conv_bordered whole = {
        .src = c->panel, .place_step = cxn_hinge_conv_step(c->channels), .tap_rows = 1,
        .run = (c->channels + 1) / 2 * 2, .height = c->height, .width = c->width, .out = c->out,
        .w = c->w, .dst = c->dst, .dst_place_step = c->dst_place_step,
        .dst_row_step = c->dst_row_step, .relu = true
    };
    hinge_conv_loop(&whole, sizeof(uint16_t), fill_hinge_panel_bf16, c, run);
}

#endif
