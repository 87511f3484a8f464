/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/window_f32.h"

void cxn_window_f32_c(float *dst, const struct cxn_window_f32 *window)
{
    for (size_t y = 0; y < window->height; y++) {
        const uint8_t *row = window->src + y * window->stride_bytes;
        for (size_t x = 0; x < window->width; x++) {
            const uint8_t *sample = row + (window->mirror ? window->width - 1 - x : x) *
                                              window->channels;
            for (size_t i = 0; i < 3; i++) {
                const float value = sample[window->channels == 3 ? i : 0];
                *dst++ = (value / 255.0f - cxn_window_mean[i]) / cxn_window_deviation[i];
            }
        }
    }
}
