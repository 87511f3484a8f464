/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_PAIRS_H
#define CXN_KERN_AMX_PAIRS_H

#include "kern/amx/blocks.h"
#include "kern/panel_fill.h"

/*
 * A 1x1 whose terms are computed on the way, two tiles of places at a time: their panel stays in
 * L1 while all channels are computed of it.
 */

/* Two tiles of places, or one: those from `one` on and those from `two` on. */
struct pair {
    size_t one, two;
    bool both;
};

/* All channels of the places that are in the panel, which is c->src. b: of the first channels. */
TILE_INLINE void compute_pair(struct block_type type, const struct cxn_conv_bordered *c,
                              const struct pair *pair, struct block b)
{
    alignas(64) block_sums sums[2];
    const struct runs r = runs_of(c, type.number_bytes);
    const size_t panel_bytes = panel_size(type, r.bytes / ROW_BYTES);
    for (size_t channel = 0; channel < c->out; channel += type.outputs) {
        b.mask = mask_outputs(type, c->out - channel);
        type.begin(b.panel, pair->both);
        add_runs(type, &r, &b, pair->both);
        end_sums(sums, pair->both);
        store_places(type, c, &b, pair->one, sums[0]);
        if (pair->both) store_places(type, c, &b, pair->two, sums[1]);
        b.panel += panel_bytes;
        b.dst += type.outputs * type.number_bytes;
    }
}

/* The last tile ends with the map, so it may compute places again, to the same bits. fill() fills
 * the panel. */
TILE_INLINE void run_pairs(struct block_type type, const struct cxn_conv_bordered *c,
                           panel_fill_fn *fill, const void *terms)
{
    const size_t count = c->height * c->width;
    const size_t rows = count < PLACES ? count : PLACES, last = count - rows;
    const size_t panels = (c->out + type.outputs - 1) / type.outputs;
    const size_t steps = c->run * type.number_bytes / ROW_BYTES;
    const size_t pairs = (count + 2 * rows - 1) / (2 * rows);
    struct asking asking = begin_asking(c, pairs * panels * steps, panel_size(type, steps),
                                        panels);
    configure(rows);
    for (size_t first = 0; first < count; first += 2 * rows) {
        const size_t one = first < last ? first : last;
        const size_t two = first + rows < last ? first + rows : last;
        const struct pair pair = { one, two, first + rows < count };
        const char *src = c->src;
        fill(terms, one, two + rows - one);
        tile_finish_stores(src);
        compute_pair(type, c, &pair,
                     (struct block){ { src, src + (two - one) * c->place_step * type.number_bytes },
                                     rows, c->width, c->w, 0, c->dst, &asking });
    }
    _tile_release(); /* the thread is the host's, which need not save tiles */
}

#endif
