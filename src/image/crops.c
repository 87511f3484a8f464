/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

/* torchvision's center_crop: int(round((side - crop) / 2.0)), and Python rounds halves to even. */
static uint32_t centre_start(uint32_t side)
{
    const uint32_t rest = side - CXN_CROP_SIDE;
    const uint32_t half = rest / 2;
    return rest % 2 == 1 && half % 2 == 1 ? half + 1 : half;
}

static struct cxn_view cut(const struct cxn_picture *picture, uint32_t x, uint32_t y)
{
    return (struct cxn_view){ picture, x, y, CXN_CROP_SIDE, CXN_CROP_SIDE, false };
}

/* TenCrop cuts its second five from the mirrored picture: the window there at x is the mirror of
 * the upright window that ends x before the right edge. */
static struct cxn_view cut_mirrored(const struct cxn_picture *picture, struct cxn_view upright)
{
    upright.x = picture->width - CXN_CROP_SIDE - upright.x;
    upright.mirror = true;
    return upright;
}

size_t cxn_crops_count(enum cxn_crops crops)
{
    static const size_t counts[] = {
        [CXN_CROPS_TEN] = CXN_VIEWS_MAX, [CXN_CROPS_CENTER] = 1, [CXN_CROPS_FULL] = 2
    };
    return counts[crops];
}

enum cxn_status cxn_crops_check(enum cxn_crops crops, const struct cxn_picture *picture,
                                struct cxn_error *err)
{
    const uint32_t w = picture->width, h = picture->height;
    if (crops != CXN_CROPS_FULL || (w <= CXN_FULL_LONG_MAX && h <= CXN_FULL_LONG_MAX))
        return CXN_OK;
    return cxn_fail(err, CXN_E_LIMIT, "%ux%u after resizing: crops full takes sides up to %u", w, h,
                    CXN_FULL_LONG_MAX);
}

size_t cxn_crops_views(enum cxn_crops crops, const struct cxn_picture *picture,
                       struct cxn_view views[CXN_VIEWS_MAX])
{
    enum { UPRIGHT = CXN_VIEWS_MAX / 2 };
    const uint32_t right = picture->width - CXN_CROP_SIDE;
    const uint32_t bottom = picture->height - CXN_CROP_SIDE;
    const struct cxn_view centre =
        cut(picture, centre_start(picture->width), centre_start(picture->height));
    if (crops == CXN_CROPS_FULL) {
        views[0] = (struct cxn_view){ picture, 0, 0, picture->width, picture->height, false };
        views[1] = views[0];
        views[1].mirror = true;
        return 2;
    }
    if (crops == CXN_CROPS_CENTER) {
        views[0] = centre;
        return 1;
    }
    views[0] = cut(picture, 0, 0);
    views[1] = cut(picture, right, 0);
    views[2] = cut(picture, 0, bottom);
    views[3] = cut(picture, right, bottom);
    views[4] = centre;
    for (size_t i = 0; i < UPRIGHT; i++) views[UPRIGHT + i] = cut_mirrored(picture, views[i]);
    return CXN_VIEWS_MAX;
}
