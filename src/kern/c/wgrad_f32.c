/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_f32.h"

#include <string.h>

enum { LANES = 16 };

/* dst += the products of one term with some outputs, over one row of places. A row has sums of its
 * own: one chain over all places of a large map would round several times as far. */
static void add_lanes(float *restrict dst, const float *restrict src, size_t place_step,
                      const float *restrict grad, size_t grad_place_step, size_t width,
                      size_t lanes)
{
    float sums[LANES] = { 0.0f };
    for (size_t x = 0; x < width; x++)
        for (size_t o = 0; o < lanes; o++)
            sums[o] += src[x * place_step] * grad[x * grad_place_step + o];
    for (size_t o = 0; o < lanes; o++) dst[o] += sums[o];
}

static void add_row(const struct cxn_wgrad *w, float *dst, const float *src, const float *grad)
{
    for (size_t o = 0; o < w->out; o += LANES)
        add_lanes(dst + o, src, w->place_step, grad + o, w->grad_place_step, w->width,
                  w->out - o < LANES ? w->out - o : LANES);
}

static void add_term(const struct cxn_wgrad *w, float *dst, size_t t, size_t i)
{
    for (size_t m = 0; m < w->maps; m++)
        for (size_t y = 0; y < w->height; y++)
            add_row(w, dst, (const float *)w->src + m * w->map_step + y * w->row_step +
                                t * w->tap_row_step + i,
                    (const float *)w->grad + m * w->grad_map_step + y * w->grad_row_step);
}

void cxn_wgrad_f32_c(const struct cxn_wgrad *w)
{
    float *dst = w->dst;
    if (!w->add) memset(dst, 0, w->tap_rows * w->run * w->out * sizeof *dst);
    for (size_t t = 0; t < w->tap_rows; t++)
        for (size_t i = 0; i < w->run; i++, dst += w->out) add_term(w, dst, t, i);
}
