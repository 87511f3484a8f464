/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_PAIRS_BF16_H
#define CXN_KERN_PAIRS_BF16_H

#include "kern/kern.h"

/*
 * Places to pairs of places, as products over places take them: of each block of 16 channels a run
 * of pairs, [pair][16][2], so that one vector, or one row of a tile, has two places of 16 channels:
 *     dst[i / 16 * block_step + p / 2 * 32 + i % 16 * 2 + p % 2] = src[p * src_step + i]
 * for count places p and channels i; zeros for the channels and the place that fill the last block
 * and pair. Any 16 bits.
 */
struct cxn_pairs_bf16 {
    const uint16_t *src;
    size_t src_step;
    uint16_t *dst;
    size_t block_step;
    size_t count, channels;
};
typedef void cxn_pairs_bf16_fn(const struct cxn_pairs_bf16 *pairs);

enum { CXN_PAIRS_CHANNELS = 16 }; /* of a block */

/* One function a level, kern/<level>/pairs_bf16.c. */
cxn_pairs_bf16_fn cxn_pairs_bf16_c, cxn_pairs_bf16_avx512;

struct cxn_pairs_bf16_kernel {
    struct cxn_kern_row row;
    cxn_pairs_bf16_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_pairs_bf16_kernel *cxn_pairs_bf16_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_pairs_bf16_op;

#endif
