/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/norm_relu_pairs_bf16.h"

void cxn_norm_relu_pairs_bf16_c(const struct cxn_norm_relu_pairs *norm)
{
    const size_t blocks = (norm->channels + CXN_PAIRS_CHANNELS - 1) / CXN_PAIRS_CHANNELS;
    for (size_t p = 0; p < norm->height * norm->line; p++) {
        const size_t y = p / norm->line, x = p % norm->line;
        const uint16_t *src = norm->src + y * norm->src_row_step + x * norm->src_step;
        for (size_t i = 0; i < blocks * CXN_PAIRS_CHANNELS; i++) {
            float value = 0.0f;
            if (x < norm->width && i < norm->channels)
                value = cxn_bf16_value(src[i]) * norm->scale[i] + norm->shift[i];
            /* In this order a NaN stays one. */
            norm->dst[cxn_pairs_at(p, i, norm->dst_block_step)] =
                cxn_bf16_round(value < 0.0f ? 0.0f : value);
        }
    }
}
