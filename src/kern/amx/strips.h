/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_STRIPS_H
#define CXN_KERN_AMX_STRIPS_H

#include <string.h>

#include "kern/amx/blocks.h"

/*
 * The places of a call as strips of equally spaced ones. Where rows are whole numbers of places
 * apart the map is one strip: places between two rows, as a border has them, are computed and not
 * stored, which costs less than a last tile of each row with few places in it.
 */
struct strips {
    size_t strips, count; /* places of each */
    size_t line;          /* from a row to the next, in places */
    size_t rows;          /* places of a tile */
};

static inline size_t count_tiles(size_t places)
{
    return (places + PLACES - 1) / PLACES;
}

static inline struct strips cut_map(const struct cxn_conv_bordered *c)
{
    struct strips s = { .strips = c->height, .count = c->width, .line = c->width };
    if (c->height > 1 && c->row_step % c->place_step == 0) {
        const size_t line = c->row_step / c->place_step;
        const size_t whole = (c->height - 1) * line + c->width;
        if (line >= c->width && count_tiles(whole) <= c->height * count_tiles(c->width))
            s = (struct strips){ .strips = 1, .count = whole, .line = line };
    }
    s.rows = s.count < PLACES ? s.count : PLACES;
    return s;
}

/* ROW_BYTES of each place's terms from byte k of them on, of whatever tap rows, in pieces that
 * divide a run; zeros behind the last. */
TILE_INLINE void gather_pieces(const struct runs *r, const char *src, size_t k, size_t rows,
                               size_t piece, char to[PLACES][ROW_BYTES])
{
    for (size_t i = 0; i < ROW_BYTES; i += piece) {
        const size_t term = k + i;
        if (term < r->rows * r->bytes) {
            const char *from = src + term / r->bytes * r->row_step + term % r->bytes;
            for (size_t p = 0; p < rows; p++)
                memcpy(to[p] + i, from + p * r->place_step, piece);
        } else {
            for (size_t p = 0; p < rows; p++) memset(to[p] + i, 0, piece);
        }
    }
}

static void gather(const struct runs *r, const char *src, size_t k, size_t rows,
                   char to[PLACES][ROW_BYTES])
{
    if (r->bytes % 16 == 0) gather_pieces(r, src, k, rows, 16, to);
    else gather_pieces(r, src, k, rows, 4, to);
}

/* Runs of any length: tiles of terms are put together first. */
TILE_INLINE void add_gathered(struct block_type type, const struct runs *r, const struct block *b,
                              size_t rows, bool pair, struct waiting *waiting)
{
    alignas(64) char terms[2][PLACES][ROW_BYTES];
    const char *w = b->panel + type.header_bytes;
    for (size_t k = 0; k < r->rows * r->bytes; k += ROW_BYTES, w += PANEL_STEP_BYTES) {
        tile_finish_stores(terms); /* the loads of the step before are done */
        gather(r, b->src[0], k, rows, terms[0]);
        if (pair) gather(r, b->src[1], k, rows, terms[1]);
        tile_finish_stores(terms);
        add_terms(type, terms[0][0], terms[1][0], ROW_BYTES, w, pair, waiting);
    }
}

TILE_INLINE void compute_block(struct block_type type, const struct runs *r, const struct block *b,
                               size_t rows, bool pair, struct beside *beside)
{
    type.begin(b->panel, pair);
    if (r->bytes % ROW_BYTES == 0) add_runs(type, r, b, pair, beside);
    else add_gathered(type, r, b, rows, pair, &beside->waiting);
    store_rest(type, &beside->waiting);
    end_sums(b, pair, beside->waiting.sums);
}

/* A strip's place 0, and the outputs of a panel. */
struct strip {
    const char *src, *panel;
    char *dst;
    struct ending ending;
};

TILE_INLINE void compute_strip(struct block_type type, const struct cxn_conv_bordered *c,
                               const struct strips *s, const struct strip *strip,
                               struct beside *beside)
{
    const struct runs r = runs_of(c, type.number_bytes);
    for (size_t first = 0; first < s->count; first += 2 * s->rows) {
        const struct pair pair = pair_at(first, s->rows, s->count);
        const struct block b = { .src = { strip->src + pair.one * r.place_step,
                                          strip->src + pair.two * r.place_step },
                                 .distance = pair.two - pair.one, .panel = strip->panel };
        if (pair.both) compute_block(type, &r, &b, s->rows, true, beside);
        else compute_block(type, &r, &b, s->rows, false, beside);
        put_waiting(&beside->waiting, strip->ending, pair.one, pair.count, strip->dst);
    }
}

/* The whole convolution. */
TILE_INLINE void run_strips(struct block_type type, const struct cxn_conv_bordered *c)
{
    alignas(64) place_sums sums[2 * PLACES];
    const struct strips s = cut_map(c);
    const size_t steps = (c->tap_rows * c->run * type.number_bytes + ROW_BYTES - 1) / ROW_BYTES;
    const size_t panels = (c->out + type.outputs - 1) / type.outputs;
    const size_t panel_bytes = panel_size(type, steps), pairs = (count_tiles(s.count) + 1) / 2;
    const size_t all_steps = s.strips * pairs * panels * steps;
    struct beside beside = { begin_asking(c, all_steps, panel_bytes, panels),
                             begin_waiting(type, c, s.line, 4 * steps, sums) };
    struct strip strip = { .panel = c->w };
    configure(s.rows);
    for (size_t channel = 0; channel < c->out; channel += type.outputs) {
        strip.ending = type.end(c, strip.panel, mask_outputs(type, c->out - channel));
        for (size_t i = 0; i < s.strips; i++) {
            strip.src = (const char *)c->src + i * c->row_step * type.number_bytes;
            strip.dst = (char *)c->dst + (i * c->dst_row_step + channel) * type.number_bytes;
            compute_strip(type, c, &s, &strip, &beside);
        }
        strip.panel += panel_bytes;
    }
    store_rest(type, &beside.waiting);
    _tile_release(); /* the thread is the host's, which need not save tiles */
}

#endif
