/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAIN_VIEW_H
#define CXN_NN_TRAIN_VIEW_H

#include "nn/trainer.h"

/*
 * What a trainer checks and cuts before it computes, as struct cxn_train_view of nn/trainer.h is
 * defined. The samples are the same bits on every machine in IEEE 754's default mode; train_view.c
 * says in which arithmetic.
 */

/* Beyond these a view is a mistake: no augmentation shrinks 64 times or moves past any picture.
 * They also keep positions in 64 bits. */
#define CXN_TRAIN_PICTURE_SIDE_MAX 65536u
#define CXN_TRAIN_MATRIX_MAX 64.0f
#define CXN_TRAIN_SHIFT_MAX 65536.0f
#define CXN_TRAIN_GAIN_MAX 256.0f

/* All that a trainer's forward() calls CXN_E_ARG: no view or more than options->views_max, sides
 * other than options->side, windows that leave their pictures, numbers that are not finite or
 * beyond the limits above, a single view whose last maps have one place. */
enum cxn_status cxn_train_views_check(const struct cxn_train_view *views, size_t count,
                                      const struct cxn_trainer_options *options,
                                      struct cxn_error *err);

/*
 * The view as an engine takes one. Where nothing is resampled and gain is 1 that is the window
 * itself, of the original picture; else the samples are written to buffer, and the view is all of
 * *cut, a picture of them. Mirroring is left to the view in either case. The channels are the
 * picture's; cxn_view_is_grey() tells whether three of them are one.
 *
 * from    as cxn_train_views_check() lets pass
 * buffer  width x height x channels bytes
 * cut     must live as long as the returned view is used, and so must buffer
 */
struct cxn_view cxn_train_view_cut(const struct cxn_train_view *from, uint8_t *buffer,
                                   struct cxn_picture *cut);

#endif
