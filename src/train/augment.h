/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_AUGMENT_H
#define CXN_TRAIN_AUGMENT_H

#include "base/picture.h"
#include "nn/trainer.h"
#include "train/settings.h"

/*
 * The views of one image in one epoch, a function of seed, epoch and the image's place in the list
 * alone. Random crops are drawn evenly from all windows of CXN_CROP_SIDE in the 256-px picture;
 * centre and ten are those of image/image.h. With augmentation on, all views of an image are drawn
 * alike: mirrored in half of the cases, turned by up to 7 degrees, scaled by up to 10 %, and
 * brightened or darkened by up to 10 %; each even in its range.
 */
#define CXN_AUGMENT_DEGREES 7.0
#define CXN_AUGMENT_SCALE 0.10
#define CXN_AUGMENT_GAIN 0.10

struct cxn_augment {
    enum cxn_train_crops crops;
    bool on;
    uint64_t seed;
};

/* Writes and returns 1 or 10 views. image: its index in the list. */
size_t cxn_augment_views(const struct cxn_augment *augment, uint64_t epoch, size_t image,
                         const struct cxn_picture *picture, struct cxn_train_view *views);

#endif
