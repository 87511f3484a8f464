/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SAMPLES_H
#define CXN_KERN_SAMPLES_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * A window of 8-bit samples as planes of numbers, as they are, and one plane more that is 1, or
 * of bytes 255, which leaves more of a weight's 8 bits:
 *     dst[y][x][copy][0..taken-1] = sample, dst[y][x][copy][taken] = 1, of bytes 255
 * Inside a border of zeros the plane of ones tells a convolution where the picture is, so that the
 * normalisation folds into its weights exactly. With mirror, left and right change places.
 */
struct cxn_samples {
    const uint8_t *src;  /* top left sample of the window, [height][width][channels] */
    size_t stride_bytes; /* from one row to the next */
    size_t width, height, channels; /* channels 1 or 3 */
    size_t taken;        /* of the channels of each sample, the first ones: 1 or all */
    size_t copies;       /* times that a place is written, side by side: 1 or 2 */
    bool mirror;
    void *dst; /* places are dense, rows dst_row_step numbers apart */
    size_t dst_row_step;
};
typedef void cxn_samples_fn(const struct cxn_samples *samples);

struct cxn_samples_kernel {
    struct cxn_kern_row row;
    cxn_samples_fn *run;
};

#endif
