/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/hinge.h"

#include <math.h>
#include <stdbool.h>

#include "kern/bf16.h"
#include "kern/hinge_conv_bf16.h"

struct hinge {
    float scale, knot; /* knot: a value of bfloat16 */
    float constant;    /* where scale is 0: what the channel always is */
};

/* With a knot of this size x adds nothing to the shift that float32 could hold. */
static const float KNOT_MAX = 0x1p80f;

static struct hinge make_hinge(float scale, float shift)
{
    const float knot = -shift / scale;
    if (!(fabsf(knot) < KNOT_MAX)) /* scale is 0, or nearly, or one is no number: nor is the sum */
        return (struct hinge){ .constant = scale * 0.0f + (shift < 0.0f ? 0.0f : shift) };
    return (struct hinge){ .scale = scale, .knot = cxn_bf16_value(cxn_bf16_round(knot)) };
}

void cxn_hinge_knots(uint16_t *knot, uint16_t *turn, const float *scale, const float *shift,
                     size_t channels)
{
    for (size_t i = 0; i < channels; i++) {
        const struct hinge h = make_hinge(scale[i], shift[i]);
        cxn_hinge_set(cxn_bf16_round(h.knot), h.scale >= 0.0f, &knot[i], &turn[i]);
    }
}

void cxn_hinge_weights(float *w, float *bias, const float *scale, const float *shift, size_t in,
                       size_t out)
{
    for (size_t i = 0; i < in; i++, w += out) {
        const struct hinge h = make_hinge(scale[i], shift[i]);
        for (size_t o = 0; o < out; o++) {
            bias[o] += w[o] * h.constant;
            w[o] = cxn_bf16_value(cxn_bf16_round(w[o] * h.scale));
            bias[o] -= w[o] * h.knot;
        }
    }
}
