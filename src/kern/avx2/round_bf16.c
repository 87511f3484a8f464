/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/round_bf16.h"

#include "kern/bf16_loops.h"

void cxn_round_bf16_avx2(const struct cxn_round_bf16 *round)
{
    round_loop(round);
}
