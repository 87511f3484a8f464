/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/view.h"

static enum cxn_status check_view(const struct cxn_view *v, size_t i, size_t view_pixels,
                                  struct cxn_error *err)
{
    const struct cxn_picture *p = v->picture;
    if (p->channels != 1 && p->channels != 3)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %u channels, expected 1 or 3", i, p->channels);
    if (v->width == 0 || v->height == 0 || v->width % CXN_VIEW_SIDE_UNIT != 0 ||
        v->height % CXN_VIEW_SIDE_UNIT != 0)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u, expected multiples of %d", i, v->width,
                        v->height, CXN_VIEW_SIDE_UNIT);
    if (v->width > p->width || v->x > p->width - v->width || v->height > p->height ||
        v->y > p->height - v->height)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u at %u,%u leaves the picture of %ux%u", i,
                        v->width, v->height, v->x, v->y, p->width, p->height);
    if ((uint64_t)v->width * v->height > view_pixels)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u, opened for at most %zu pixels", i,
                        v->width, v->height, view_pixels);
    return CXN_OK;
}

enum cxn_status cxn_views_check(const struct cxn_view *views, size_t count, size_t view_pixels,
                                struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const enum cxn_status status = check_view(&views[i], i, view_pixels, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

enum cxn_status cxn_prob_check(double p, size_t view, size_t output, struct cxn_error *err)
{
    if (p >= 0.0 && p <= 1.0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "view %zu: output %zu is not a number: the weights "
                    "overflow the arithmetic", view, output);
}
