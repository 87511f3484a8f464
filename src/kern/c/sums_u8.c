/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/byte_loops.h"

void cxn_sums_u8_c(const struct cxn_sums_u8 *sums)
{
    sum_bytes_loop(sums);
}
