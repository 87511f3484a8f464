/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <sys/resource.h>
#include <time.h>

double cxn_clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

size_t cxn_peak_rss_bytes(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss < 0) return 0;
    return (size_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}
