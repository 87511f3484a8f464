/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_f32.h"

void cxn_norm_relu_f32_c(const struct cxn_norm_relu *norm)
{
    for (size_t p = 0; p < norm->count; p++) {
        const float *src = (const float *)norm->src + p * norm->src_step;
        float *dst = (float *)norm->dst + p * norm->dst_step;
        for (size_t i = 0; i < norm->channels; i++) {
            const float value = src[i] * norm->scale[i] + norm->shift[i];
            dst[i] = value < 0.0f ? 0.0f : value; /* in this order a NaN stays one */
        }
    }
}
