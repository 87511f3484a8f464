/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_f32.h"

#include <string.h>

/* dst = the larger, channel by channel; a NaN wins. */
static void keep_larger(float *dst, const float *src, size_t channels)
{
    for (size_t i = 0; i < channels; i++)
        dst[i] = src[i] <= dst[i] || dst[i] != dst[i] ? dst[i] : src[i];
}

void cxn_max_pool_f32_c(float *dst, size_t dst_step, const float *src, size_t height, size_t width,
                        size_t channels)
{
    for (size_t y = 0; y < height; y += 2) {
        for (size_t x = 0; x < width; x += 2) {
            const size_t top = y > 0 ? y - 1 : 0, bottom = y + 1 < height ? y + 1 : y;
            const size_t left = x > 0 ? x - 1 : 0, right = x + 1 < width ? x + 1 : x;
            memcpy(dst, src + (y * width + x) * channels, channels * sizeof *dst);
            for (size_t sy = top; sy <= bottom; sy++)
                for (size_t sx = left; sx <= right; sx++)
                    keep_larger(dst, src + (sy * width + sx) * channels, channels);
            dst += dst_step;
        }
    }
}
