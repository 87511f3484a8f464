/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/pairs_bf16.h"

void cxn_pairs_bf16_c(const struct cxn_pairs_bf16 *t)
{
    const size_t blocks = (t->channels + CXN_PAIRS_CHANNELS - 1) / CXN_PAIRS_CHANNELS;
    for (size_t p = 0; p < t->count + t->count % 2; p++)
        for (size_t i = 0; i < blocks * CXN_PAIRS_CHANNELS; i++)
            t->dst[i / 16 * t->block_step + p / 2 * 32 + i % 16 * 2 + p % 2] =
                p < t->count && i < t->channels ? t->src[p * t->src_step + i] : 0;
}
