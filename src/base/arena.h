/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_ARENA_H
#define CXN_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* A view over memory somebody else owns and frees. It never calls malloc. */
struct cxn_arena {
    uint8_t *base; /* 64-byte aligned */
    size_t size, used;
};

struct cxn_arena cxn_arena_make(void *base, size_t size);

/* n bytes on a 64-byte boundary, or NULL when they do not fit. */
void *cxn_arena_take(struct cxn_arena *a, size_t n);

/* Give back all that was taken since a->used was mark. */
void cxn_arena_rewind(struct cxn_arena *a, size_t mark);

#endif
