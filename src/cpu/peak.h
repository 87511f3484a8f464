/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_CPU_PEAK_H
#define CXN_CPU_PEAK_H

#include <stddef.h>
#include <stdint.h>

enum { CXN_PEAK_CHAINS = 12 }; /* hides a latency of 4 at two a clock, and leaves registers */

/* `rounds` times a multiply-add on each of CXN_PEAK_CHAINS vectors; returns a sum of all of them,
 * so that nothing can be left out. */
typedef float cxn_peak_fn(size_t rounds);

struct cxn_peak_loop {
    cxn_peak_fn *run;
    size_t lanes; /* products of a multiply-add, whatever instructions it takes */
};

/* The widest loop that the word allows; run NULL: none but plain C. */
struct cxn_peak_loop cxn_peak_pick(uint32_t cpu);

/* The same of products of 8-bit integers, exact, summed in 32 bits. */
struct cxn_peak_loop cxn_peak_pick_i8(uint32_t cpu);

#endif
