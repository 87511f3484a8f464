/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_f32.h"

#include <string.h>

/* dst += the products of one term with all outputs, over one row of places. */
static void add_row(float *restrict dst, const float *restrict src, size_t place_step,
                    const float *restrict grad, size_t grad_place_step, size_t width, size_t out)
{
    for (size_t x = 0; x < width; x++)
        for (size_t o = 0; o < out; o++)
            dst[o] += src[x * place_step] * grad[x * grad_place_step + o];
}

static void add_term(const struct cxn_wgrad *w, float *dst, size_t t, size_t i)
{
    for (size_t m = 0; m < w->maps; m++)
        for (size_t y = 0; y < w->height; y++)
            add_row(dst, (const float *)w->src + m * w->map_step + y * w->row_step +
                             t * w->tap_row_step + i, w->place_step,
                    (const float *)w->grad + m * w->grad_map_step + y * w->grad_row_step,
                    w->grad_place_step, w->width, w->out);
}

void cxn_wgrad_f32_c(const struct cxn_wgrad *w)
{
    float *dst = w->dst;
    if (!w->add) memset(dst, 0, w->tap_rows * w->run * w->out * sizeof *dst);
    for (size_t t = 0; t < w->tap_rows; t++)
        for (size_t i = 0; i < w->run; i++, dst += w->out) add_term(w, dst, t, i);
}
