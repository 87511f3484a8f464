/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_panels_i8.h"

void cxn_hinge_conv_i8_avx2(const struct cxn_hinge_conv_i8 *conv)
{
    hinge_conv_i8_by(conv, cxn_conv_bordered_i8_avx2);
}
