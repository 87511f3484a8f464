/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCKS_H
#define CXN_KERN_AMX_BLOCKS_H

#include "kern/amx/tiles.h"
#include "kern/conv_bordered.h"

/*
 * Blocks of a convolution's output, as the packers pack the weights for this level: a row of a tile
 * is 64 bytes of terms, whatever their type.
 *
 * Two tiles of places times two of channels are four of sums: one tile load for each product of
 * tiles, which takes 16 cycles where a load from L1 takes 8, and four sums hide its latency of 52.
 * Their numbers are literals, which is all that the intrinsics take:
 *     0, 1  sums of the first places, channels 0 to 15 and 16 to 31;  2, 3  of the second
 *     4     terms of the first places;  5  of the second
 *     6     weights of channels 0 to 15, as packed;  7  of 16 to 31
 */
enum { CHANNELS = 32, PLACES = 16, ROW_BYTES = 64, SUM_BYTES = 4 };
enum { PANEL_STEP_BYTES = ROW_BYTES * CHANNELS }; /* of a panel, what ROW_BYTES of terms take */

typedef char block_sums[PLACES][CHANNELS * SUM_BYTES];

/* What differs between the types of numbers; all of it is inlined. */
struct block_type {
    size_t number_bytes, header_bytes; /* header: of a panel, in front of its weights */
    size_t outputs;                    /* of a panel */
    void (*begin)(const char *panel, bool pair);
    void (*multiply)(void), (*multiply_second)(void);
    /* `count` places in a row, from their sums; places of dst are step bytes apart. */
    void (*store)(const struct cxn_conv_bordered *c, const char *panel, block_sums sums,
                  size_t count, __mmask32 mask, char *dst, size_t step);
};

/* Bytes of a panel of so many times ROW_BYTES of terms. */
static inline size_t panel_size(struct block_type type, size_t steps)
{
    return type.header_bytes + steps * PANEL_STEP_BYTES;
}

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
 * (but not where terms are gathered).
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
    if (c->ahead.bytes == 0)
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

/* One or two tiles of places, and the outputs of a panel. */
struct block {
    const char *src[2];
    size_t rows, line; /* places of a tile, and from a row of the map to the next */
    const char *panel;
    __mmask32 mask; /* which of the panel's outputs there are */
    char *dst;      /* of place 0, at the first of them */
    struct asking *asking;
};

static inline __mmask32 mask_channels(size_t left)
{
    return left < CHANNELS ? (1u << left) - 1 : UINT32_MAX;
}

/* Which of the outputs of a panel there are. */
static inline __mmask32 mask_outputs(struct block_type type, size_t left)
{
    return mask_channels(left < type.outputs ? left : type.outputs);
}

/*
 * ROW_BYTES of terms, whose places are step_bytes apart, by the weights at w. More weights
 * stream by than L1 holds before they are wanted again, so they are loaded past it: what stays
 * there are the terms and the sums, which without this are written back to L2 and fetched anew
 * each time.
 */
TILE_INLINE void add_terms(struct block_type type, const char *first, const char *second,
                           size_t step_bytes, const char *w, bool pair)
{
    _tile_stream_loadd(6, w, 2 * ROW_BYTES);
    _tile_loadd(4, first, step_bytes);
    _tile_stream_loadd(7, w + ROW_BYTES, 2 * ROW_BYTES);
    type.multiply();
    if (!pair) return;
    _tile_loadd(5, second, step_bytes);
    type.multiply_second();
}

TILE_INLINE void ask(struct asking *asking)
{
    if (asking->at >= asking->end) return;
    for (size_t i = 0; i < asking->lines; i++, asking->at += 64)
        _mm_prefetch((const char *)asking->at, _MM_HINT_T1);
}

/* Runs of whole tiles, read where they are. */
TILE_INLINE void add_runs(struct block_type type, const struct runs *r, const struct block *b,
                          bool pair)
{
    const char *w = b->panel + type.header_bytes;
    for (size_t t = 0; t < r->rows; t++) {
        for (size_t i = 0; i < r->bytes; i += ROW_BYTES, w += PANEL_STEP_BYTES) {
            const size_t at = t * r->row_step + i;
            add_terms(type, b->src[0] + at, b->src[1] + at, r->place_step, w, pair);
            ask(b->asking);
        }
    }
}

TILE_INLINE void end_sums(block_sums sums[2], bool pair)
{
    _tile_stored(0, sums[0][0], CHANNELS * SUM_BYTES);
    _tile_stored(1, sums[0][0] + ROW_BYTES, CHANNELS * SUM_BYTES);
    if (!pair) return;
    _tile_stored(2, sums[1][0], CHANNELS * SUM_BYTES);
    _tile_stored(3, sums[1][0] + ROW_BYTES, CHANNELS * SUM_BYTES);
}

/* The places of a tile from number `first` on, as far as they are of the map, which takes c->width
 * of each line. */
TILE_INLINE void store_places(struct block_type type, const struct cxn_conv_bordered *c,
                              const struct block *b, size_t first, block_sums sums)
{
    const size_t step = c->dst_place_step * type.number_bytes;
    const size_t row_step = c->dst_row_step * type.number_bytes;
    char *dst = b->dst + first / b->line * row_step;
    size_t x = first % b->line;
    for (size_t p = 0, count; p < b->rows; p += count, x = 0, dst += row_step) {
        const size_t there = x < c->width ? c->width - x : 0;
        count = b->line - x < b->rows - p ? b->line - x : b->rows - p;
        type.store(c, b->panel, sums + p, there < count ? there : count, b->mask, dst + x * step,
                   step);
    }
}

#endif
