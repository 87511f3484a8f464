/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_panels_bf16.h"

void cxn_hinge_conv_bf16_vnni(const struct cxn_hinge_conv *conv)
{
    hinge_conv_bf16_by(conv, cxn_conv_bordered_bf16_vnni);
}
