/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_BORDERED_I8_H
#define CXN_KERN_CONV_BORDERED_I8_H

#include "kern/conv_bordered.h"

/* Terms of a place that are multiplied at once; on AMX all that a row of a tile holds. */
enum { CXN_CONV_I8_TERMS = 4, CXN_CONV_I8_TERMS_AMX = 64 };

/*
 * Of bytes: src is u8, weights are s8, their sum is exact in int32 and goes to the grid of dst, u8:
 *     one part    v = (float)sum * m[o] + b[o]
 *     two parts   v = (float)hi * (128 m[o]) + ((float)lo * m[o] + b[o])
 *     dst         v to the nearest byte, as cxn_to_byte() does
 * each operation rounded to float32 on its own, so that all rows give the same bits. hi and lo are
 * the sums by the two parts of a weight 128 hi + lo. relu is not read.
 *
 * For the caller to see to: run is a multiple of CXN_CONV_I8_TERMS, and of terms there are at most
 * 65,536, so that no sum leaves int32; m and b are finite and |m| < 2^121, so that 128 m is finite
 * too; two_parts is true where weights.low was not NULL. A NaN, which infinite products of both
 * signs give, becomes 0.
 */
struct cxn_conv_bordered_i8_kernel {
    struct cxn_kern_row row;
    uint16_t columns; /* sums of a panel: outputs or, in two parts, half as many hi and then lo */
    uint16_t terms;   /* the packer fills them up with zeros to a multiple of it */
    uint16_t places;  /* about so many a call suit it, where a caller cuts a map into calls */
    bool stepwise;    /* weights are packed as conv_i8_steps.h has it, */
    bool in_units;    /* or, where windows overlap, as conv_i8_units.h has it */
    cxn_conv_bordered_fn *run;
};

/* One function a level, kern/<level>/conv_bordered_i8.c. */
cxn_conv_bordered_fn cxn_conv_bordered_i8_c, cxn_conv_bordered_i8_avx2,
    cxn_conv_bordered_i8_avxvnni, cxn_conv_bordered_i8_vnni, cxn_conv_bordered_i8_amx;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_conv_bordered_i8_kernel *cxn_conv_bordered_i8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_conv_bordered_i8_op;

struct cxn_conv_i8_weights {
    const int8_t *w;   /* [terms][out]; of two parts the first */
    const int8_t *low; /* the second, or NULL where there is one */
    const float *m, *b; /* [out] */
    size_t out, terms;
    size_t run; /* terms of a tap row */
    size_t place_step; /* from a place to the next: of the call too, or sums are wrong */
    const uint8_t *knot; /* [terms]: a sample is at most 255 less the term's; NULL: at most 255 */
};

/*
 * Of each panel two lines of float32, what each column's sum is multiplied by and what is added,
 * then its weights: of four terms [columns][4], or as the row has them stepwise. Columns and terms
 * are filled up with zeros; windows that overlap may have their terms in units.
 */
size_t cxn_conv_bordered_i8_packed_bytes(const struct cxn_conv_bordered_i8_kernel *row,
                                         const struct cxn_conv_i8_weights *weights);

/* packed is aligned to 64 bytes. */
void cxn_conv_bordered_i8_pack(const struct cxn_conv_bordered_i8_kernel *row, void *packed,
                               const struct cxn_conv_i8_weights *weights);

/* Whether no value leaves int32, whatever the samples are: then rows need not cut it before they
 * make a whole number of it. False is always right, and slower. */
bool cxn_conv_bordered_i8_is_bounded(const struct cxn_conv_i8_weights *weights);

/* Bytes of the two lines in front of a panel's weights. */
static inline size_t cxn_conv_i8_header_bytes(size_t columns)
{
    return 2 * columns * sizeof(float);
}

/* Outputs of a panel. */
static inline size_t cxn_conv_i8_outputs(size_t columns, bool two_parts)
{
    return two_parts ? columns / 2 : columns;
}

#endif
