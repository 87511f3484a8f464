/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/mean_f32.h"

void cxn_mean_f32_c(float *dst, const void *src, size_t count, size_t channels)
{
    const float *from = src;
    for (size_t i = 0; i < channels; i++) dst[i] = 0.0f;
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < channels; i++) dst[i] += from[p * channels + i];
    for (size_t i = 0; i < channels; i++) dst[i] /= (float)count;
}
