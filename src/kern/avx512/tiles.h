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
    size_t channel;
};

/* A tile of two whole groups, and one of `places` of one group. */
typedef void tile_pair_fn(const struct cxn_conv_bordered *c, const struct tile *tile);
typedef void tile_group_fn(const struct cxn_conv_bordered *c, const struct tile *tile,
                           size_t places);

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

/* Every tile of the map: a panel of channels after the other, so that its weights stay near. */
static inline void run_tiles(const struct cxn_conv_bordered *c, size_t number_bytes,
                             tile_pair_fn *run_pair, tile_group_fn *run_group)
{
    const size_t groups = c->height * ((c->width + TILE_GROUP - 1) / TILE_GROUP);
    for (size_t channel = 0; channel < c->out; channel += TILE_CHANNELS) {
        for (size_t g = 0; g < groups; g++) {
            const struct tile_group a = find_group(c, g, number_bytes);
            const struct tile_group b =
                find_group(c, g + 1 < groups ? g + 1 : g, number_bytes);
            const struct tile tile = { { a.src, b.src }, { a.dst, b.dst }, channel };
            if (g + 1 < groups && a.places == TILE_GROUP && b.places == TILE_GROUP) {
                run_pair(c, &tile);
                g++;
            } else {
                run_group(c, &tile, a.places);
            }
        }
    }
}

/* Bits of the channels of a panel that there are. */
static inline uint32_t tile_mask(const struct cxn_conv_bordered *c, size_t channel)
{
    const size_t left = c->out - channel;
    return left >= TILE_CHANNELS ? UINT32_MAX : (1u << left) - 1;
}

#endif
