/* SPDX-License-Identifier: Apache-2.0 */
#include "train/augment.h"

#include <math.h>

#include "base/random.h"
#include "image/image.h"
#include "train/order.h"

/* Evenly in [-most, most). */
static double even(struct cxn_random *r, double most)
{
    return most * (2 * cxn_random_unit(r) - 1);
}

static size_t windows(const struct cxn_augment *a, struct cxn_random *r,
                      const struct cxn_picture *picture, struct cxn_view *views)
{
    if (a->crops == CXN_TRAIN_CROPS_TEN) return cxn_crops_views(CXN_CROPS_TEN, picture, views);
    if (a->crops == CXN_TRAIN_CROPS_CENTER)
        return cxn_crops_views(CXN_CROPS_CENTER, picture, views);
    views[0] = (struct cxn_view){ .picture = picture, .width = CXN_CROP_SIDE,
                                  .height = CXN_CROP_SIDE };
    views[0].x = cxn_random_below(r, picture->width - CXN_CROP_SIDE + 1);
    views[0].y = cxn_random_below(r, picture->height - CXN_CROP_SIDE + 1);
    return 1;
}

/* What is drawn is how the picture changes; the record says where each sample comes from, which is
 * the inverse: turned back, and scaled by one over. */
static void distort(struct cxn_train_view *v, struct cxn_random *r)
{
    const double angle = even(r, CXN_AUGMENT_DEGREES * 3.14159265358979323846 / 180);
    const double scale = 1 + even(r, CXN_AUGMENT_SCALE);
    const double c = cos(angle) / scale, s = sin(angle) / scale;
    v->resampled = true;
    v->matrix[0][0] = (float)c;
    v->matrix[0][1] = (float)s;
    v->matrix[1][0] = (float)-s;
    v->matrix[1][1] = (float)c;
    v->gain = (float)(1 + even(r, CXN_AUGMENT_GAIN));
}

size_t cxn_augment_views(const struct cxn_augment *a, uint64_t epoch, size_t image,
                         const struct cxn_picture *picture, struct cxn_train_view *views)
{
    struct cxn_view cut[CXN_VIEWS_MAX];
    struct cxn_random r =
        cxn_random_make(a->seed, cxn_random_stream(CXN_RANDOM_VIEW, epoch, image));
    const size_t count = windows(a, &r, picture, cut);
    struct cxn_train_view how = { .matrix = { { 1, 0 }, { 0, 1 } }, .gain = 1 };
    bool mirror = false;
    if (a->on) {
        mirror = cxn_random_below(&r, 2) == 1;
        distort(&how, &r);
    }
    for (size_t v = 0; v < count; v++) {
        views[v] = how;
        views[v].view = cut[v];
        views[v].view.mirror = cut[v].mirror != mirror;
    }
    return count;
}
