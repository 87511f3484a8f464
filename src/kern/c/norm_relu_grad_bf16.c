/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/norm_relu_grad_bf16.h"

void cxn_norm_relu_grad_bf16_c(const struct cxn_norm_relu_grad *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const uint16_t *grad = (const uint16_t *)n->grad + p * n->grad_step;
        const uint16_t *active = (const uint16_t *)n->active + p * n->active_step;
        const uint16_t *src = (const uint16_t *)n->src + p * n->src_step;
        float *dst = (float *)n->dst + p * n->dst_step;
        for (size_t i = 0; i < n->channels; i++) {
            const float dz = cxn_bf16_value(active[i]) > 0.0f ? cxn_bf16_value(grad[i]) : 0.0f;
            n->sum[i] += (double)dz;
            n->product[i] += (double)dz * (double)cxn_bf16_value(src[i]);
            dst[i] = (n->add ? dst[i] : 0.0f) + dz * n->factor[i];
        }
    }
}

void cxn_norm_center_bf16_c(const struct cxn_norm_center *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const float *grad = (const float *)n->grad + p * n->grad_step;
        const uint16_t *src = (const uint16_t *)n->src + p * n->src_step;
        uint16_t *dst = (uint16_t *)n->dst + p * n->dst_step;
        for (size_t i = 0; i < n->channels; i++)
            dst[i] = cxn_bf16_round(grad[i] + (cxn_bf16_value(src[i]) - n->mean[i]) * n->slope[i] +
                                    n->offset[i]);
    }
}
