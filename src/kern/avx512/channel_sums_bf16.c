/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/channel_sums_bf16.h"

#include "kern/grad_loops_bf16.h"

void cxn_channel_sums_bf16_avx512(const struct cxn_channel_sums *s)
{
    channel_sums_loop(s);
}
