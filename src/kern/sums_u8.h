/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SUMS_U8_H
#define CXN_KERN_SUMS_U8_H

#include "kern/hinge_i8.h"
#include "kern/kern.h"

/* Exact sums over all places of hinged bytes, for the head:
 *     dst[i] = the sum over p < count of cxn_hinge_byte(src[p * src_step + i], flip[i], knot[i])
 * with count at most 2^23. */
struct cxn_sums_u8 {
    const uint8_t *src;
    size_t src_step, count, channels;
    const uint8_t *flip, *knot; /* [channels] */
    int32_t *dst;               /* [channels] */
};
typedef void cxn_sums_u8_fn(const struct cxn_sums_u8 *sums);

struct cxn_sums_u8_kernel {
    struct cxn_kern_row row;
    cxn_sums_u8_fn *run;
};

/* One function a level, kern/<level>/sums_u8.c. */
cxn_sums_u8_fn cxn_sums_u8_c, cxn_sums_u8_avx2, cxn_sums_u8_avx512;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_sums_u8_kernel *cxn_sums_u8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_sums_u8_op;

#endif
