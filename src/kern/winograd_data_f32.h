/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WINOGRAD_DATA_F32_H
#define CXN_KERN_WINOGRAD_DATA_F32_H

#include "kern/kern.h"
#include "kern/winograd.h"

/*
 * The data transform of kern/winograd.h for a row of tiles of a channels-last map with its border:
 *     dst[6 y + x][tile][i] = (B^T d B)[y][x], d[y][x] = src[y][4 tile + x][i]
 * Positions, tiles, rows and places are so many floats apart; 6 rows of 4 tiles + 2 places are
 * read. A tile's numbers do not depend on the tiles around it.
 */
struct cxn_winograd_data_f32 {
    const float *src;
    size_t place_step, row_step;
    size_t tiles, channels;
    float *dst;
    size_t tile_step, position_step;
};
typedef void cxn_winograd_data_f32_fn(const struct cxn_winograd_data_f32 *data);

/* One function a level, kern/<level>/winograd_f32.c. */
cxn_winograd_data_f32_fn cxn_winograd_data_f32_c, cxn_winograd_data_f32_avx2,
    cxn_winograd_data_f32_avx512;

struct cxn_winograd_data_f32_kernel {
    struct cxn_kern_row row;
    uint16_t group; /* tiles that are best computed together: they fill the places of this level's
                     * conv_bordered_f32, and stay in the second cache of its machines */
    cxn_winograd_data_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_winograd_data_f32_kernel *cxn_winograd_data_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_winograd_data_f32_op;

#endif
