/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_bf16_f32.h"

#include "kern/bf16_loops.h"
#include "kern/norm_relu_pool_bf16_f32.h"

void cxn_norm_relu_bf16_f32_c(const struct cxn_norm_relu *norm)
{
    norm_relu_loop(norm);
}

void cxn_norm_relu_pool_bf16_f32_c(const struct cxn_norm_relu_pool *pool)
{
    norm_relu_pool_loop(pool);
}
