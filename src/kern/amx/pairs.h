/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_PAIRS_H
#define CXN_KERN_AMX_PAIRS_H

#include "kern/amx/blocks.h"

/*
 * A 1x1 whose terms are computed on the way, two tiles of places at a time: their panel stays in
 * L1 while all channels are computed of it.
 */

/* Two tiles of places, or one: those from `one` on and those from `two` on. */
struct pair {
    size_t one, two, rows;
    bool both;
};

/* All channels of the places that are in the panel, which is c->src. */
TILE_INLINE void compute_pair(struct block_type type, const struct cxn_conv_bordered *c,
                              const struct pair *pair)
{
    alignas(64) block_sums sums[2];
    const struct runs r = runs_of(c, type.number_bytes);
    const size_t panel_bytes = type.header_bytes + r.bytes / ROW_BYTES * PANEL_STEP_BYTES;
    const size_t row_step = c->dst_row_step * type.number_bytes;
    const char *panel = c->src;
    struct block b = { { panel, panel + (pair->two - pair->one) * r.place_step }, pair->rows,
                       c->w, pair->one == 0 ? panel_bytes : 0 };
    for (size_t channel = 0; channel < c->out; channel += type.outputs, b.panel += panel_bytes) {
        const size_t left = c->out - channel;
        const __mmask32 mask = mask_channels(left < type.outputs ? left : type.outputs);
        char *dst = (char *)c->dst + channel * type.number_bytes;
        type.begin(b.panel, pair->both);
        add_runs(type, &r, &b, pair->both);
        end_sums(sums, pair->both);
        store_places(type, c, b.panel, c->width, pair->one % c->width, pair->rows, mask, sums[0],
                     dst + pair->one / c->width * row_step);
        if (!pair->both) continue;
        store_places(type, c, b.panel, c->width, pair->two % c->width, pair->rows, mask, sums[1],
                     dst + pair->two / c->width * row_step);
    }
}

/* Puts the terms of `places` places from number `first` on into the panel. */
typedef void fill_fn(const void *terms, size_t first, size_t places);

/* The last tile ends with the map, so it may compute places again, to the same bits. */
TILE_INLINE void run_pairs(struct block_type type, const struct cxn_conv_bordered *c,
                           fill_fn *fill, const void *terms)
{
    const size_t count = c->height * c->width;
    const size_t rows = count < PLACES ? count : PLACES, last = count - rows;
    configure(rows);
    for (size_t first = 0; first < count; first += 2 * rows) {
        const size_t one = first < last ? first : last;
        const size_t two = first + rows < last ? first + rows : last;
        const struct pair pair = { one, two, rows, first + rows < count };
        fill(terms, one, two + rows - one);
        tile_finish_stores(c->src);
        compute_pair(type, c, &pair);
    }
    _tile_release(); /* the thread is the host's, which need not save tiles */
}

#endif
