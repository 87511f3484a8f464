/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_CONV_BF16_H
#define CXN_KERN_HINGE_CONV_BF16_H

#include "kern/conv_bordered_bf16.h"

/*
 * The 1x1 behind hinge functions, with bias and ReLU, in bfloat16:
 *     dst[y][x][o] = max(0, bias[o] + sum over i < channels of
 *                           hinge_i(src[(y * width + x) * src_step + i]) * w[i][o])
 * where hinge_i(x) is max(x, k) if channel i's hinge rises and min(x, k) if it falls, k its knot.
 *
 * A number is its sign and its magnitude, so of a number and a known knot the greater or the lesser
 * is what a comparison of unsigned 16-bit integers gives once some of their bits are turned: which
 * ones depends on the knot's sign and the hinge's way alone. What becomes of a NaN in src is left
 * open: a hinge may hide it.
 *
 * The hinged numbers of some places at a time lie in a panel, which a row may keep in the nearest
 * cache. How a caller cuts a map into calls does not change a bit.
 */
struct cxn_hinge_conv {
    const uint16_t *src;
    size_t src_step, channels;
    const uint16_t *knot, *turn; /* [channels], by cxn_hinge_set() */
    size_t height, width, out; /* these and channels: 1 and more */
    const void *w;   /* from the packer of conv_bordered_bf16, for the row of the same name */
    uint16_t *panel; /* on 64 bytes, the row's places x cxn_hinge_conv_step(), written over */
    uint16_t *dst;
    size_t dst_place_step, dst_row_step; /* in numbers */
    struct cxn_ahead ahead;
};
typedef void cxn_hinge_conv_fn(const struct cxn_hinge_conv *conv);

struct cxn_hinge_conv_kernel {
    struct cxn_kern_row row;
    size_t places; /* of a panel */
    cxn_hinge_conv_fn *run;
};

/* One channel's. knot: a bfloat16 number, not NaN. */
void cxn_hinge_set(uint16_t knot, bool rises, uint16_t *turned_knot, uint16_t *turn);

/* Numbers from a place of the panel to the next: whole lines of the cache, and an odd number of
 * them, so that 16 places in a row do not share its sets. */
static inline size_t cxn_hinge_conv_step(size_t channels)
{
    return ((channels + 31) / 32 | 1) * 32;
}

/* One function a level, kern/<level>/hinge_conv_bf16.c. */
cxn_hinge_conv_fn cxn_hinge_conv_bf16_c, cxn_hinge_conv_bf16_vnni, cxn_hinge_conv_bf16_amx;

/* The fastest row that needs no other bits than those in `cpu`; each has the needs of
 * conv_bordered_bf16's of its name. */
const struct cxn_hinge_conv_kernel *cxn_hinge_conv_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_hinge_conv_bf16_op;

#endif
