/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_BARRIER_H
#define CXN_BASE_BARRIER_H

#include <stdatomic.h>

/*
 * Where the pieces of one cxn_pool_run() wait for each other, a microsecond at a time: it spins,
 * and yields when that takes long. Only for rounds of exactly cxn_pool_threads() pieces, so that
 * all of them run at once. A zeroed one is ready.
 */
struct cxn_barrier {
    atomic_uint waiting, round;
};

/* Returns when `count` threads have called it. What they wrote before, all see after. */
void cxn_barrier_wait(struct cxn_barrier *barrier, unsigned count);

#endif
