/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WINDOW_F32_H
#define CXN_KERN_WINDOW_F32_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * A window of 8-bit samples as the network's input:
 *     dst[h][w][3] = (sample / 255 - mean) / deviation
 * with ImageNet's mean and deviation of each channel, in torchvision's order of float operations. A
 * grey sample stands for three equal ones. With mirror, left and right change places.
 */
struct cxn_window_f32 {
    const uint8_t *src;  /* top left sample of the window, [height][width][channels] */
    size_t stride_bytes; /* from one row to the next */
    size_t width, height, channels; /* channels 1 or 3 */
    bool mirror;
};
typedef void cxn_window_f32_fn(float *dst, const struct cxn_window_f32 *window);

/* Both [3]: red, green, blue. */
extern const float cxn_window_mean[3], cxn_window_deviation[3];

/* One function a level, kern/<level>/window_f32.c. */
cxn_window_f32_fn cxn_window_f32_c;

struct cxn_window_f32_kernel {
    struct cxn_kern_row row;
    cxn_window_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_window_f32_kernel *cxn_window_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_window_f32_op;

#endif
