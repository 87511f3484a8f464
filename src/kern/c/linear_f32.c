/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/linear_f32.h"

void cxn_linear_f32_c(float *dst, const float *src, const float *w, const float *bias, size_t out,
                      size_t in)
{
    for (size_t o = 0; o < out; o++) {
        float sum = 0.0f;
        for (size_t i = 0; i < in; i++) sum += w[o * in + i] * src[i];
        dst[o] = sum + bias[o];
    }
}
