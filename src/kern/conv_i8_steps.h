/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_I8_STEPS_H
#define CXN_KERN_CONV_I8_STEPS_H

#include "kern/conv_bordered_i8.h"

/*
 * A panel's weights for rows that add products of bytes in 16 bits before they widen them: two
 * terms a lane by vpmaddubsw, which saturates. They lie in steps of four terms of all columns, so
 * chosen that no lane leaves 16 bits whatever the samples are:
 *     where two weights might, the second of them is in a step of its own;
 *     two steps are a pair if the sums of both may be added before they are widened.
 * Pairs lie at the front of both arrays, the other steps at their end, as sums are exact in any
 * order. What is between them is never read.
 */
enum { CXN_CONV_I8_STEP_COLUMNS = 16 };

struct cxn_conv_i8_steps {
    _Alignas(64) uint32_t pairs; /* two steps each */
    uint32_t singles;
};

/* Where a step's terms are; of terms there are at most 65,536. */
struct cxn_conv_i8_at {
    uint16_t tap_row, term;
};

/* [columns][terms] */
typedef int8_t cxn_conv_i8_step[CXN_CONV_I8_STEP_COLUMNS * CXN_CONV_I8_TERMS];

/* Steps that a panel has room for: twice those that there are if none has to be parted. */
static inline size_t cxn_conv_i8_step_room(size_t terms)
{
    return 2 * ((terms + CXN_CONV_I8_TERMS - 1) / CXN_CONV_I8_TERMS);
}

/* The first array, behind struct cxn_conv_i8_steps, in whole lines of the cache. */
static inline size_t cxn_conv_i8_at_bytes(size_t terms)
{
    return (cxn_conv_i8_step_room(terms) * sizeof(struct cxn_conv_i8_at) + 63) / 64 * 64;
}

/* All of it, the second array being of cxn_conv_i8_step. */
static inline size_t cxn_conv_i8_steps_bytes(size_t terms)
{
    return sizeof(struct cxn_conv_i8_steps) + cxn_conv_i8_at_bytes(terms) +
           cxn_conv_i8_step_room(terms) * sizeof(cxn_conv_i8_step);
}

/* Of the panel whose first output is `first`; of two parts the second has the last half of the
 * columns. */
void cxn_conv_i8_steps_pack(struct cxn_conv_i8_steps *steps,
                            const struct cxn_conv_i8_weights *weights, size_t first);

#endif
