/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCKS_H
#define CXN_KERN_AMX_BLOCKS_H

#include "kern/amx/waiting.h"

/* Tiles of so many places. */
static inline void configure(size_t rows)
{
    alignas(64) struct tile_config config = { .palette = 1 };
    for (size_t i = 0; i < 8; i++) {
        config.row_bytes[i] = ROW_BYTES;
        config.rows[i] = i < 6 ? (uint8_t)rows : ROW_BYTES / 4;
    }
    tile_finish_stores(&config);
    _tile_loadconfig(&config);
}

/*
 * Weights come from beyond L2 once a picture, at less than a fifth of the rate at which they are
 * multiplied, so the next ones are asked for into L2 evenly, all the time: some lines each step
 * (but not where terms are gathered or in units).
 */
struct asking {
    uintptr_t at, end; /* at goes past the end, where it is no pointer */
    size_t lines;
};

/* For a call of so many steps of ROW_BYTES of terms; without a word of what is next, its own
 * weights from the second panel on. */
static inline struct asking begin_asking(const struct cxn_conv_bordered *c, size_t steps,
                                         size_t panel_bytes, size_t panels)
{
    enum { LINE = 64, FASTEST = PANEL_STEP_BYTES / LINE };
    const uintptr_t first = (uintptr_t)c->ahead.first, own = (uintptr_t)c->w;
    struct asking asking = { first, first + c->ahead.bytes,
                             (c->ahead.bytes / LINE + steps) / steps };
    if (!c->ahead.first)
        asking = (struct asking){ own + panel_bytes, own + panels * panel_bytes, FASTEST };
    if (asking.lines > FASTEST) asking.lines = FASTEST;
    return asking;
}

/* How a place's terms lie: rows of runs, in bytes. */
struct runs {
    size_t rows, bytes, row_step, place_step;
};

static inline struct runs runs_of(const struct cxn_conv_bordered *c, size_t number_bytes)
{
    return (struct runs){ c->tap_rows, c->run * number_bytes, c->tap_row_step * number_bytes,
                          c->place_step * number_bytes };
}

/* Puts ROW_BYTES of the terms of `count` places from number `first` on, from byte `at` of them on,
 * into the panel that is multiplied; `terms` says what they are made of, and where the panel is. */
typedef void fill_step_fn(const void *terms, size_t first, size_t count, size_t at);

/* The places that follow in the panel of a 1x1, whose terms are read for the last time. */
struct refill {
    fill_step_fn *fill;
    const void *terms;
    size_t first, count;
};

/* Loads of tiles before it are done when the panel is written, and that is when those behind it
 * are: gcc 12 does not tell that they read memory. */
TILE_INLINE void fill_step(const struct refill *f, size_t at)
{
    tile_finish_stores(f->terms);
    f->fill(f->terms, f->first, f->count, at);
    tile_finish_stores(f->terms);
}

/* Numbers of the first places of two tiles, or of one. */
struct pair {
    size_t one, two, count; /* count: of both; 0 behind the last */
    bool both;
};

/* The last tile ends with the `count` places, so it may compute places again, to the same bits. */
TILE_INLINE struct pair pair_at(size_t first, size_t rows, size_t count)
{
    const size_t last = count - rows;
    const size_t one = first < last ? first : last;
    const size_t two = first + rows < last ? first + rows : last;
    return (struct pair){ one, two, first < count ? two + rows - one : 0, first + rows < count };
}

/* One or two tiles of places, and the outputs of a panel. */
struct block {
    const char *src[2];
    size_t distance; /* in places, from the first tile to the second */
    const char *panel;
    const struct refill *refill; /* or NULL */
};

/* What is done beside the products of a call. */
struct beside {
    struct asking asking;
    struct waiting waiting;
};

/*
 * ROW_BYTES of terms, whose places are step_bytes apart, by the weights at w. More weights
 * stream by than L1 holds before they are wanted again, so they are loaded past it: what stays
 * there are the terms and the sums, which without this are written back to L2 and fetched anew
 * each time.
 */
TILE_INLINE void add_terms(struct block_type type, const char *first, const char *second,
                           size_t step_bytes, const char *w, bool pair, struct waiting *waiting)
{
    _tile_stream_loadd(6, w, 2 * ROW_BYTES);
    _tile_loadd(4, first, step_bytes);
    type.multiply(0);
    store_share(type, waiting);
    _tile_stream_loadd(7, w + ROW_BYTES, 2 * ROW_BYTES);
    type.multiply(1);
    store_share(type, waiting);
    if (!pair) return;
    _tile_loadd(5, second, step_bytes);
    type.multiply(2);
    store_share(type, waiting);
    type.multiply(3);
    store_share(type, waiting);
}

TILE_INLINE void ask(struct asking *asking)
{
    if (asking->at >= asking->end) return;
    for (size_t i = 0; i < asking->lines; i++, asking->at += 64)
        _mm_prefetch((const char *)asking->at, _MM_HINT_T1);
}

/* Runs of whole tiles, read where they are. */
TILE_INLINE void add_runs(struct block_type type, const struct runs *r, const struct block *b,
                          bool pair, struct beside *beside)
{
    const char *w = b->panel + type.header_bytes;
    for (size_t t = 0; t < r->rows; t++) {
        for (size_t i = 0; i < r->bytes; i += ROW_BYTES, w += PANEL_STEP_BYTES) {
            const size_t at = t * r->row_step + i;
            add_terms(type, b->src[0] + at, b->src[1] + at, r->place_step, w, pair,
                      &beside->waiting);
            ask(&beside->asking);
            if (b->refill) fill_step(b->refill, i);
        }
    }
}

/* A second tile that begins within the first has the same sums there. */
TILE_INLINE void end_sums(const struct block *b, bool pair, place_sums *sums)
{
    place_sums *second = sums + b->distance;
    _tile_stored(0, sums[0], CHANNELS * SUM_BYTES);
    _tile_stored(1, sums[0] + ROW_BYTES, CHANNELS * SUM_BYTES);
    if (!pair) return;
    _tile_stored(2, second[0], CHANNELS * SUM_BYTES);
    _tile_stored(3, second[0] + ROW_BYTES, CHANNELS * SUM_BYTES);
}

#endif
