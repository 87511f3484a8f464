/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/view.h"

static struct cxn_room room_of(const struct cxn_view *v)
{
    return v->width < v->height ? (struct cxn_room){ v->width, v->height }
                                : (struct cxn_room){ v->height, v->width };
}

enum cxn_status cxn_view_check(const struct cxn_view *v, size_t i, const struct cxn_room *room,
                               struct cxn_error *err)
{
    const struct cxn_picture *p = v->picture;
    const struct cxn_room needed = room_of(v);
    if (p->channels != 1 && p->channels != 3)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %u channels, expected 1 or 3", i, p->channels);
    if (needed.shorter < CXN_VIEW_SIDE_MIN)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u, expected sides of at least %d", i,
                        v->width, v->height, CXN_VIEW_SIDE_MIN);
    if (v->width > p->width || v->x > p->width - v->width || v->height > p->height ||
        v->y > p->height - v->height)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u at %u,%u leaves the picture of %ux%u", i,
                        v->width, v->height, v->x, v->y, p->width, p->height);
    if (needed.shorter > room->shorter || needed.longer > room->longer)
        return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u, there is room for %ux%u", i, v->width,
                        v->height, room->shorter, room->longer);
    return CXN_OK;
}

enum cxn_status cxn_views_check(const struct cxn_view *views, size_t count,
                                const struct cxn_room *room, struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const enum cxn_status status = cxn_view_check(&views[i], i, room, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

struct cxn_room cxn_room_with(const struct cxn_room *room, const struct cxn_view *views,
                              size_t count)
{
    struct cxn_room all = *room;
    for (size_t i = 0; i < count; i++) {
        const struct cxn_room needed = room_of(&views[i]);
        if (all.shorter < needed.shorter) all.shorter = needed.shorter;
        if (all.longer < needed.longer) all.longer = needed.longer;
    }
    return all;
}

bool cxn_view_is_grey(const struct cxn_view *v)
{
    const struct cxn_picture *p = v->picture;
    if (p->channels == 1) return true;
    for (uint32_t y = v->y; y < v->y + v->height; y++) {
        const uint8_t *row = p->pixels + y * p->stride_bytes + (size_t)v->x * p->channels;
        for (size_t x = 0; x < (size_t)v->width * 3; x += 3)
            if (row[x] != row[x + 1] || row[x] != row[x + 2]) return false;
    }
    return true;
}

enum cxn_status cxn_prob_check(double p, size_t view, size_t output, struct cxn_error *err)
{
    if (p >= 0.0 && p <= 1.0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "view %zu: output %zu is not a number: the weights "
                    "overflow the arithmetic", view, output);
}
