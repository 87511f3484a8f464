/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WINOGRAD_LANES_H
#define CXN_KERN_WINOGRAD_LANES_H

#include <stdbool.h>

#include "kern/winograd_data_f32.h"
#include "kern/winograd_inverse_f32.h"

/*
 * Winograd's transforms, written once for every level. Before it includes this, a level's file
 * defines `lanes`, a vector of LANES neighbouring channels, which + and - add and subtract, and
 *     lanes load(const float *p), void store(float *p, lanes x),
 *     lanes times(float factor, lanes x), lanes times_add(float factor, lanes x, lanes y):
 * factor * x + y.
 */

#define LANES_INLINE static inline __attribute__((always_inline))

enum { TILE = CXN_WINOGRAD_TILE, WINDOW = CXN_WINOGRAD_WINDOW };

/* The points and their powers. */
#define A1 ((float)CXN_WINOGRAD_A)
#define B1 ((float)CXN_WINOGRAD_B)
#define A2 (A1 * A1)
#define B2 (B1 * B1)

/* Channels behind the last whole vector, 0 in the lanes that are left. */
LANES_INLINE lanes load_some(const float *p, size_t count)
{
    float value[LANES] = { 0.0f };
    if (count >= LANES) return load(p);
    for (size_t i = 0; i < count; i++) value[i] = p[i];
    return load(value);
}

LANES_INLINE void store_some(float *p, lanes x, size_t count)
{
    float value[LANES];
    if (count >= LANES) {
        store(p, x);
        return;
    }
    store(value, x);
    for (size_t i = 0; i < count; i++) p[i] = value[i];
}

/* B^T d for a line d of the window. */
LANES_INLINE void transform_data(lanes v[WINDOW], const lanes d[WINDOW])
{
    const lanes even_a = times_add(-B2, d[2], d[4]), odd_a = times_add(-B2, d[1], d[3]);
    const lanes even_b = times_add(-A2, d[2], d[4]), odd_b = times_add(-A2, d[1], d[3]);
    v[0] = times_add(A2 * B2, d[0], times_add(-A2 - B2, d[2], d[4]));
    v[1] = times_add(A1, odd_a, even_a);
    v[2] = times_add(-A1, odd_a, even_a);
    v[3] = times_add(B1, odd_b, even_b);
    v[4] = times_add(-B1, odd_b, even_b);
    v[5] = times_add(A2 * B2, d[1], times_add(-A2 - B2, d[3], d[5]));
}

/* A^T m for a line m of the products. */
LANES_INLINE void transform_inverse(lanes y[TILE], const lanes m[WINDOW])
{
    const lanes even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const lanes even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + (even_a + even_b);
    y[1] = times_add(A1, odd_a, times(B1, odd_b));
    y[2] = times_add(A2, even_a, times(B2, even_b));
    y[3] = times_add(A1 * A2, odd_a, times_add(B1 * B2, odd_b, m[5]));
}

/* `count` channels of one tile, at most LANES. */
LANES_INLINE void data_tile(const struct cxn_winograd_data_f32 *t, const float *src, float *dst,
                            size_t count)
{
    lanes half[WINDOW][WINDOW]; /* half[y][x] is (B^T d)[y][x] */
#pragma GCC unroll 6
    for (size_t x = 0; x < WINDOW; x++) {
        lanes d[WINDOW], v[WINDOW];
#pragma GCC unroll 6
        for (size_t y = 0; y < WINDOW; y++)
            d[y] = load_some(src + y * t->row_step + x * t->place_step, count);
        transform_data(v, d);
#pragma GCC unroll 6
        for (size_t y = 0; y < WINDOW; y++) half[y][x] = v[y];
    }
#pragma GCC unroll 6
    for (size_t y = 0; y < WINDOW; y++) {
        lanes v[WINDOW];
        transform_data(v, half[y]);
#pragma GCC unroll 6
        for (size_t x = 0; x < WINDOW; x++)
            store_some(dst + (WINDOW * y + x) * t->position_step, v[x], count);
    }
}

LANES_INLINE void data_run(const struct cxn_winograd_data_f32 *t)
{
    const size_t whole = t->channels / LANES * LANES;
    for (size_t tile = 0; tile < t->tiles; tile++) {
        const float *src = t->src + tile * TILE * t->place_step;
        float *dst = t->dst + tile * t->tile_step;
        for (size_t i = 0; i < whole; i += LANES) data_tile(t, src + i, dst + i, LANES);
        if (whole < t->channels) data_tile(t, src + whole, dst + whole, t->channels - whole);
    }
}

/* `count` channels of the first height x width outputs of one tile. */
LANES_INLINE void inverse_tile(const struct cxn_winograd_inverse_f32 *t, const float *src,
                               float *dst, size_t height, size_t width, size_t count)
{
    lanes half[TILE][WINDOW]; /* half[y][x] is (A^T m)[y][x] */
#pragma GCC unroll 6
    for (size_t x = 0; x < WINDOW; x++) {
        lanes m[WINDOW], v[TILE];
#pragma GCC unroll 6
        for (size_t y = 0; y < WINDOW; y++)
            m[y] = load_some(src + (WINDOW * y + x) * t->position_step, count);
        transform_inverse(v, m);
#pragma GCC unroll 4
        for (size_t y = 0; y < TILE; y++) half[y][x] = v[y];
    }
#pragma GCC unroll 4
    for (size_t y = 0; y < height; y++) {
        lanes v[TILE];
        transform_inverse(v, half[y]);
#pragma GCC unroll 4
        for (size_t x = 0; x < width; x++)
            store_some(dst + y * t->dst_row_step + x * t->dst_place_step, v[x], count);
    }
}

LANES_INLINE void inverse_run(const struct cxn_winograd_inverse_f32 *t)
{
    const size_t whole = t->channels / LANES * LANES;
    for (size_t x = 0; x < t->width; x += TILE) {
        const float *src = t->src + x / TILE * t->tile_step;
        float *dst = t->dst + x * t->dst_place_step;
        const size_t left = t->width - x, width = left < TILE ? left : TILE;
        const bool full = t->height == TILE && width == TILE;
        for (size_t i = 0; full && i < whole; i += LANES)
            inverse_tile(t, src + i, dst + i, TILE, TILE, LANES);
        for (size_t i = full ? whole : 0; i < t->channels; i += LANES)
            inverse_tile(t, src + i, dst + i, t->height, width, t->channels - i);
    }
}

#endif
