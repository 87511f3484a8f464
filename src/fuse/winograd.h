/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_WINOGRAD_H
#define CXN_FUSE_WINOGRAD_H

#include "fuse/kernels.h"
#include "kern/winograd.h"

/*
 * A 3x3 convolution in float32 without bias as kern/winograd.h has it: tiles of 4x4 outputs, of
 * which a group at a time is transformed, multiplied and transformed back in `scratch`, so that
 * what lies between stays in cache. A tile's numbers are the same whatever group it is in.
 */
struct cxn_winograd {
    const struct cxn_fuse_kernels *kernels;
    /* [reach of height][src_row_step]: one place of the border before the outputs, all others
     * behind them. */
    const float *src;
    size_t in, src_row_step; /* in floats; places are dense */
    const float *w;          /* from cxn_winograd_pack() */
    size_t height, width, out; /* of the output */
    void *dst; /* numbers of a map: float32, or what kernels->round makes */
    size_t dst_place_step, dst_row_step;
    float *scratch; /* cxn_winograd_scratch_count() floats, the caller's own */
};

/* Tiles that cover so many rows or columns. */
static inline size_t cxn_winograd_tiles(size_t side)
{
    return (side + CXN_WINOGRAD_TILE - 1) / CXN_WINOGRAD_TILE;
}

/* Rows or columns of the map that the tiles of so many outputs read. */
static inline size_t cxn_winograd_reach(size_t side)
{
    return cxn_winograd_tiles(side) * CXN_WINOGRAD_TILE + 2;
}

/* Floats of the packed weights, of what cxn_winograd_pack() needs meanwhile, and of the scratch,
 * for a convolution of `in` to `out` channels. */
size_t cxn_winograd_packed_count(const struct cxn_fuse_kernels *kernels, size_t in, size_t out);
size_t cxn_winograd_plain_count(size_t in, size_t out);
size_t cxn_winograd_scratch_count(const struct cxn_fuse_kernels *kernels, size_t in, size_t out);

/* w: [3][3][in][out]. */
void cxn_winograd_pack(const struct cxn_fuse_kernels *kernels, float *packed, const float *w,
                       size_t in, size_t out, float *plain);

/* Tiles first..last - 1, counted along the rows of tiles. */
void cxn_winograd_run(const struct cxn_winograd *conv, size_t first, size_t last);

#endif
