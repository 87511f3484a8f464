/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/byte_loops.h"

void cxn_max_pool_row_u8_avx2(const struct cxn_max_pool_row *pool)
{
    max_bytes_loop(pool);
}
