/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_PAIRS_H
#define CXN_KERN_AMX_PAIRS_H

#include "kern/amx/blocks.h"

/*
 * A 1x1 whose terms are computed on the way, two tiles of places at a time: their panel stays in
 * L1 while all channels are computed of it.
 */

/* All channels of the places that are in the panel, which is c->src. */
TILE_INLINE void compute_pair(struct block_type type, const struct cxn_conv_bordered *c,
                              const struct pair *pair, const struct refill *next,
                              struct beside *beside)
{
    const struct runs r = runs_of(c, type.number_bytes);
    const size_t panel_bytes = panel_size(type, r.bytes / ROW_BYTES);
    const char *src = c->src;
    struct block b = { .src = { src, src + (pair->two - pair->one) * r.place_step },
                       .distance = pair->two - pair->one, .panel = c->w };
    for (size_t channel = 0; channel < c->out; channel += type.outputs, b.panel += panel_bytes) {
        const size_t left = c->out - channel;
        if (left <= type.outputs && next->count > 0) b.refill = next;
        type.begin(b.panel, pair->both);
        add_runs(type, &r, &b, pair->both, beside);
        store_rest(type, &beside->waiting);
        end_sums(&b, pair->both, beside->waiting.sums);
        put_waiting(&beside->waiting, type.end(c, b.panel, mask_outputs(type, left)),
                    pair->one, pair->count, (char *)c->dst + channel * type.number_bytes);
    }
}

TILE_INLINE void run_pairs(struct block_type type, const struct cxn_conv_bordered *c,
                           fill_step_fn *fill, const void *terms)
{
    alignas(64) place_sums sums[2 * PLACES];
    const size_t count = c->height * c->width, rows = count < PLACES ? count : PLACES;
    const size_t panels = (c->out + type.outputs - 1) / type.outputs;
    const size_t steps = c->run * type.number_bytes / ROW_BYTES;
    const size_t pairs = (count + 2 * rows - 1) / (2 * rows);
    const size_t panel_bytes = panel_size(type, steps);
    struct beside beside = { begin_asking(c, pairs * panels * steps, panel_bytes, panels),
                             begin_waiting(type, c, c->width, 4 * steps, sums) };
    struct pair pair = pair_at(0, rows, count);
    const struct refill begin = { fill, terms, pair.one, pair.count };
    configure(rows);
    for (size_t i = 0; i < steps; i++) fill_step(&begin, i * ROW_BYTES);
    for (size_t first = 0; first < count; first += 2 * rows) {
        const struct pair after = pair_at(first + 2 * rows, rows, count);
        const struct refill next = { fill, terms, after.one, after.count };
        compute_pair(type, c, &pair, &next, &beside);
        pair = after;
    }
    store_rest(type, &beside.waiting);
    _tile_release(); /* the thread is the host's, which need not save tiles */
}

#endif
