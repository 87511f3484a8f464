/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_f32.h"

#include "kern/grad_loops_f32.h"

void cxn_norm_relu_grad_f32_avx512(const struct cxn_norm_relu_grad *norm)
{
    norm_relu_grad_loop(norm);
}
