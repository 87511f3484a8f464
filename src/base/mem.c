/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/size.h"

enum { ALIGN_BYTES = 64, PAGE_BYTES = 4096, HUGE_FROM_BYTES = 4 << 20 };

/* Sits in the 64 bytes before the block that the caller sees. */
struct header {
    struct cxn_mem *mem;
    size_t total_bytes; /* header included */
};
_Static_assert(sizeof(struct header) <= ALIGN_BYTES, "the header fits in the padding");

void cxn_mem_init(struct cxn_mem *mem, size_t limit_bytes)
{
    memset(mem, 0, sizeof *mem);
    mem->limit_bytes = limit_bytes;
}

static bool injected_failure(struct cxn_mem *mem)
{
    const size_t call = atomic_fetch_add_explicit(&mem->calls, 1, memory_order_relaxed) + 1;
    return mem->fail_at != 0 && (call == mem->fail_at || (mem->fail_after && call > mem->fail_at));
}

bool cxn_mem_take(struct cxn_mem *mem, size_t bytes)
{
    if (!mem) return true;
    if (injected_failure(mem)) return false;
    size_t used = atomic_load(&mem->used_bytes);
    size_t next;
    do {
        if (!cxn_size_add(used, bytes, &next)) return false;
        if (mem->limit_bytes != 0 && next > mem->limit_bytes) return false;
    } while (!atomic_compare_exchange_weak(&mem->used_bytes, &used, next));
    size_t peak = atomic_load(&mem->peak_bytes);
    while (next > peak && !atomic_compare_exchange_weak(&mem->peak_bytes, &peak, next)) {}
    atomic_fetch_add(&mem->blocks, 1);
    return true;
}

void cxn_mem_give(struct cxn_mem *mem, size_t bytes)
{
    if (!mem) return;
    atomic_fetch_sub(&mem->used_bytes, bytes);
    atomic_fetch_sub(&mem->blocks, 1);
}

/* Weights and maps are read again and again, and their 4 KiB pages are more than a TLB knows. A
 * wish: where the system does not grant it, nothing else changes. */
static void wish_huge_pages(uint8_t *block, size_t bytes)
{
    const size_t skip = (PAGE_BYTES - (uintptr_t)block % PAGE_BYTES) % PAGE_BYTES;
    if (bytes >= HUGE_FROM_BYTES)
        (void)madvise(block + skip, (bytes - skip) / PAGE_BYTES * PAGE_BYTES,
                      MADV_HUGEPAGE);
}

void *cxn_alloc(struct cxn_mem *mem, size_t count, size_t size)
{
    size_t bytes;
    if (!cxn_size_mul(count, size, &bytes)) return NULL;
    if (!cxn_size_add(bytes, 2 * ALIGN_BYTES - 1, &bytes)) return NULL;
    bytes -= bytes % ALIGN_BYTES; /* header + content, rounded up to whole lines */
    if (!cxn_mem_take(mem, bytes)) return NULL;
    uint8_t *block = aligned_alloc(ALIGN_BYTES, bytes);
    if (!block) {
        cxn_mem_give(mem, bytes);
        return NULL;
    }
    wish_huge_pages(block, bytes);
    *(struct header *)(void *)block = (struct header){ .mem = mem, .total_bytes = bytes };
    return block + ALIGN_BYTES;
}

void *cxn_alloc_zero(struct cxn_mem *mem, size_t count, size_t size)
{
    void *p = cxn_alloc(mem, count, size);
    if (p) memset(p, 0, count * size);
    return p;
}

static struct header *header_of(void *p)
{
    return (struct header *)(void *)((uint8_t *)p - ALIGN_BYTES);
}

void *cxn_realloc(struct cxn_mem *mem, void *p, size_t count, size_t size)
{
    void *next = cxn_alloc(mem, count, size);
    if (!next || !p) return next;
    const size_t old = header_of(p)->total_bytes - ALIGN_BYTES;
    memcpy(next, p, old < count * size ? old : count * size);
    cxn_free(p);
    return next;
}

char *cxn_strndup(struct cxn_mem *mem, const char *s, size_t n)
{
    if (n == SIZE_MAX) return NULL;
    char *copy = cxn_alloc(mem, n + 1, 1);
    if (!copy) return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

void cxn_free(void *p)
{
    if (!p) return;
    struct header *h = header_of(p);
    cxn_mem_give(h->mem, h->total_bytes);
    free(h);
}

enum cxn_status cxn_fail_nomem(struct cxn_error *err, const struct cxn_mem *mem, size_t bytes,
                               const char *what)
{
    const double mib = 1.0 / (1 << 20);
    if (!mem || mem->limit_bytes == 0)
        return cxn_fail(err, CXN_E_NOMEM, "no memory for %s (%.1f MiB)", what,
                        (double)bytes * mib);
    return cxn_fail(err, CXN_E_NOMEM,
                    "no memory for %s: %.1f MiB wanted, %.1f of the limit of %.1f MiB in use", what,
                    (double)bytes * mib, (double)atomic_load(&mem->used_bytes) * mib,
                    (double)mem->limit_bytes * mib);
}
