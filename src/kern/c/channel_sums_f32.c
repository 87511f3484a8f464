/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/channel_sums_f32.h"

void cxn_channel_sums_f32_c(const struct cxn_channel_sums *s)
{
    for (size_t p = 0; p < s->count; p++) {
        const float *src = (const float *)s->src + p * s->step;
        for (size_t i = 0; i < s->channels; i++) {
            const double x = (double)src[i];
            s->sum[i] += x;
            s->square[i] += x * x;
        }
    }
}
