/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_CONV_I8_H
#define CXN_KERN_HINGE_CONV_I8_H

#include "kern/conv_bordered_i8.h"
#include "kern/hinge_i8.h"

/*
 * The 1x1 behind hinges, on bytes: conv_bordered_i8 of
 *     cxn_hinge_byte(src[(y * width + x) * src_step + i], flip[i], knot[i]), i < channels
 * The hinged bytes of some places at a time lie in a panel, which a row may keep in the nearest
 * cache.
 */
struct cxn_hinge_conv_i8 {
    const uint8_t *src;
    size_t src_step, channels;
    const uint8_t *flip, *knot; /* [channels] */
    size_t height, width, out;
    const void *w;  /* from the packer of conv_bordered_i8, for the row of the same name */
    bool two_parts, bounded; /* as of struct cxn_conv_bordered */
    uint8_t *panel; /* on 64 bytes, the row's places x cxn_hinge_conv_i8_step(), written over */
    uint8_t *dst;
    size_t dst_place_step, dst_row_step;
    struct cxn_ahead ahead;
};
typedef void cxn_hinge_conv_i8_fn(const struct cxn_hinge_conv_i8 *conv);

struct cxn_hinge_conv_i8_kernel {
    struct cxn_kern_row row;
    size_t places; /* of a panel */
    cxn_hinge_conv_i8_fn *run;
};

/* Bytes from a place of the panel to the next: whole lines of the cache, and an odd number of them,
 * so that 16 places in a row do not share its sets. */
static inline size_t cxn_hinge_conv_i8_step(size_t channels)
{
    return ((channels + 63) / 64 | 1) * 64;
}

/* One function a level, kern/<level>/hinge_conv_i8.c. */
cxn_hinge_conv_i8_fn cxn_hinge_conv_i8_c, cxn_hinge_conv_i8_avx2, cxn_hinge_conv_i8_avxvnni,
    cxn_hinge_conv_i8_vnni, cxn_hinge_conv_i8_amx;

/* The fastest row that needs no other bits than those in `cpu`; each has the needs of
 * conv_bordered_i8's of its name. */
const struct cxn_hinge_conv_i8_kernel *cxn_hinge_conv_i8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_hinge_conv_i8_op;

#endif
