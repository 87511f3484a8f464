/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/channel_sums_f32.h"

#include "kern/grad_loops_f32.h"

void cxn_channel_sums_f32_avx2(const struct cxn_channel_sums *sums)
{
    channel_sums_loop(sums);
}
