/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WGRAD_H
#define CXN_KERN_WGRAD_H

#include <stdbool.h>

#include "kern/kern.h"

/*
 * The gradient of a conv_bordered by its weights, with that operation's geometry, over some maps:
 *     dst[t][i][o] (+)= sum over maps m and places (y, x) of
 *         src[m * map_step + y * row_step + x * place_step + t * tap_row_step + i] *
 *         grad[m * grad_map_step + y * grad_row_step + x * grad_place_step + o]
 * for t < tap_rows, i < run, o < out. dst is float32 and dense; with `add` the sum joins what is
 * there. What src and grad are made of is the operation's: float32 or bfloat16. The order of a
 * number's terms depends on maps, height and width alone. Whatever lies between the first and the
 * last number of src that is named here may be read, and changes nothing.
 */
struct cxn_wgrad {
    const void *src;
    size_t place_step, row_step, map_step, tap_row_step; /* in numbers */
    size_t tap_rows, run;
    const void *grad;
    size_t grad_place_step, grad_row_step, grad_map_step;
    size_t maps, height, width, out; /* none is 0 */
    float *dst; /* [tap_rows][run][out] */
    bool add;
    void *scratch; /* where the operation asks for it, aligned to 64 bytes */
};
typedef void cxn_wgrad_fn(const struct cxn_wgrad *wgrad);

struct cxn_wgrad_kernel {
    struct cxn_kern_row row;
    cxn_wgrad_fn *run;
};

#endif
