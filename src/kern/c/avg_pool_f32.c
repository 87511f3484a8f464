/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/avg_pool_f32.h"

void cxn_avg_pool_f32_c(float *dst, size_t dst_step, const float *src, size_t height, size_t width,
                        size_t channels)
{
    for (size_t y = 0; y + 1 < height; y += 2) {
        for (size_t x = 0; x + 1 < width; x += 2) {
            const float *upper = src + (y * width + x) * channels;
            const float *lower = upper + width * channels;
            for (size_t i = 0; i < channels; i++)
                dst[i] = (upper[i] + upper[channels + i] + lower[i] + lower[channels + i]) * 0.25f;
            dst += dst_step;
        }
    }
}
