/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_pool_f32.h"

static float activate(float x, float scale, float shift)
{
    const float value = x * scale + shift;
    return value < 0.0f ? 0.0f : value;
}

void cxn_norm_relu_pool_f32_c(const struct cxn_norm_relu_pool *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const float *upper = (const float *)pool->src + 2 * x * pool->src_step;
        const float *lower = upper + pool->src_row_step;
        float *dst = (float *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i++) {
            const float scale = pool->scale[i], shift = pool->shift[i];
            dst[i] = (activate(upper[i], scale, shift) +
                      activate(upper[pool->src_step + i], scale, shift) +
                      activate(lower[i], scale, shift) +
                      activate(lower[pool->src_step + i], scale, shift)) * 0.25f;
        }
    }
}
