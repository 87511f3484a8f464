/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_grad_row_f32.h"

#include "kern/grad_loops_f32.h"

void cxn_max_pool_grad_row_f32_avx2(const struct cxn_max_pool_grad_row *pool)
{
    max_pool_grad_row_loop(pool);
}
