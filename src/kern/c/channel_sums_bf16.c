/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/bf16.h"
#include "kern/channel_sums_bf16.h"

void cxn_channel_sums_bf16_c(const struct cxn_channel_sums *s)
{
    for (size_t p = 0; p < s->count; p++) {
        for (size_t i = 0; i < s->channels; i++) {
            const double x = (double)cxn_bf16_value(((const uint16_t *)s->src)[p * s->step + i]);
            s->sum[i] += x;
            s->square[i] += x * x;
        }
    }
}
