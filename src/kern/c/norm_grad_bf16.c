/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/norm_grad_bf16.h"

static float masked(const uint16_t *grad, float src, float scale, float shift, size_t i)
{
    return src * scale + shift > 0.0f ? cxn_bf16_value(grad[i]) : 0.0f;
}

void cxn_norm_grad_bf16_c(const struct cxn_norm_grad *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const uint16_t *grad = (const uint16_t *)n->grad + p * n->grad_step;
        for (size_t i = 0; i < n->channels; i++) {
            const float src = cxn_bf16_value(n->src[p * n->src_step + i]);
            const float dz = masked(grad, src, n->scale[i], n->shift[i], i);
            n->sum[i] += (double)dz;
            n->product[i] += (double)dz * (double)src;
            if (n->dst) n->dst[p * n->dst_step + i] += dz * n->scale[i];
        }
    }
}

void cxn_norm_data_bf16_c(const struct cxn_norm_data *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const uint16_t *grad = (const uint16_t *)n->grad + p * n->grad_step;
        uint16_t *dst = (uint16_t *)n->dst + p * n->dst_step;
        for (size_t i = 0; i < n->channels; i++) {
            const float src = cxn_bf16_value(n->src[p * n->src_step + i]);
            const float dz = masked(grad, src, n->scale[i], n->shift[i], i);
            dst[i] = cxn_bf16_round(dz * n->scale[i] + (src - n->mean[i]) * n->slope[i] +
                                    n->offset[i]);
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
