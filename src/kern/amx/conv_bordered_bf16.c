/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

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

static size_t count_tiles(size_t places)
{
    return (places + PLACES - 1) / PLACES;
}

static struct strips cut_map(const struct cxn_conv_bordered *c)
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

/* TERMS terms of each place from term k on, of whatever tap rows; zeros behind the last. */
static void gather(const struct cxn_conv_bordered *c, const uint16_t *src, size_t k, size_t rows,
                   uint16_t to[PLACES][TERMS])
{
    for (size_t i = 0; i < TERMS; i++) {
        const size_t term = k + i;
        const bool is_there = term < c->tap_rows * c->run;
        const size_t at = term / c->run * c->tap_row_step + term % c->run;
        for (size_t p = 0; p < rows; p++) to[p][i] = is_there ? src[at + p * c->place_step] : 0;
    }
}

/* Runs of any length: tiles of terms are put together first. */
TILE_INLINE void add_gathered(const struct cxn_conv_bordered *c, const struct block *b, bool pair)
{
    alignas(64) uint16_t terms[2][PLACES][TERMS];
    const char *w = b->w + CHANNELS * 4;
    for (size_t k = 0; k < c->tap_rows * c->run; k += TERMS, w += PANEL_STEP_BYTES) {
        gather(c, b->src[0], k, b->rows, terms[0]);
        if (pair) gather(c, b->src[1], k, b->rows, terms[1]);
        tile_finish_stores(terms);
        add_terms(terms[0][0], terms[1][0], ROW_BYTES, w, pair);
    }
}

TILE_INLINE void compute_block(const struct cxn_conv_bordered *c, const struct block *b, bool pair,
                               float sums[2][PLACES][CHANNELS])
{
    begin_sums(b, pair);
    if (c->run % TERMS == 0) add_runs(c, b, pair);
    else add_gathered(c, b, pair);
    end_sums(sums, pair);
}

/* A tile of a strip's places, from number `first` on; dst: the strip's, at the first channel. */
static void store_tile(const struct cxn_conv_bordered *c, const struct strips *s, size_t first,
                       __mmask32 mask, float sums[PLACES][CHANNELS], uint16_t *dst)
{
    dst += first / s->line * c->dst_row_step;
    store_places(c, s->line, first % s->line, s->rows, mask, sums, dst);
}

/* CHANNELS channels of a strip, their weights at w. Its last tile ends with the strip, so it may
 * compute places again, to the same bits. */
static void compute_strip(const struct cxn_conv_bordered *c, const struct strips *s, size_t strip,
                          size_t channel, const char *w, size_t ahead)
{
    alignas(64) float sums[2][PLACES][CHANNELS];
    const uint16_t *src = (const uint16_t *)c->src + strip * c->row_step;
    uint16_t *dst = (uint16_t *)c->dst + strip * c->dst_row_step + channel;
    const size_t last = s->count - s->rows;
    const __mmask32 mask = mask_channels(c->out - channel);
    for (size_t first = 0; first < s->count; first += 2 * s->rows, ahead = 0) {
        const bool pair = first + s->rows < s->count;
        const size_t one = first < last ? first : last;
        const size_t two = first + s->rows < last ? first + s->rows : last;
        const struct block b = { { src + one * c->place_step, src + two * c->place_step },
                                 s->rows, w, ahead };
        if (pair) compute_block(c, &b, true, sums);
        else compute_block(c, &b, false, sums);
        store_tile(c, s, one, mask, sums[0], dst);
        if (pair) store_tile(c, s, two, mask, sums[1], dst);
    }
}

void cxn_conv_bordered_bf16_amx(const struct cxn_conv_bordered *c)
{
    const struct strips s = cut_map(c);
    const size_t steps = (c->tap_rows * c->run + TERMS - 1) / TERMS;
    const size_t panel_bytes = CHANNELS * 4 + steps * PANEL_STEP_BYTES;
    const char *w = c->w;
    configure(s.rows);
    for (size_t channel = 0; channel < c->out; channel += CHANNELS, w += panel_bytes)
        for (size_t strip = 0; strip < s.strips; strip++)
            compute_strip(c, &s, strip, channel, w, strip == 0 ? panel_bytes : 0);
    _tile_release(); /* the thread is the host's, which need not save tiles */
}
