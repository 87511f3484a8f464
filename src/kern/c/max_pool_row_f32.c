/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_row_f32.h"

void cxn_max_pool_row_f32_c(const struct cxn_max_pool_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        float *dst = (float *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i++) {
            float most = ((const float *)pool->src[0])[2 * x * pool->channels + i];
            for (size_t tap = 1; tap < 9; tap++) {
                const float *row = pool->src[tap / 3];
                const float value = row[(2 * x + tap % 3) * pool->channels + i];
                most = value <= most || most != most ? most : value;
            }
            dst[i] = most;
        }
    }
}
