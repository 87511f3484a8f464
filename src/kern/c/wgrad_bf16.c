/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kern/bf16.h"
#include "kern/wgrad_bf16.h"

/* dst += the products of one term with all outputs, over one row of places. */
static void add_row(const struct cxn_wgrad *w, float *dst, const uint16_t *src,
                    const uint16_t *grad)
{
    for (size_t x = 0; x < w->width; x++, src += w->place_step, grad += w->grad_place_step)
        for (size_t o = 0; o < w->out; o++)
            dst[o] += cxn_bf16_value(*src) * cxn_bf16_value(grad[o]);
}

void cxn_wgrad_bf16_c(const struct cxn_wgrad *w)
{
    float *dst = w->dst;
    if (!w->add) memset(dst, 0, w->tap_rows * w->run * w->out * sizeof *dst);
    for (size_t k = 0; k < w->tap_rows * w->run; k++, dst += w->out) {
        const uint16_t *src =
            (const uint16_t *)w->src + k / w->run * w->tap_row_step + k % w->run;
        for (size_t i = 0; i < w->maps * w->height; i++) {
            const size_t m = i / w->height, y = i % w->height;
            add_row(w, dst, src + m * w->map_step + y * w->row_step,
                    (const uint16_t *)w->grad + m * w->grad_map_step + y * w->grad_row_step);
        }
    }
}
