/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_IMAGE_IMAGE_H
#define CXN_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/picture.h"
#include "nn/engine.h"

/* Limits on a file, checked before anything is allocated for its pixels (docs/untrusted-files.md).
 */
#define CXN_IMAGE_FILE_BYTES_MAX ((size_t)256 << 20)
#define CXN_IMAGE_SIDE_MAX 32768u
#define CXN_IMAGE_PIXELS_MAX ((size_t)128 << 20)

/* What a decoder did that a user should be told. */
enum cxn_image_note {
    CXN_NOTE_SCALED_16 = 1, /* 16-bit samples were scaled to 8 bits */
};

/*
 * Decode a PNG or JPEG, chosen by content. The picture is grey where the file is, or where all
 * three channels are equal everywhere; alpha is dropped; gamma and EXIF rotation are ignored, as
 * PIL does. out->pixels is freed with cxn_picture_close(). notes (may be NULL) gets CXN_NOTE_ bits.
 * CXN_E_FORMAT, CXN_E_LIMIT or CXN_E_NOMEM with a text that says where; the caller adds the name.
 */
enum cxn_status cxn_image_decode(const struct cxn_env *env, const uint8_t *data, size_t size,
                                 struct cxn_picture *out, unsigned *notes, struct cxn_error *err);

/* Read and decode a file. Errors name the path. A note is also written to env->log. */
enum cxn_status cxn_image_load(const struct cxn_env *env, const char *path, struct cxn_picture *out,
                               unsigned *notes, struct cxn_error *err);

/* Allocate an uninitialised picture, rows without gaps. */
enum cxn_status cxn_picture_open(const struct cxn_env *env, uint32_t width, uint32_t height,
                                 uint32_t channels, struct cxn_picture *out, struct cxn_error *err);
void cxn_picture_close(struct cxn_picture *picture); /* frees pixels, zeroes the record */

/* Longest side that a resize may give: thin strips grow (3000x17 becomes 45176x256). */
#define CXN_RESIZE_LONG_MAX 65536u

/*
 * torchvision's Resize(short_side) on a PIL image: shorter side short_side, the other
 * int(short_side * long / short); bilinear with antialias, equal to Pillow's to the bit. An image
 * that has that size already is copied. CXN_E_LIMIT where the long side would pass
 * CXN_RESIZE_LONG_MAX; CXN_E_NOMEM.
 */
enum cxn_status cxn_picture_resize(const struct cxn_env *env, const struct cxn_picture *src,
                                   uint32_t short_side, struct cxn_picture *out,
                                   struct cxn_error *err);

#define CXN_RESIZE_SIDE 256u /* shorter side after Resize */
#define CXN_CROP_SIDE 224u   /* side of every crop */

/* Which windows of a resized picture are scored. */
enum cxn_crops { CXN_CROPS_TEN, CXN_CROPS_CENTER, CXN_CROPS_FULL };
enum { CXN_VIEWS_MAX = 10 };

/* Longest side of a resized picture that FULL takes: twice the shorter one. It bounds the memory of
 * the feature maps, which grow with the view. */
#define CXN_FULL_LONG_MAX 512u

/* Views that each picture is scored with: 10, 1 or 2. */
size_t cxn_crops_count(enum cxn_crops crops);

/* CXN_E_LIMIT for a resized picture that is too long for these crops. */
enum cxn_status cxn_crops_check(enum cxn_crops crops, const struct cxn_picture *picture,
                                struct cxn_error *err);

/*
 * torchvision's TenCrop(224): top-left, top-right, bottom-left, bottom-right, centre, then the same
 * five of the mirrored picture; the centre starts at round-half-to-even((side - 224) / 2).
 * CENTER is the fifth of these, FULL the whole picture and its mirror image. Writes, and returns,
 * cxn_crops_count() views.
 * picture: both sides at least CXN_CROP_SIDE, as cxn_picture_resize() leaves them.
 */
size_t cxn_crops_views(enum cxn_crops crops, const struct cxn_picture *picture,
                       struct cxn_view views[CXN_VIEWS_MAX]);

#endif
