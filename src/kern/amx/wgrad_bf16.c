/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_bf16.h"

#include "kern/amx/tiles.h"
#include "kern/avx512/wgrad_turn.h"

/*
 * Places are the terms: two tiles of strips times two of outputs are four of sums, as in
 * conv_bordered_bf16.c. A tap is the strips at another address, which a tile load takes whatever
 * its alignment is. Numbers of the tiles:
 *     0, 1  sums of the first 16 channels, outputs 0 to 15 and 16 to 31;  2, 3  of the second
 *     4, 5  strips;  6, 7  pairs of gradients
 */
enum { BLOCK = CXN_PAIRS_CHANNELS };

/* Of the channels and outputs that are computed at once: those of the first and second tile. */
struct extent {
    size_t channels[2], outputs[2];
};

/* A tile that is not used is as large as the first, for it must not be empty. */
static void configure(const struct extent *e)
{
    alignas(64) struct tile_config config = { .palette = 1 };
    for (size_t i = 0; i < 2; i++) {
        const size_t channels = e->channels[e->channels[i] > 0 ? i : 0];
        const size_t outputs = e->outputs[e->outputs[i] > 0 ? i : 0];
        config.rows[2 * i] = config.rows[2 * i + 1] = config.rows[4 + i] = (uint8_t)channels;
        config.row_bytes[i] = config.row_bytes[2 + i] = config.row_bytes[6 + i] =
            (uint16_t)(outputs * 4);
        config.row_bytes[4 + i] = TILE_ROW_BYTES;
        config.rows[6 + i] = TILE_ROWS;
    }
    tile_finish_stores(&config);
    _tile_loadconfig(&config);
}

/* Strips of the first and the second tile, pairs and sums likewise. */
struct block {
    const uint16_t *strip[2], *pairs[2];
    float *dst[2][2]; /* [channels][outputs] */
};

TILE_INLINE void add_range(const struct cxn_wgrad_strips *s, const struct block *b, size_t range,
                           bool channels, bool outputs)
{
    const size_t strip = range * s->taps * s->channels * s->strip_step;
    const size_t pairs = range * s->range_pairs;
    for (size_t p = 0; p < s->length; p += TILE_TERMS) {
        _tile_loadd(6, b->pairs[0] + pairs + p * BLOCK, TILE_ROW_BYTES);
        _tile_loadd(4, b->strip[0] + strip + p, s->strip_step * 2);
        _tile_dpbf16ps(0, 4, 6);
        if (outputs) {
            _tile_loadd(7, b->pairs[1] + pairs + p * BLOCK, TILE_ROW_BYTES);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (channels) {
            _tile_loadd(5, b->strip[1] + strip + p, s->strip_step * 2);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (channels && outputs) _tile_dpbf16ps(3, 5, 7);
    }
}

TILE_INLINE void add_block(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                           const struct block *b, bool channels, bool outputs)
{
    const size_t step = w->out * 4;
    if (w->add) {
        _tile_loadd(0, b->dst[0][0], step);
        if (outputs) _tile_loadd(1, b->dst[0][1], step);
        if (channels) _tile_loadd(2, b->dst[1][0], step);
        if (channels && outputs) _tile_loadd(3, b->dst[1][1], step);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t r = 0; r < s->ranges; r++) add_range(s, b, r, channels, outputs);
    _tile_stored(0, b->dst[0][0], step);
    if (outputs) _tile_stored(1, b->dst[0][1], step);
    if (channels) _tile_stored(2, b->dst[1][0], step);
    if (channels && outputs) _tile_stored(3, b->dst[1][1], step);
}

/* How many of `left` are the first and the second tile's. */
static void split(size_t to[2], size_t left)
{
    to[0] = left < TILE_ROWS ? left : TILE_ROWS;
    to[1] = left - to[0] < TILE_ROWS ? left - to[0] : TILE_ROWS;
}

/* Every tap, for channels from i on and outputs from o on. */
static void add_taps(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                     const struct extent *e, size_t i, size_t o)
{
    const uint16_t *pairs = (const uint16_t *)w->scratch + s->pairs + o / BLOCK * s->block_step;
    for (size_t tap = 0; tap < w->tap_rows * s->columns; tap++) {
        const size_t t = tap / s->columns, x = tap % s->columns;
        const uint16_t *strip = wgrad_strip(w, s, t, x, i);
        float *dst = w->dst + (t * w->run + x * s->channels + i) * w->out + o;
        float *second = dst + TILE_ROWS * w->out;
        const struct block b = { { strip, strip + TILE_ROWS * s->strip_step },
                                 { pairs, pairs + s->block_step },
                                 { { dst, dst + BLOCK }, { second, second + BLOCK } } };
        if (e->channels[1] > 0 && e->outputs[1] > 0) add_block(w, s, &b, true, true);
        else if (e->channels[1] > 0) add_block(w, s, &b, true, false);
        else if (e->outputs[1] > 0) add_block(w, s, &b, false, true);
        else add_block(w, s, &b, false, false);
    }
}

void cxn_wgrad_bf16_amx(const struct cxn_wgrad *w)
{
    const struct cxn_wgrad_strips s = cxn_wgrad_strips(w);
    struct extent last = { { 0 }, { 0 } }, e;
    wgrad_turn(w, &s);
    tile_finish_stores(w->scratch);
    for (size_t i = 0; i < s.channels; i += 2 * TILE_ROWS) {
        split(e.channels, s.channels - i);
        for (size_t o = 0; o < w->out; o += 2 * BLOCK) {
            split(e.outputs, w->out - o);
            if (memcmp(&e, &last, sizeof e) != 0) configure(&e);
            last = e;
            add_taps(w, &s, &e, i, o);
        }
    }
    _tile_release(); /* the thread is the host's, which need not save tiles */
}
