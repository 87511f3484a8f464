/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WINOGRAD_INVERSE_F32_H
#define CXN_KERN_WINOGRAD_INVERSE_F32_H

#include "kern/kern.h"
#include "kern/winograd.h"

/*
 * The inverse transform of kern/winograd.h for a row of tiles, into a channels-last map:
 *     dst[y][4 tile + x][i] = (A^T m A)[y][x], m[y][x] = src[6 y + x][tile][i]
 * Positions, tiles, rows and places are so many floats apart; what is below `height` or right of
 * `width` is not written. A tile's numbers do not depend on the tiles around it.
 */
struct cxn_winograd_inverse_f32 {
    const float *src;
    size_t tile_step, position_step;
    size_t height, width, channels; /* of the output; height 1..4, width in places */
    float *dst;
    size_t dst_place_step, dst_row_step;
};
typedef void cxn_winograd_inverse_f32_fn(const struct cxn_winograd_inverse_f32 *inverse);

/* One function a level, kern/<level>/winograd_f32.c. */
cxn_winograd_inverse_f32_fn cxn_winograd_inverse_f32_c, cxn_winograd_inverse_f32_avx2,
    cxn_winograd_inverse_f32_avx512;

struct cxn_winograd_inverse_f32_kernel {
    struct cxn_kern_row row;
    cxn_winograd_inverse_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_winograd_inverse_f32_kernel *cxn_winograd_inverse_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_winograd_inverse_f32_op;

#endif
