/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

enum { ALIGN_BYTES = 64 };

struct cxn_arena cxn_arena_make(void *base, size_t size)
{
    return (struct cxn_arena){ .base = base, .size = size };
}

void *cxn_arena_take(struct cxn_arena *a, size_t n)
{
    const size_t pad = (ALIGN_BYTES - a->used % ALIGN_BYTES) % ALIGN_BYTES;
    const size_t left = a->size - a->used;
    if (pad > left || n > left - pad) return NULL;
    void *p = a->base + a->used + pad;
    a->used += pad + n;
    return p;
}

void cxn_arena_rewind(struct cxn_arena *a, size_t mark)
{
    a->used = mark;
}
