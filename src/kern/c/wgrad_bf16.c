/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/wgrad_bf16.h"

void cxn_wgrad_bf16_c(const struct cxn_wgrad_bf16 *g)
{
    for (size_t tap = 0; tap < g->kernel * g->kernel; tap++) {
        const uint16_t *strip = g->grad - tap / g->kernel * g->line - tap % g->kernel;
        for (size_t o = 0; o < g->out; o++, strip += g->grad_step) {
            float *dst = g->dst + tap * g->dst_tap_step + o * g->dst_step;
            for (size_t p = 0; p < g->count; p++) {
                const float grad = cxn_bf16_value(strip[p]);
                for (size_t i = 0; i < g->in; i++)
                    dst[i] += grad *
                              cxn_bf16_value(g->src[cxn_pairs_at(p, i, g->src_block_step)]);
            }
        }
    }
}
