/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCKS_H
#define CXN_KERN_AMX_BLOCKS_H

#include "kern/amx/tiles.h"
#include "kern/conv_bordered.h"

/*
 * Blocks of a convolution's output, as conv_bordered_bf16.h packs the weights for this level.
 *
 * Two tiles of places times two of channels are four of sums: one tile load for each TDPBF16PS,
 * which takes 16 cycles where a load from L1 takes 8, and four sums hide its latency of 52. Their
 * numbers are literals, which is all that the intrinsics take:
 *     0, 1  sums of the first places, channels 0 to 15 and 16 to 31;  2, 3  of the second
 *     4     terms of the first places;  5  of the second
 *     6     weights of channels 0 to 15, as packed;  7  of 16 to 31
 */
enum { CHANNELS = 32, PLACES = 16, TERMS = 32, ROW_BYTES = 64 };
enum { PANEL_STEP_BYTES = TERMS * CHANNELS * 2 }; /* of a panel, what TERMS terms take */

/* Tiles of so many places. */
static inline void configure(size_t rows)
{
    alignas(64) struct tile_config config = { .palette = 1 };
    for (size_t i = 0; i < 8; i++) {
        config.row_bytes[i] = ROW_BYTES;
        config.rows[i] = i < 6 ? (uint8_t)rows : TERMS / 2;
    }
    tile_finish_stores(&config);
    _tile_loadconfig(&config);
}

/* One or two tiles of places, and CHANNELS channels. */
struct block {
    const uint16_t *src[2];
    size_t rows;
    const char *w; /* a panel: biases, weights */
    size_t ahead;  /* if not 0, bytes from these weights to those that are wanted next */
};

/* Which of the CHANNELS next ones there are. */
static inline __mmask32 mask_channels(size_t left)
{
    return left < CHANNELS ? (1u << left) - 1 : UINT32_MAX;
}

/*
 * TERMS terms, whose places are step_bytes apart, by the weights at w. More weights stream by than
 * L1 holds before they are wanted again, so they are loaded past it: what stays there are the terms
 * and the sums, which without this are written back to L2 and fetched anew each time.
 */
TILE_INLINE void add_terms(const uint16_t *first, const uint16_t *second, size_t step_bytes,
                           const char *w, bool pair)
{
    _tile_stream_loadd(6, w, CHANNELS * 4);
    _tile_loadd(4, first, step_bytes);
    _tile_stream_loadd(7, w + ROW_BYTES, CHANNELS * 4);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (!pair) return;
    _tile_loadd(5, second, step_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* Weights come from beyond L2 once a picture, so the next ones are asked for in time. */
TILE_INLINE void prefetch(const char *w, size_t ahead)
{
    if (ahead == 0) return;
    for (size_t i = 0; i < PANEL_STEP_BYTES; i += 64) /* may be behind the last: no pointer yet */
        _mm_prefetch((const char *)((uintptr_t)w + ahead + i), _MM_HINT_T1);
}

/* Runs of whole tiles, read where they are. */
TILE_INLINE void add_runs(const struct cxn_conv_bordered *c, const struct block *b, bool pair)
{
    const char *w = b->w + CHANNELS * 4;
    for (size_t t = 0; t < c->tap_rows; t++) {
        for (size_t i = 0; i < c->run; i += TERMS, w += PANEL_STEP_BYTES) {
            const size_t at = t * c->tap_row_step + i;
            add_terms(b->src[0] + at, b->src[1] + at, c->place_step * 2, w, pair);
            prefetch(w, b->ahead);
        }
    }
}

/* Sums begin with the biases: a tile all of whose rows are one. */
TILE_INLINE void begin_sums(const struct block *b, bool pair)
{
    _tile_loadd(0, b->w, 0);
    _tile_loadd(1, b->w + ROW_BYTES, 0);
    if (!pair) return;
    _tile_loadd(2, b->w, 0);
    _tile_loadd(3, b->w + ROW_BYTES, 0);
}

TILE_INLINE void end_sums(float sums[2][PLACES][CHANNELS], bool pair)
{
    _tile_stored(0, sums[0][0], CHANNELS * 4);
    _tile_stored(1, sums[0][0] + CHANNELS / 2, CHANNELS * 4);
    if (!pair) return;
    _tile_stored(2, sums[1][0], CHANNELS * 4);
    _tile_stored(3, sums[1][0] + CHANNELS / 2, CHANNELS * 4);
}

/* `count` places in a row. */
TILE_INLINE void store_run(float sums[PLACES][CHANNELS], size_t count, __m512 least,
                           __mmask32 mask, uint16_t *dst, size_t step)
{
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++, dst += step) {
        const __m512 low = _mm512_max_ps(least, _mm512_load_ps(sums[p])); /* keeps a second NaN */
        const __m512 high = _mm512_max_ps(least, _mm512_load_ps(sums[p] + CHANNELS / 2));
        _mm512_mask_storeu_epi16(dst, mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
}

/* The places of a tile, of which the first is number x of a line of `line` places, as far as they
 * are of the map, which takes c->width of each line; dst: where the line begins. */
static inline void store_places(const struct cxn_conv_bordered *c, size_t line, size_t x,
                                size_t places, __mmask32 mask, float sums[PLACES][CHANNELS],
                                uint16_t *dst)
{
    const __m512 least = _mm512_set1_ps(c->relu ? 0.0f : -__builtin_inff());
    for (size_t p = 0, count; p < places; p += count, x = 0, dst += c->dst_row_step) {
        const size_t there = x < c->width ? c->width - x : 0;
        count = line - x < places - p ? line - x : places - p;
        store_run(sums + p, there < count ? there : count, least, mask,
                  dst + x * c->dst_place_step, c->dst_place_step);
    }
}

#endif
