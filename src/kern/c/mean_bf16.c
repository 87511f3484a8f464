/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/mean_bf16.h"

void cxn_mean_bf16_c(float *dst, const void *src, size_t count, size_t channels)
{
    const uint16_t *from = src;
    for (size_t i = 0; i < channels; i++) dst[i] = 0.0f;
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < channels; i++) dst[i] += cxn_bf16_value(from[p * channels + i]);
    for (size_t i = 0; i < channels; i++) dst[i] /= (float)count;
}
