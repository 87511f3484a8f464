/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX2_TILES_H
#define CXN_KERN_AVX2_TILES_H

#include <immintrin.h>

#include "kern/conv_bordered.h"

/*
 * How the convolutions of 256-bit vectors cut a map into tiles. A tile is up to 6 places of 16
 * channels: 12 registers of sums, which leaves 4.
 */
enum { TILE_CHANNELS = 16, TILE_PLACES = 6 };

#define TILE_INLINE static inline __attribute__((always_inline))

/* Place i of a tile, from two pointers and the distance alone: x86 addresses scale an index by 1,
 * 2 or 4 for nothing. */
TILE_INLINE const char *tile_place(const char *one, const char *four, ptrdiff_t step, int i)
{
    switch (i) {
    case 0: return one - step;
    case 1: return one;
    case 2: return one + step;
    case 3: return one + 2 * step;
    case 4: return four;
    default: return one + 4 * step;
    }
}

/*
 * What sums are kept in, tile_sum, the includer says: the vector type of the very instruction that
 * adds to them. Of another type of the same size gcc 12 leaves them in memory.
 *
 * What differs between the types of numbers. begin() gives what a place's sums begin with, in
 * two halves; add_row() adds the products of one tap row, a run of samples of each place times the
 * weights from w on, and returns where the next ones begin; store() writes what the sums of a
 * place come to, of the first `count` outputs. All of it is inlined: the functions are
 * constants, as places is, or the sums would not stay in registers.
 */
typedef tile_sum tile_begin_fn(const char *panel, size_t half);
typedef const char *tile_add_fn(const struct cxn_conv_bordered *c, tile_sum sum[TILE_PLACES][2],
                                const char *src, const char *w, int places);
typedef void tile_store_fn(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                           size_t count, tile_sum low, tile_sum high);

struct tile_type {
    size_t number_bytes; /* of src and dst */
    size_t header_bytes; /* of a panel, in front of its weights */
    size_t panel_bytes;
    size_t outputs;      /* of a panel */
    tile_begin_fn *begin;
    tile_add_fn *add_row;
    tile_store_fn *store;
};

/* Where a tile reads and writes. */
struct tile {
    const char *src;
    char *dst;
    const char *panel;
    size_t count; /* of the panel's outputs, those that there are */
};

TILE_INLINE void tile_compute(const struct cxn_conv_bordered *c, const struct tile *tile,
                              struct tile_type type, int places)
{
    const char *w = tile->panel + type.header_bytes, *src = tile->src;
    const tile_sum low = type.begin(tile->panel, 0), high = type.begin(tile->panel, 1);
    tile_sum sum[TILE_PLACES][2];
#pragma GCC unroll 6
    for (int p = 0; p < TILE_PLACES; p++) {
        sum[p][0] = low;
        sum[p][1] = high;
    }
    for (size_t t = 0; t < c->tap_rows; t++) {
        w = type.add_row(c, sum, src, w, places);
        src += c->tap_row_step * type.number_bytes;
    }
#pragma GCC unroll 6
    for (int p = 0; p < places; p++)
        type.store(c, tile->panel, tile->dst + (size_t)p * c->dst_place_step * type.number_bytes,
                   tile->count, sum[p][0], sum[p][1]);
}

TILE_INLINE void tile_compute_places(const struct cxn_conv_bordered *c, const struct tile *tile,
                                     struct tile_type type, size_t places)
{
    switch (places) {
    case 6: tile_compute(c, tile, type, 6); break;
    case 5: tile_compute(c, tile, type, 5); break;
    case 4: tile_compute(c, tile, type, 4); break;
    case 3: tile_compute(c, tile, type, 3); break;
    case 2: tile_compute(c, tile, type, 2); break;
    default: tile_compute(c, tile, type, 1); break;
    }
}

/* A row is cut into tiles of nearly equal size: a tile of 1 or 2 places would wait for its sums. */
TILE_INLINE void tile_compute_row(const struct cxn_conv_bordered *c, struct tile tile,
                                  struct tile_type type)
{
    const size_t tiles = (c->width + TILE_PLACES - 1) / TILE_PLACES;
    for (size_t i = 0; i < tiles; i++) {
        const size_t places = c->width / tiles + (i < c->width % tiles ? 1 : 0);
        tile_compute_places(c, &tile, type, places);
        tile.src += places * c->place_step * type.number_bytes;
        tile.dst += places * c->dst_place_step * type.number_bytes;
    }
}

/* Every tile of the map: a panel of channels after the other, so that its weights stay near. */
TILE_INLINE void tile_run(const struct cxn_conv_bordered *c, struct tile_type type)
{
    const char *panel = c->w;
    for (size_t first = 0; first < c->out; first += type.outputs, panel += type.panel_bytes) {
        const size_t left = c->out - first;
        for (size_t y = 0; y < c->height; y++)
            tile_compute_row(c, (struct tile){
                (const char *)c->src + y * c->row_step * type.number_bytes,
                (char *)c->dst + (y * c->dst_row_step + first) * type.number_bytes,
                panel, left < type.outputs ? left : type.outputs }, type);
    }
}

#endif
