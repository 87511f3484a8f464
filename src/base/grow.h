/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_GROW_H
#define CXN_BASE_GROW_H

#include "base/mem.h"

/*
 * Room for `need` items of `size` bytes in a block that now has room for *capacity, by doubling up
 * to limit. Returns the block, moved or not; NULL, with the old block still valid, when there is no
 * memory. The caller has checked need <= limit.
 */
static inline void *cxn_grow(struct cxn_mem *mem, void *block, size_t *capacity, size_t need,
                             size_t limit, size_t size)
{
    if (block && need <= *capacity) return block;
    size_t next = *capacity > 0 ? *capacity : 64;
    while (next < need) next *= 2;
    if (next > limit) next = limit;
    void *moved = cxn_realloc(mem, block, next, size);
    if (moved) *capacity = next;
    return moved;
}

#endif
