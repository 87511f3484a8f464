/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_MAPS_H
#define CXN_FUSE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "fuse/pack.h"
#include "nn/engine.h"

/*
 * Where the maps of one view lie. Maps that are never needed at once share memory; the layout is
 * made for the largest view there is room for, and smaller ones use it as well.
 */
struct cxn_maps_plan {
    size_t samples;                  /* offsets in bytes into a view's arena */
    size_t block[CXN_NET_BLOCKS];    /* [h][w][out of the block] */
    size_t head;                     /* float32 [h][w][out of the last block], or sums [out] */
    size_t view_bytes;               /* the arena of a view */
    size_t rounding;                 /* offset into the scratch: rows on their way into a map */
    size_t window;                   /* the same: rows between the 1x1 and the 3x3 of a layer */
    size_t scratch_bytes;            /* of a thread: rows after norm and ReLU, or of the stem */
};

/* Rows of a layer's map that are computed before its 1x1 goes on: about CXN_BAND_PLACES places, or
 * the rows of tiles that fill a group of Winograd's. */
enum { CXN_BAND_PLACES = 448 };
size_t cxn_band_rows(const struct cxn_packed *packed, const struct cxn_packed_block *block,
                     size_t height, size_t width);

/* Rows and columns, borders included, of the window on what such a band's 3x3 reads. */
size_t cxn_window_rows(const struct cxn_packed_block *block, size_t band);
size_t cxn_window_columns(const struct cxn_packed_block *block, size_t width);

/* Numbers between the places of a panel of that many channels: an odd number of lines, for places
 * that fall on the same few sets of the cache would drive each other out. */
static inline size_t cxn_panel_step(const struct cxn_packed *packed, size_t channels)
{
    const size_t line = 64 / packed->kernels.panel_bytes;
    return ((channels + line - 1) / line | 1) * line;
}

/* False where the sizes do not fit a size_t. */
bool cxn_maps_plan(struct cxn_maps_plan *plan, const struct cxn_packed *packed,
                   const struct cxn_room *room);

#endif
