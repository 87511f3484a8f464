/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_BORDERED_F32_H
#define CXN_KERN_CONV_BORDERED_F32_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * Convolution of a channels-last map that already has its border, with bias and, if asked, ReLU:
 *     dst[y][x][o] = bias[o] + sum over t < tap_rows, i < run of
 *                    src[y * row_step + x * place_step + t * tap_row_step + i] * w[t][i][o]
 * In such a map a row of the window is one run of kernel * channels neighbouring floats, so this
 * is the 1x1 (one row), the 3x3 (three) and the stem (seven, places two apart) alike. A number's
 * terms are added in the order of (t, i) wherever it stands, so that how a caller cuts a map into
 * calls does not change a bit.
 */
struct cxn_conv_bordered_f32 {
    const float *src;
    size_t place_step, row_step, tap_row_step; /* in floats */
    size_t tap_rows, run;
    size_t height, width, out; /* of the output */
    const float *w;            /* from cxn_conv_bordered_f32_pack() for the same row */
    float *dst;
    size_t dst_place_step, dst_row_step; /* in floats */
    bool relu; /* a NaN stays one */
};
typedef void cxn_conv_bordered_f32_fn(const struct cxn_conv_bordered_f32 *conv);

/* One function a level, kern/<level>/conv_bordered_f32.c. */
cxn_conv_bordered_f32_fn cxn_conv_bordered_f32_c, cxn_conv_bordered_f32_avx2,
    cxn_conv_bordered_f32_avx512;

struct cxn_conv_bordered_f32_kernel {
    struct cxn_kern_row row;
    uint16_t channels; /* outputs of a panel; the packer takes it from here only */
    cxn_conv_bordered_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_conv_bordered_f32_kernel *cxn_conv_bordered_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_conv_bordered_f32_op;

/* Floats of [panel][1 + terms][channels]: of each panel its biases, then its weights; the last is
 * filled up with zeros. terms = tap_rows * run. */
size_t cxn_conv_bordered_f32_packed_count(const struct cxn_conv_bordered_f32_kernel *row,
                                          size_t out, size_t terms);

/* w: [terms][out]; bias: [out], or NULL for zeros. packed is aligned to 64 bytes. */
void cxn_conv_bordered_f32_pack(const struct cxn_conv_bordered_f32_kernel *row, float *packed,
                                const float *w, const float *bias, size_t out, size_t terms);

#endif
