/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_bf16.h"

#include <stdbool.h>

#include "kern/amx/tiles.h"

/*
 * Places are the terms: two tiles of strips times two of channels are four of sums, as in
 * conv_bordered_bf16.c. A tap is the strips at another address, which a tile load takes whatever its
 * alignment is. Numbers of the tiles:
 *     0, 1  sums of the first 16 outputs, channels 0 to 15 and 16 to 31;  2, 3  of the second
 *     4, 5  strips;  6, 7  src
 */
enum { BLOCK = CXN_PAIRS_CHANNELS, TILE_NUMBERS = BLOCK * TILE_TERMS };

/* Of the outputs and channels that a call computes at once: those of the first and second tile. */
struct extent {
    size_t outputs[2], channels[2];
};

/* Channels of a tile of sums, and places of one of src: a tile that is not used is as large as the
 * first, for it must not be empty. */
static void configure(const struct extent *e)
{
    alignas(64) struct tile_config config = { .palette = 1 };
    for (size_t i = 0; i < 4; i++) {
        const size_t rows = e->outputs[e->outputs[1] > 0 ? i / 2 : 0];
        const size_t columns = e->channels[e->channels[1] > 0 ? i % 2 : 0];
        config.rows[i] = (uint8_t)rows;
        config.row_bytes[i] = (uint16_t)(columns * 4);
        config.rows[4 + i] = (uint8_t)(i < 2 ? e->outputs[e->outputs[1] > 0 ? i : 0] : TILE_ROWS);
        config.row_bytes[4 + i] =
            (uint16_t)(i < 2 ? TILE_ROW_BYTES : e->channels[e->channels[1] > 0 ? i - 2 : 0] * 4);
    }
    tile_finish_stores(&config);
    _tile_loadconfig(&config);
}

struct block {
    const uint16_t *src[2], *grad[2];
    float *dst[2][2]; /* [outputs][channels] */
    size_t count;
};

TILE_INLINE void add_block(const struct cxn_wgrad_bf16 *g, const struct block *b, bool outputs,
                           bool channels)
{
    const size_t dst_bytes = g->dst_step * 4, grad_bytes = g->grad_step * 2;
    _tile_loadd(0, b->dst[0][0], dst_bytes);
    if (channels) _tile_loadd(1, b->dst[0][1], dst_bytes);
    if (outputs) _tile_loadd(2, b->dst[1][0], dst_bytes);
    if (outputs && channels) _tile_loadd(3, b->dst[1][1], dst_bytes);
    for (size_t p = 0; p < b->count; p += TILE_TERMS) {
        _tile_loadd(6, b->src[0] + p * BLOCK, TILE_ROW_BYTES);
        _tile_loadd(4, b->grad[0] + p, grad_bytes);
        _tile_dpbf16ps(0, 4, 6);
        if (channels) {
            _tile_loadd(7, b->src[1] + p * BLOCK, TILE_ROW_BYTES);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (outputs) {
            _tile_loadd(5, b->grad[1] + p, grad_bytes);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (outputs && channels) _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, b->dst[0][0], dst_bytes);
    if (channels) _tile_stored(1, b->dst[0][1], dst_bytes);
    if (outputs) _tile_stored(2, b->dst[1][0], dst_bytes);
    if (outputs && channels) _tile_stored(3, b->dst[1][1], dst_bytes);
}

static struct block find_block(const struct cxn_wgrad_bf16 *g, size_t tap, size_t o, size_t i)
{
    const uint16_t *src = g->src + i / BLOCK * g->src_block_step;
    const uint16_t *grad =
        g->grad - tap / g->kernel * g->line - tap % g->kernel + o * g->grad_step;
    float *dst = g->dst + tap * g->dst_tap_step + o * g->dst_step + i;
    return (struct block){
        { src, src + g->src_block_step }, { grad, grad + TILE_ROWS * g->grad_step },
        { { dst, dst + BLOCK }, { dst + TILE_ROWS * g->dst_step,
                                  dst + TILE_ROWS * g->dst_step + BLOCK } },
        g->count
    };
}

/* How many of `left` are the first and the second tile's. */
static void split(size_t to[2], size_t left)
{
    to[0] = left < TILE_ROWS ? left : TILE_ROWS;
    to[1] = left - to[0] < TILE_ROWS ? left - to[0] : TILE_ROWS;
}

/* Every tap, for these outputs and channels. */
static void add_taps(const struct cxn_wgrad_bf16 *g, const struct extent *e, size_t o, size_t i)
{
    for (size_t tap = 0; tap < g->kernel * g->kernel; tap++) {
        const struct block b = find_block(g, tap, o, i);
        if (e->outputs[1] > 0 && e->channels[1] > 0) add_block(g, &b, true, true);
        else if (e->outputs[1] > 0) add_block(g, &b, true, false);
        else if (e->channels[1] > 0) add_block(g, &b, false, true);
        else add_block(g, &b, false, false);
    }
}

void cxn_wgrad_bf16_amx(const struct cxn_wgrad_bf16 *g)
{
    struct extent last = { { 0 }, { 0 } }, e;
    for (size_t i = 0; i < g->in; i += 2 * BLOCK) {
        split(e.channels, g->in - i);
        for (size_t o = 0; o < g->out; o += 2 * TILE_ROWS) {
            split(e.outputs, g->out - o);
            if (e.outputs[0] != last.outputs[0] || e.outputs[1] != last.outputs[1] ||
                e.channels[0] != last.channels[0] || e.channels[1] != last.channels[1])
                configure(&e);
            last = e;
            add_taps(g, &e, o, i);
        }
    }
    _tile_release(); /* the thread is the host's, which need not save tiles */
}
