/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

#include "cpu/cpu.h"
#include "cpu/peak.h"

__attribute__((target("avx2,fma"))) static float run_avx2(size_t rounds)
{
    __m256 x[CXN_PEAK_CHAINS];
    float lanes[8];
    for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm256_setzero_ps();
    const __m256 half = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm256_fmadd_ps(x[c], half, one);
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] = _mm256_add_ps(x[0], x[c]);
    _mm256_storeu_ps(lanes, x[0]);
    return lanes[0];
}

__attribute__((target("avx512f"))) static float run_avx512(size_t rounds)
{
    __m512 x[CXN_PEAK_CHAINS];
    float lanes[16];
    for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm512_setzero_ps();
    const __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm512_fmadd_ps(x[c], half, one);
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] = _mm512_add_ps(x[0], x[c]);
    _mm512_storeu_ps(lanes, x[0]);
    return lanes[0];
}

struct cxn_peak_loop cxn_peak_pick(uint32_t cpu)
{
    if (cpu & CXN_CPU_AVX512) return (struct cxn_peak_loop){ run_avx512, 16 };
    if (cpu & CXN_CPU_AVX2) return (struct cxn_peak_loop){ run_avx2, 8 };
    return (struct cxn_peak_loop){ 0 };
}
