/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX512_TILES_H
#define CXN_KERN_AVX512_TILES_H

#include <immintrin.h>

#include "kern/conv_bordered.h"

/*
 * How the AVX-512 convolutions cut a map into tiles. A tile is up to 14 places of 32 channels: 28
 * registers of sums, 2 of weights, 1 of a broadcast sample. The places are two groups of up to 7
 * with one distance inside a group, so that a tile may be half of this row and half of the next:
 * two 7-place rows of the last block fill it.
 */
enum { TILE_CHANNELS = 32, TILE_GROUP = 7, TILE_PLACES = 14 };

#define TILE_INLINE static inline __attribute__((always_inline))

/* Where a tile reads and writes: the first place of each group; later ones a step behind. */
struct tile {
    const char *src[2];
    char *dst[2];
    const char *panel;
    size_t channel;
};

/*
 * Place i of a group, from two pointers and the distance alone: x86 addresses scale an index by 1,
 * 2 or 4 for nothing, and 14 pointers would not fit into the registers.
 */
TILE_INLINE const char *tile_place(const char *one, const char *four, ptrdiff_t step, int i)
{
    switch (i) {
    case 0: return one - step;
    case 1: return one;
    case 2: return one + step;
    case 3: return one + 2 * step;
    case 4: return four;
    case 5: return one + 4 * step;
    default: return four + 2 * step;
    }
}

/* Groups of a row are TILE_GROUP places and a last shorter one. */
struct tile_group {
    const char *src;
    char *dst;
    size_t places;
};

static inline struct tile_group find_group(const struct cxn_conv_bordered *c, size_t g,
                                           size_t number_bytes)
{
    const size_t in_row = (c->width + TILE_GROUP - 1) / TILE_GROUP;
    const size_t y = g / in_row, x = g % in_row * TILE_GROUP;
    return (struct tile_group){
        .src = (const char *)c->src + (y * c->row_step + x * c->place_step) * number_bytes,
        .dst = (char *)c->dst + (y * c->dst_row_step + x * c->dst_place_step) * number_bytes,
        .places = c->width - x < TILE_GROUP ? c->width - x : TILE_GROUP
    };
}

/*
 * Types are the includer's, for the reason that avx2/tiles.h gives: tile_sum, and tile_terms, whose
 * lanes are 4 bytes of terms of a place, or the weights for them.
 *
 * What differs between the types of numbers. begin() gives what a place's sums begin with, in two
 * halves; broadcast() is 4 bytes in each lane; load() is 64 bytes of weights; add() is a sum and
 * the products of both; store() writes what the TILE_CHANNELS sums of a place come to, as far as
 * the mask has their channels. All of it is inlined: the functions are constants, as groups and
 * places are, or the sums would not stay in registers.
 */
typedef tile_sum tile_begin_fn(const char *panel, size_t half);
typedef tile_terms tile_broadcast_fn(const char *p);
typedef tile_terms tile_load_fn(const char *w);
typedef tile_sum tile_add_fn(tile_sum sum, tile_terms terms, tile_terms weights);
typedef void tile_store_fn(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                           uint32_t mask, tile_sum low, tile_sum high);

struct tile_type {
    size_t number_bytes; /* of src, dst and weights */
    size_t header_bytes; /* of a panel, in front of its weights */
    size_t outputs;      /* of a panel */
    tile_begin_fn *begin;
    tile_broadcast_fn *broadcast;
    tile_load_fn *load;
    tile_add_fn *add;
    tile_store_fn *store;
};

/* Bits of the outputs of a panel that there are. */
static inline uint32_t tile_mask(const struct cxn_conv_bordered *c, struct tile_type type,
                                 size_t channel)
{
    const size_t left = c->out - channel, count = left < type.outputs ? left : type.outputs;
    return count >= TILE_CHANNELS ? UINT32_MAX : (1u << count) - 1;
}

/* The products of one tap row: `bytes` of each place times the weights from w on. Returns where the
 * next ones begin. */
