/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_PAIRS_H
#define CXN_KERN_PAIRS_H

#include <stddef.h>

/*
 * A map in pairs, as products over places take it: of each block of 16 channels a run of pairs of
 * neighbouring places, [pair][16][2], bfloat16. So one vector, or one row of a tile, has two places
 * of 16 channels, and 32 places of a block are a tile without gaps.
 *
 * The places of a window's map are rows of `line` places, of which those behind the width are zeros
 * and stand for the border on either side: where a row has one zero or more behind it, and a row of
 * zeros stands above and below, any tap of a 3x3 is the same run of places at another offset.
 */
enum { CXN_PAIRS_CHANNELS = 16, CXN_PAIRS_PLACES = 32 }; /* runs are whole tiles */

/* Number of channel i of place p; blocks are block_step numbers apart. */
static inline size_t cxn_pairs_at(size_t p, size_t i, size_t block_step)
{
    return i / CXN_PAIRS_CHANNELS * block_step + p / 2 * (2 * CXN_PAIRS_CHANNELS) +
           i % CXN_PAIRS_CHANNELS * 2 + p % 2;
}

#endif
