/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_BORDERED_H
#define CXN_KERN_CONV_BORDERED_H

#include <stdbool.h>

#include "kern/kern.h"

/* Bytes that are read next, weights as a rule: a row may ask for them while it computes. */
struct cxn_ahead {
    const void *first; /* NULL: nothing is known of it */
    size_t bytes;      /* 0: none */
};

/*
 * Convolution of a channels-last map that already has its border, with bias and, if asked, ReLU:
 *     dst[y][x][o] = bias[o] + sum over t < tap_rows, i < run of
 *                    src[y * row_step + x * place_step + t * tap_row_step + i] * w[t][i][o]
 * In such a map a row of the window is one run of kernel * channels neighbouring numbers, so this
 * is the 1x1 (one row), the 3x3 (three) and the stem (seven, places two apart) alike. A number's
 * terms are added in the order of (t, i) wherever it stands (of bytes, whose sums are exact, in
 * any order), so that how a caller cuts a map into calls does not change a bit. What a number is
 * (src, w, dst) is the operation's: float32, bfloat16 or 8 bits, whose header says more. Rows of
 * places do not overlap. Whatever lies between the first and the last number of src that is named
 * here may be read, and changes nothing.
 */
struct cxn_conv_bordered {
    const void *src;
    size_t place_step, row_step, tap_row_step; /* in numbers */
    size_t tap_rows, run;
    size_t height, width, out; /* of the output */
    const void *w;            /* from the packer, for the same row */
    void *dst;
    size_t dst_place_step, dst_row_step; /* in numbers */
    bool relu;      /* a NaN stays one */
    bool two_parts; /* of 8 bits alone: weights were packed in two parts */
    bool bounded;   /* of 8 bits alone: as cxn_conv_bordered_i8_is_bounded() says of the weights */
    struct cxn_ahead ahead;
};
typedef void cxn_conv_bordered_fn(const struct cxn_conv_bordered *conv);

/* Two terms' weights to pairs of numbers in bfloat16: to is [count][2]. */
typedef void cxn_conv_pair_fn(uint16_t *to, const float *first, const float *second, size_t count);

struct cxn_conv_bordered_kernel {
    struct cxn_kern_row row;
    uint16_t channels; /* outputs of a panel; the packer takes it from here only */
    uint16_t terms;    /* so does it this: terms are filled up with zeros to a multiple of it */
    uint16_t places;   /* about so many a call suit it, where a caller cuts a map into calls */
    cxn_conv_bordered_fn *run;
    cxn_conv_pair_fn *pair; /* for the packer where weights are bfloat16 */
};

#endif
