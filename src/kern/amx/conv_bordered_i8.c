/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include "kern/amx/blocks_i8.h"
#include "kern/amx/strips.h"

void cxn_conv_bordered_i8_amx(const struct cxn_conv_bordered *c)
{
    run_strips(block_type_i8(c->two_parts), c);
}
