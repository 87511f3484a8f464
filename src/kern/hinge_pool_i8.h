/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_POOL_I8_H
#define CXN_KERN_HINGE_POOL_I8_H

#include "kern/hinge_i8.h"
#include "kern/kern.h"

/*
 * Hinges and the mean of each 2x2 window, on bytes, for one row of windows:
 *     dst[x][i] = (the sum over the four places of cxn_hinge_byte(src, flip[i], knot[i]) + 2) >> 2
 * of places 2x and 2x + 1 of two rows.
 */
struct cxn_hinge_pool_i8 {
    const uint8_t *src; /* upper row; places are src_step bytes apart */
    size_t src_step, src_row_step;
    uint8_t *dst;
    size_t dst_step;
    size_t count, channels;     /* windows; channels of each */
    const uint8_t *flip, *knot; /* [channels] */
};
typedef void cxn_hinge_pool_i8_fn(const struct cxn_hinge_pool_i8 *pool);

struct cxn_hinge_pool_i8_kernel {
    struct cxn_kern_row row;
    cxn_hinge_pool_i8_fn *run;
};

/* One function a level, kern/<level>/hinge_pool_i8.c. */
cxn_hinge_pool_i8_fn cxn_hinge_pool_i8_c, cxn_hinge_pool_i8_avx2, cxn_hinge_pool_i8_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_hinge_pool_i8_kernel *cxn_hinge_pool_i8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_hinge_pool_i8_op;

#endif
