/* SPDX-License-Identifier: Apache-2.0 */
#include "base/barrier.h"

#include <sched.h>

/* About 20 us of looking before the core is offered to others. */
enum { LOOKS = 20000 };

void cxn_barrier_wait(struct cxn_barrier *barrier, unsigned count)
{
    if (count < 2) return;
    const unsigned round = atomic_load(&barrier->round);
    if (atomic_fetch_add(&barrier->waiting, 1) + 1 == count) {
        atomic_store(&barrier->waiting, 0);
        atomic_fetch_add(&barrier->round, 1);
        return;
    }
    for (unsigned i = 0; atomic_load_explicit(&barrier->round, memory_order_acquire) == round; i++)
        if (i >= LOOKS) sched_yield();
}
