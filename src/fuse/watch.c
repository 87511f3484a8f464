/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/watch.h"

#include <stdio.h>

#include "base/clock.h"

void cxn_watch_tell(struct cxn_watch *watch, const struct cxn_watched *done)
{
    const double seconds = cxn_clock_seconds() - watch->since;
    char name[64];
    const int n = snprintf(name, sizeof name, "%s %zux%zu", done->what, done->height, done->width);
    if (done->out > 0) snprintf(name + n, sizeof name - (size_t)n, " -> %zu", done->out);
    watch->tell(watch->ctx, name, seconds, 2.0 * done->products);
    watch->since = cxn_clock_seconds();
}
