/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SAMPLES_F32_H
#define CXN_KERN_SAMPLES_F32_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * A window of 8-bit samples as planes of floats, as they are, and one plane more that is 1:
 *     dst[y][x][0..taken-1] = sample, dst[y][x][taken] = 1
 * Inside a border of zeros the plane of ones tells a convolution where the picture is, so that the
 * normalisation folds into its weights exactly. With mirror, left and right change places.
 */
struct cxn_samples_f32 {
    const uint8_t *src;  /* top left sample of the window, [height][width][channels] */
    size_t stride_bytes; /* from one row to the next */
    size_t width, height, channels; /* channels 1 or 3 */
    size_t taken;        /* of the channels of each sample, the first ones: 1 or all */
    bool mirror;
    float *dst; /* places are dense, rows dst_row_step floats apart */
    size_t dst_row_step;
};
typedef void cxn_samples_f32_fn(const struct cxn_samples_f32 *samples);

/* One function a level, kern/<level>/samples_f32.c. */
cxn_samples_f32_fn cxn_samples_f32_c;

struct cxn_samples_f32_kernel {
    struct cxn_kern_row row;
    cxn_samples_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_samples_f32_kernel *cxn_samples_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_samples_f32_op;

#endif
