/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_center_f32.h"

#include "kern/grad_loops_f32.h"

void cxn_norm_center_f32_avx512(const struct cxn_norm_center *norm)
{
    norm_center_loop(norm);
}