TILE_INLINE const char *tile_add_run(struct tile_type type, tile_sum sum[TILE_PLACES][2],
                                     const char *const src[2], ptrdiff_t step, const char *w,
                                     size_t bytes, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < bytes; i += 4, w += 128) {
        const tile_terms w0 = type.load(w), w1 = type.load(w + 64);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const tile_terms x = type.broadcast(tile_place(one[g], four[g], step, p));
                tile_sum *to = sum[g * TILE_GROUP + p];
                to[0] = type.add(to[0], x, w0);
                to[1] = type.add(to[1], x, w1);
            }
            one[g] += 4;
            four[g] += 4;
        }
    }
    return w;
}

TILE_INLINE void tile_compute(const struct cxn_conv_bordered *c, const struct tile *tile,
                              struct tile_type type, int groups, int places)
{
    const ptrdiff_t step = (ptrdiff_t)(c->place_step * type.number_bytes);
    const char *w = tile->panel + type.header_bytes;
    const tile_sum low = type.begin(tile->panel, 0), high = type.begin(tile->panel, 1);
    tile_sum sum[TILE_PLACES][2];
#pragma GCC unroll 14
    for (int p = 0; p < TILE_PLACES; p++) {
        sum[p][0] = low;
        sum[p][1] = high;
    }
    const char *src[2] = { tile->src[0], tile->src[1] };
    for (size_t t = 0; t < c->tap_rows; t++) {
        w = tile_add_run(type, sum, src, step, w, c->run * type.number_bytes, groups, places);
        src[0] += c->tap_row_step * type.number_bytes;
        src[1] += c->tap_row_step * type.number_bytes;
    }
    const uint32_t mask = tile_mask(c, type, tile->channel);
#pragma GCC unroll 2
    for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
        for (int p = 0; p < places; p++) {
            const tile_sum *of = sum[g * TILE_GROUP + p];
            const size_t at = (size_t)p * c->dst_place_step + tile->channel;
            type.store(c, tile->panel, tile->dst[g] + at * type.number_bytes, mask, of[0], of[1]);
        }
    }
}

TILE_INLINE void tile_compute_group(const struct cxn_conv_bordered *c, const struct tile *tile,
                                    struct tile_type type, size_t places)
{
    switch (places) {
    case 7: tile_compute(c, tile, type, 1, 7); break;
    case 6: tile_compute(c, tile, type, 1, 6); break;
    case 5: tile_compute(c, tile, type, 1, 5); break;
    case 4: tile_compute(c, tile, type, 1, 4); break;
    case 3: tile_compute(c, tile, type, 1, 3); break;
    case 2: tile_compute(c, tile, type, 1, 2); break;
    default: tile_compute(c, tile, type, 1, 1); break;
    }
}

/* Every tile of the map: a panel of channels after the other, so that its weights stay near. */
TILE_INLINE void tile_run(const struct cxn_conv_bordered *c, struct tile_type type)
{
    const size_t groups = c->height * ((c->width + TILE_GROUP - 1) / TILE_GROUP);
    const size_t panel_bytes = type.header_bytes +
                               c->tap_rows * c->run * TILE_CHANNELS * type.number_bytes;
    const char *panel = c->w;
    for (size_t channel = 0; channel < c->out; channel += type.outputs, panel += panel_bytes) {
        for (size_t g = 0; g < groups; g++) {
            const size_t next = g + 1 < groups ? g + 1 : g;
            const struct tile_group a = find_group(c, g, type.number_bytes);
            const struct tile_group b = find_group(c, next, type.number_bytes);
            const struct tile tile = { { a.src, b.src }, { a.dst, b.dst }, panel, channel };
            if (next > g && a.places == TILE_GROUP && b.places == TILE_GROUP) {
                tile_compute(c, &tile, type, 2, TILE_GROUP);
                g++;
            } else {
                tile_compute_group(c, &tile, type, a.places);
            }
        }
    }
}

#endif
