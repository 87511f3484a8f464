/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/norm_relu_bf16.h"

void cxn_norm_relu_bf16_c(const struct cxn_norm_relu *norm)
{
    for (size_t p = 0; p < norm->count; p++) {
        const uint16_t *src = (const uint16_t *)norm->src + p * norm->src_step;
        uint16_t *dst = (uint16_t *)norm->dst + p * norm->dst_step;
        for (size_t i = 0; i < norm->channels; i++) {
            const float value = cxn_bf16_value(src[i]) * norm->scale[i] + norm->shift[i];
            /* In this order a NaN stays one. */
            dst[i] = cxn_bf16_round(value < 0.0f ? 0.0f : value);
        }
    }
}
