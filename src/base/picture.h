/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_PICTURE_H
#define CXN_BASE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* 8-bit samples, rows from the top, interleaved channels: [height][width][channels]. */
struct cxn_picture {
    uint8_t *pixels;
    uint32_t width, height;
    uint32_t channels;   /* 1 grey, 3 RGB */
    size_t stride_bytes; /* from one row to the next, at least width * channels */
};

#endif
