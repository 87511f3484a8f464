/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/norm_relu_pool_bf16.h"

static float activate(uint16_t x, float scale, float shift)
{
    const float value = cxn_bf16_value(x) * scale + shift;
    return value < 0.0f ? 0.0f : value;
}

void cxn_norm_relu_pool_bf16_c(const struct cxn_norm_relu_pool *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint16_t *upper = (const uint16_t *)pool->src + 2 * x * pool->src_step;
        const uint16_t *lower = upper + pool->src_row_step;
        uint16_t *dst = (uint16_t *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i++) {
            const float scale = pool->scale[i], shift = pool->shift[i];
            const float sum = activate(upper[i], scale, shift) +
                              activate(upper[pool->src_step + i], scale, shift) +
                              activate(lower[i], scale, shift) +
                              activate(lower[pool->src_step + i], scale, shift);
            dst[i] = cxn_bf16_round(sum * 0.25f);
        }
    }
}
