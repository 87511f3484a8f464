/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/transpose_bf16.h"

void cxn_transpose_bf16_c(const struct cxn_transpose_bf16 *t)
{
    for (size_t i = 0; i < t->channels; i++)
        for (size_t p = 0; p < t->count; p++)
            t->dst[i * t->dst_step + p] = t->src[p * t->src_step + i];
}
