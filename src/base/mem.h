/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_MEM_H
#define CXN_BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * A memory budget. Every allocation of the library whose size depends on outside data, and every
 * large one, is taken from one, so that --memory-limit holds and a hostile size is refused before
 * malloc sees it. Thread safe. NULL stands for "no limit" wherever a budget is asked for.
 */
struct cxn_mem {
    size_t limit_bytes; /* 0: no limit */
    atomic_size_t used_bytes;
    atomic_size_t peak_bytes;
    atomic_size_t blocks; /* allocations now alive */
    /* Fault injection for tests: allocation number fail_at (from 1) fails, and all later ones too
     * where fail_after is set. 0: never. */
    atomic_size_t calls;
    size_t fail_at;
    bool fail_after;
};

void cxn_mem_init(struct cxn_mem *mem, size_t limit_bytes);

/* count * size bytes on a 64-byte boundary, not cleared; NULL when the product does not fit, the
 * budget is spent or there is no memory. A product of 0 gives a unique pointer. */
void *cxn_alloc(struct cxn_mem *mem, size_t count, size_t size);

/* The same, cleared. */
void *cxn_alloc_zero(struct cxn_mem *mem, size_t count, size_t size);

/* Grow or shrink, keeping the content that fits; on failure NULL, and p stays as it was. p may be
 * NULL. */
void *cxn_realloc(struct cxn_mem *mem, void *p, size_t count, size_t size);

/* A copy of n bytes with a NUL behind them. */
char *cxn_strndup(struct cxn_mem *mem, const char *s, size_t n);

/* Frees what the functions above gave, whichever budget it came from. NULL is fine. */
void cxn_free(void *p);

/* Count bytes that another library is about to allocate by itself, as one block; false, and nothing
 * counted, when the budget does not have them. Give back the same number when they are freed. */
bool cxn_mem_take(struct cxn_mem *mem, size_t bytes);
void cxn_mem_give(struct cxn_mem *mem, size_t bytes);

/* CXN_E_NOMEM with a sentence: what was wanted, how many bytes, and the limit if there is one. */
enum cxn_status cxn_fail_nomem(struct cxn_error *err, const struct cxn_mem *mem, size_t bytes,
                               const char *what);

#endif
