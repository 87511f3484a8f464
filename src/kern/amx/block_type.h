/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_BLOCK_TYPE_H
#define CXN_KERN_AMX_BLOCK_TYPE_H

#include "kern/amx/tiles.h"
#include "kern/conv_bordered.h"

/*
 * Blocks of a convolution's output, as the packers pack the weights for this level: a row of a tile
 * is 64 bytes of terms, whatever their type.
 *
 * Two tiles of places times two of channels are four of sums: one tile load for each product of
 * tiles, which takes 16 cycles where a load from L1 takes 8, and four sums hide its latency of 52.
 * Their numbers are literals, which is all that the intrinsics take:
 *     0, 1  sums of the first places, channels 0 to 15 and 16 to 31;  2, 3  of the second
 *     4     terms of the first places;  5  of the second
 *     6     weights of channels 0 to 15, as packed;  7  of 16 to 31
 */
enum { CHANNELS = 32, PLACES = 16, ROW_BYTES = 64, SUM_BYTES = 4 };
enum { PANEL_STEP_BYTES = ROW_BYTES * CHANNELS }; /* of a panel, what ROW_BYTES of terms take */

typedef char place_sums[CHANNELS * SUM_BYTES];

/* What makes outputs of the sums of a panel. */
struct ending {
    __m512 factor[2], shift[2]; /* of bytes, as the panel's header has them */
    __m512 least;               /* of bfloat16 */
    __mmask32 mask;             /* which of the panel's outputs there are */
    bool two_parts, bounded;    /* of bytes, as struct cxn_conv_bordered has them */
};

/* A place's sums, and where its outputs go. */
struct target {
    const char *sums;
    char *dst;
};

/* What differs between the types of numbers; all of it is inlined. */
struct block_type {
    size_t number_bytes, header_bytes; /* header: of a panel, in front of its weights */
    size_t outputs;                    /* of a panel */
    void (*begin)(const char *panel, bool pair);
    void (*multiply)(int sums); /* into the tile of this number */
    struct ending (*end)(const struct cxn_conv_bordered *c, const char *panel, __mmask32 mask);
    void (*store)(const struct ending *ending, struct target one, struct target two);
};

/* Bytes of a panel of so many times ROW_BYTES of terms. */
static inline size_t panel_size(struct block_type type, size_t steps)
{
    return type.header_bytes + steps * PANEL_STEP_BYTES;
}

/* Which of the outputs of a panel there are. */
static inline __mmask32 mask_outputs(struct block_type type, size_t left)
{
    const size_t count = left < type.outputs ? left : type.outputs;
    return count < CHANNELS ? (1u << count) - 1 : UINT32_MAX;
}

#endif
