/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/max_pool_grad_row_bf16.h"

void cxn_max_pool_grad_row_bf16_c(const struct cxn_max_pool_grad_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        const uint16_t *largest = (const uint16_t *)pool->largest + x * pool->largest_step;
        const uint16_t *grad = (const uint16_t *)pool->grad + x * pool->grad_step;
        for (size_t i = 0; i < pool->channels; i++) {
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t at = (2 * x + tap % 3) * pool->channels + i;
                const float src = cxn_bf16_value(((const uint16_t *)pool->src[tap / 3])[at]);
                uint16_t *dst = (uint16_t *)pool->dst[tap / 3] + at;
                if (src != cxn_bf16_value(largest[i])) continue;
                *dst = cxn_bf16_round(cxn_bf16_value(*dst) + cxn_bf16_value(grad[i]));
                break;
            }
        }
    }
}
