/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_panels.h"

void cxn_hinge_conv_bf16_c(const struct cxn_hinge_conv *conv)
{
    hinge_conv_loop(conv, cxn_conv_bordered_bf16_c);
}
