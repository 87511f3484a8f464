/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_IMAGE_PNG_H
#define CXN_IMAGE_PNG_H

#include "image/image.h"

/* Colour types of IHDR. */
enum {
    CXN_PNG_GREY = 0,
    CXN_PNG_RGB = 2,
    CXN_PNG_PALETTE = 3,
    CXN_PNG_GREY_ALPHA = 4,
    CXN_PNG_RGBA = 6,
};
enum { CXN_PNG_COLOURS_MAX = 256 };

/* What a file says about its pixels, checked: depth fits the type, sides are within the limits. */
struct cxn_png_head {
    uint32_t width, height;
    uint32_t depth;   /* bits a sample: 1, 2, 4, 8, 16 */
    uint32_t samples; /* a pixel, 1..4 */
    uint8_t type;     /* CXN_PNG_GREY ... */
    bool interlaced;  /* Adam7 */
    uint32_t colour_count;
    uint8_t colours[CXN_PNG_COLOURS_MAX][3];
};

/* Channels of the decoded picture: 1 for the grey types, else 3. */
uint32_t cxn_png_channels(const struct cxn_png_head *head);

/* Bytes that the zlib stream must hold: filter bytes and rows of the picture, or of its up to seven
 * passes. At most 8 * (CXN_IMAGE_PIXELS_MAX + CXN_IMAGE_SIDE_MAX), so it fits a size_t. */
size_t cxn_png_raw_bytes(const struct cxn_png_head *head);

/* Undo the filters of raw (cxn_png_raw_bytes() bytes, overwritten) and write 8-bit samples to out,
 * which is open with the sides and channels of head. CXN_E_FORMAT for an unknown filter or a
 * palette index without a colour; CXN_E_NOMEM. */
enum cxn_status cxn_png_unpack(const struct cxn_env *env, const struct cxn_png_head *head,
                               uint8_t *raw, struct cxn_picture *out, struct cxn_error *err);

#endif
