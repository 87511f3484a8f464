/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_f32.h"

void cxn_norm_relu_grad_f32_c(const struct cxn_norm_relu_grad *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const float *grad = (const float *)n->grad + p * n->grad_step;
        const float *active = (const float *)n->active + p * n->active_step;
        const float *src = (const float *)n->src + p * n->src_step;
        float *dst = (float *)n->dst + p * n->dst_step;
        for (size_t i = 0; i < n->channels; i++) {
            const float dz = active[i] > 0.0f ? grad[i] : 0.0f;
            n->sum[i] += (double)dz;
            n->product[i] += (double)dz * (double)src[i];
            dst[i] = (n->add ? dst[i] : 0.0f) + dz * n->factor[i];
        }
    }
}
