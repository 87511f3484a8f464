/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_grad_row_f32.h"

void cxn_max_pool_grad_row_f32_c(const struct cxn_max_pool_grad_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const float *largest = (const float *)pool->largest + x * pool->largest_step;
        const float *grad = (const float *)pool->grad + x * pool->grad_step;
        for (size_t i = 0; i < pool->channels; i++) {
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + i;
                if (((const float *)pool->src[tap / 3])[at] != largest[i]) continue;
                ((float *)pool->dst[tap / 3])[at] += grad[i];
                break;
            }
        }
    }
}
