/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_MAX_POOL_ROW_U8_H
#define CXN_KERN_MAX_POOL_ROW_U8_H

#include "kern/max_pool_row.h"

/* Of bytes; a map's border is 0, the least there is. One function a level,
 * kern/<level>/max_pool_row_u8.c. */
cxn_max_pool_row_fn cxn_max_pool_row_u8_c, cxn_max_pool_row_u8_avx2;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_max_pool_row_kernel *cxn_max_pool_row_u8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_max_pool_row_u8_op;

#endif
