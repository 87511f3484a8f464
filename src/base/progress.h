/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_PROGRESS_H
#define CXN_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Who is told after each piece of work: from any thread, never two calls at once. */
struct cxn_progress {
    int (*tell)(void *ctx, size_t done, size_t total); /* not 0 ends the work; NULL: nobody */
    void *ctx;
};

/* Tell, where somebody is to be told (p may be NULL); true: the work is to end, with
 * CXN_E_STOPPED. */
static inline bool cxn_progress_stops(const struct cxn_progress *p, size_t done, size_t total)
{
    return p && p->tell && p->tell(p->ctx, done, total) != 0;
}

#endif
