/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_POOL_H
#define CXN_BASE_POOL_H

#include <stddef.h>

#include "base/status.h"

/* A fixed set of threads that share out the indices of a loop. */
typedef struct cxn_pool cxn_pool;

/* Piece of work number `index`; `thread` is 0..cxn_pool_threads() - 1, and no two pieces run with
 * the same number at once, so that it can pick a workspace. */
typedef void cxn_pool_fn(void *ctx, size_t index, unsigned thread);

enum { CXN_THREADS_MAX = 256 };

/* CPUs that this process may run on, 1..CXN_THREADS_MAX. */
unsigned cxn_cpu_count(void);

/*
 * threads: 1..CXN_THREADS_MAX, or 0 for cxn_cpu_count(). The caller of cxn_pool_run() is one of
 * them. Where the system refuses a thread the pool has fewer; it never fails for that.
 * Returns CXN_OK, CXN_E_ARG (too many threads) or CXN_E_NOMEM.
 */
enum cxn_status cxn_pool_open(cxn_pool **pool, unsigned threads, struct cxn_error *err);

/* Threads that really work; 1 for NULL. */
unsigned cxn_pool_threads(const cxn_pool *pool);

/*
 * Call fn(ctx, i, thread) once for each i in 0..count-1, in rising order of start, and return when
 * all are done. One call at a time a pool; fn must not call it on the same pool. With pool NULL
 * the calling thread does everything.
 */
void cxn_pool_run(cxn_pool *pool, size_t count, cxn_pool_fn *fn, void *ctx);

/* Ends the threads, frees, writes NULL. */
void cxn_pool_close(cxn_pool **pool);

#endif
