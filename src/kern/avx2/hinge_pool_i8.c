/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/byte_loops.h"

void cxn_hinge_pool_i8_avx2(const struct cxn_hinge_pool_i8 *pool)
{
    hinge_pool_loop(pool);
}
