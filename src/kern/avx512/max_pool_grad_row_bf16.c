/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_grad_row_bf16.h"

#include "kern/grad_loops_bf16.h"

void cxn_max_pool_grad_row_bf16_avx512(const struct cxn_max_pool_grad_row *pool)
{
    max_pool_grad_row_loop(pool);
}
