/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/peak.h"

#include "base/clock.h"
#include "cpu/cpu.h"

enum { RUNS = 8, ROUNDS = 1 << 18, PLAIN_LANES = 4 };

/* 16 bytes are the vectors of every baseline; elsewhere the compiler splits them. */
typedef float plain __attribute__((vector_size(4 * PLAIN_LANES)));

static float run_plain(size_t rounds)
{
    plain x[CXN_PEAK_CHAINS] = { { 0 } };
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = x[c] * 0.5f + 1.0f;
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] += x[c];
    return x[0][0];
}

/* The integers of a vector are multiplied in 32 bits, which is what plain C offers. */
typedef uint32_t plain_u32 __attribute__((vector_size(4 * PLAIN_LANES)));

static float run_plain_i8(size_t rounds)
{
    plain_u32 x[CXN_PEAK_CHAINS] = { { 0 } };
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = x[c] * 127 + 1;
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] += x[c];
    return (float)x[0][0];
}

/* Products and sums a second. */
static double rate(struct cxn_peak_loop loop)
{
    double best = 1e9;
    volatile float kept;
    for (int i = 0; i < RUNS; i++) {
        const double started = cxn_clock_seconds();
        kept = loop.run(ROUNDS);
        const double seconds = cxn_clock_seconds() - started;
        if (seconds < best) best = seconds;
    }
    (void)kept;
    return 2.0 * ROUNDS * CXN_PEAK_CHAINS * (double)loop.lanes / best;
}

double cxn_cpu_peak_f32(uint32_t cpu)
{
    const struct cxn_peak_loop loop = cxn_peak_pick(cpu);
    return rate(loop.run ? loop : (struct cxn_peak_loop){ run_plain, PLAIN_LANES });
}

double cxn_cpu_peak_i8(uint32_t cpu)
{
    const struct cxn_peak_loop loop = cxn_peak_pick_i8(cpu);
    return rate(loop.run ? loop : (struct cxn_peak_loop){ run_plain_i8, PLAIN_LANES });
}
