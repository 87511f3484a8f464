/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_PARTS_H
#define CXN_FUSE_PARTS_H

#include <string.h>

#include "fuse/forward.h"
#include "nn/steps.h"

/* What the parts of the pass over a view share: stem.c, dense.c and forward.c. */

struct rows {
    size_t first, last;
};

/* The member's share of `count` rows. */
static inline struct rows share_of(const struct cxn_forward *run, size_t count)
{
    return (struct rows){ count * run->member / run->team, count * (run->member + 1) / run->team };
}

static inline void meet(const struct cxn_forward *run)
{
    cxn_barrier_wait(run->barrier, run->team);
}

/* What was done since the last such call; costs one comparison where nobody watches. */
static inline void tell(const struct cxn_forward *run, struct cxn_watched done)
{
    if (run->watch) cxn_watch_tell(run->watch, &done);
}

/* Number i of a block's map. */
static inline uint8_t *map_at(const struct cxn_forward *run, uint8_t *map, size_t i)
{
    return map + i * run->packed->kernels.map_bytes;
}

/* Number i of a panel, or of what lies between two convolutions. */
static inline uint8_t *panel_at(const struct cxn_forward *run, uint8_t *panel, size_t i)
{
    return panel + i * run->packed->kernels.panel_bytes;
}

/* Places of a map that an operation is about to write, `channels` numbers of each. */
struct output {
    uint8_t *map;
    size_t map_step, channels;
    uint8_t *dst; /* where it writes: there, or float32 beside it */
    size_t step;
};

/* For an operation whose own numbers have so many bytes. */
static inline struct output begin_output(const struct cxn_forward *run, uint8_t *map,
                                         size_t map_step, size_t channels, size_t number_bytes)
{
    struct output out = { map, map_step, channels, map, map_step };
    if (number_bytes == run->packed->kernels.map_bytes) return out;
    out.dst = run->scratch + run->plan->rounding;
    out.step = channels;
    return out;
}

/* Once these places are computed, the map has them. */
static inline void end_output(const struct cxn_forward *run, const struct output *out,
                              size_t places)
{
    if (out->dst == out->map) return;
    const struct cxn_round_bf16 round = {
        .src = (const float *)(const void *)out->dst, .src_step = out->step,
        .dst = (uint16_t *)(void *)out->map, .dst_step = out->map_step,
        .count = places, .channels = out->channels
    };
    run->packed->kernels.round->run(&round);
}

/* A map with zeros around it: [border + height + below][border + width + right][channels]. */
struct bordered {
    uint8_t *map;
    size_t height, width, channels, border, below, right, number_bytes;
    size_t first; /* the row that stands at its beginning, counted from the border's first */
};

/* Numbers of a row. */
static inline size_t pitch_of(const struct bordered *b)
{
    return (b->border + b->width + b->right) * b->channels;
}

/* Row y of the inside, from its border on the left; y may be in the border above (wraps). */
static inline uint8_t *bordered_row(const struct bordered *b, size_t y)
{
    return b->map + (y + b->border - b->first) * pitch_of(b) * b->number_bytes;
}

/* Its first place inside. */
static inline uint8_t *bordered_begin(const struct bordered *b, size_t y)
{
    return bordered_row(b, y) + b->border * b->channels * b->number_bytes;
}

/* A block's map, [height][width][step]. */
struct map {
    uint8_t *numbers;
    size_t height, width, step;
};

static inline struct map block_map(const struct cxn_forward *run, const struct cxn_view *v,
                                   uint32_t b)
{
    return (struct map){ run->maps + run->plan->block[b], cxn_view_side(v->height, 2 + b),
                         cxn_view_side(v->width, 2 + b), run->packed->block[b].out };
}

/* `left` rows in panels of about equal size: rows of the next one. */
static inline size_t panel_rows(const struct cxn_forward *run, size_t width, size_t left)
{
    const size_t places = run->packed->kernels.conv_places;
    const size_t most = width < places ? places / width : 1;
    const size_t panels = (left + most - 1) / most;
    return (left + panels - 1) / panels;
}

/* Zeros behind the channels of a panel's places, where a convolution takes more than there are. */
static inline void fill_panel(const struct cxn_forward *run, size_t places, size_t channels)
{
    const size_t terms = cxn_fuse_terms(&run->packed->kernels, channels);
    const size_t step = cxn_panel_step(run->packed, channels);
    if (terms == channels) return;
    for (size_t p = 0; p < places; p++)
        memset(panel_at(run, run->scratch, p * step + channels), 0,
               (terms - channels) * run->packed->kernels.panel_bytes);
}

/* The grey or colour picture's 7x7 with its ReLU, and the maximum of 3x3 of it, into the first
 * block's map. */
void cxn_forward_stem(const struct cxn_forward *run, const struct cxn_view *view);

/* All layers of dense block b. */
void cxn_forward_block(const struct cxn_forward *run, const struct cxn_view *view, uint32_t b);

#endif
