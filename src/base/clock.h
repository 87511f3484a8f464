/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_CLOCK_H
#define CXN_BASE_CLOCK_H

#include <stddef.h>

/* Seconds on a clock that never jumps; only differences mean anything. */
double cxn_clock_seconds(void);

/* Largest resident set of this process so far, in bytes (VmHWM); 0 where it cannot be read. */
size_t cxn_peak_rss_bytes(void);

#endif
