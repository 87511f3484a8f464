/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include "kern/amx/blocks_bf16.h"
#include "kern/amx/strips.h"

void cxn_conv_bordered_bf16_amx(const struct cxn_conv_bordered *c)
{
    run_strips(block_type_bf16(), c);
}
