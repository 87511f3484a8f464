/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_center_f32.h"

void cxn_norm_center_f32_c(const struct cxn_norm_center *n)
{
    for (size_t p = 0; p < n->count; p++) {
        const float *grad = (const float *)n->grad + p * n->grad_step;
        const float *src = (const float *)n->src + p * n->src_step;
        float *dst = (float *)n->dst + p * n->dst_step;
        for (size_t i = 0; i < n->channels; i++)
            dst[i] = grad[i] + (src[i] - n->mean[i]) * n->slope[i] + n->offset[i];
    }
}
