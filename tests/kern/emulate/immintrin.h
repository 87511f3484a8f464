/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_EMULATE_IMMINTRIN_H
#define CXN_TESTS_EMULATE_IMMINTRIN_H

/*
 * What stands in for the compiler's <immintrin.h> where kernels are built for checkkern_emulated:
 * the AVX-512 and AMX intrinsics that src/kern/ uses, and no others, in plain C after the
 * pseudocode of the Intel SDM, volume 2. Only lanes that a mask names are read or written.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef float __m512 __attribute__((vector_size(64)));
typedef long long __m512i __attribute__((vector_size(64)));
typedef short __m512bh __attribute__((vector_size(64)));
typedef float __m256 __attribute__((vector_size(32)));
typedef double __m512d __attribute__((vector_size(64)));
typedef uint8_t __mmask8;
typedef uint16_t __mmask16;
typedef uint32_t __mmask32;

/* The lanes of __m512i by their width. */
typedef uint32_t emulate_u32 __attribute__((vector_size(64)));
typedef uint16_t emulate_u16 __attribute__((vector_size(64)));

enum { EMULATE_LANES = 16, _CMP_UNORD_Q = 3, _CMP_GT_OQ = 30, _MM_HINT_T0 = 3,
       _MM_HINT_T1 = 2 };

/* Prints what a CPU would have answered with an exception, and ends the program. */
_Noreturn void emulate_fault(const char *what);

/* ---- float32 ------------------------------------------------------------------------------ */

static inline __m512 _mm512_setzero_ps(void)
{
    return (__m512){ 0 };
}

static inline __m512 _mm512_set1_ps(float value)
{
    return _mm512_setzero_ps() + value;
}

static inline __m512 _mm512_load_ps(const void *p)
{
    __m512 r;
    if ((uintptr_t)p % sizeof r != 0) emulate_fault("a load from an address not aligned to 64");
    memcpy(&r, p, sizeof r);
    return r;
}

static inline __m512 _mm512_loadu_ps(const void *p)
{
    __m512 r;
    memcpy(&r, p, sizeof r);
    return r;
}

static inline void _mm512_storeu_ps(void *p, __m512 a)
{
    memcpy(p, &a, sizeof a);
}

static inline __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const void *p)
{
    __m512 r = _mm512_setzero_ps();
    for (size_t i = 0; i < EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)&r + i * 4, (const char *)p + i * 4, 4);
    return r;
}

static inline void _mm512_mask_storeu_ps(void *p, __mmask16 mask, __m512 a)
{
    for (size_t i = 0; i < EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)p + i * 4, (const char *)&a + i * 4, 4);
}

static inline __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c)
{
    for (size_t i = 0; i < EMULATE_LANES; i++) c[i] = fmaf(a[i], b[i], c[i]);
    return c;
}

/* The second where one is a NaN, and where both are zeros. */
static inline __m512 _mm512_max_ps(__m512 a, __m512 b)
{
    for (size_t i = 0; i < EMULATE_LANES; i++) b[i] = a[i] > b[i] ? a[i] : b[i];
    return b;
}

/* The second where one is a NaN. */
static inline __m512 _mm512_min_ps(__m512 a, __m512 b)
{
    for (size_t i = 0; i < EMULATE_LANES; i++) b[i] = a[i] < b[i] ? a[i] : b[i];
    return b;
}

static inline __m512 _mm512_add_ps(__m512 a, __m512 b)
{
    return a + b;
}

static inline __m512 _mm512_mul_ps(__m512 a, __m512 b)
{
    return a * b;
}

static inline __m512 _mm512_mask_mov_ps(__m512 a, __mmask16 mask, __m512 b)
{
    for (size_t i = 0; i < EMULATE_LANES; i++) a[i] = mask >> i & 1 ? b[i] : a[i];
    return a;
}

static inline __m512 _mm512_maskz_mov_ps(__mmask16 mask, __m512 a)
{
    return _mm512_mask_mov_ps(_mm512_setzero_ps(), mask, a);
}

/* Lanes of both, those of b from 16 on. */
static inline __m512 _mm512_permutex2var_ps(__m512 a, __m512i index, __m512 b)
{
    const emulate_u32 at = (emulate_u32)index;
    __m512 to = _mm512_setzero_ps();
    for (size_t i = 0; i < EMULATE_LANES; i++)
        to[i] = (at[i] & 16 ? b : a)[at[i] % EMULATE_LANES];
    return to;
}

static inline __mmask16 _mm512_cmp_ps_mask(__m512 a, __m512 b, int predicate)
{
    unsigned mask = 0;
    if (predicate != _CMP_UNORD_Q && predicate != _CMP_GT_OQ)
        emulate_fault("a comparison that is not emulated");
    for (size_t i = 0; i < EMULATE_LANES; i++)
        mask |= (unsigned)(predicate == _CMP_GT_OQ ? a[i] > b[i]
                                                   : isnan(a[i]) || isnan(b[i])) << i;
    return (__mmask16)mask;
}

/* ---- float64 ------------------------------------------------------------------------------ */

static inline __m256 _mm512_castps512_ps256(__m512 a)
{
    __m256 r;
    memcpy(&r, &a, sizeof r);
    return r;
}

static inline __m256 _mm512_extractf32x8_ps(__m512 a, int half)
{
    __m256 r;
    memcpy(&r, (const char *)&a + (size_t)half * sizeof r, sizeof r);
    return r;
}

static inline __m512d _mm512_cvtps_pd(__m256 a)
{
    __m512d r;
    for (size_t i = 0; i < 8; i++) r[i] = (double)a[i];
    return r;
}

static inline __m512d _mm512_setzero_pd(void)
{
    return (__m512d){ 0 };
}

static inline __m512d _mm512_fmadd_pd(__m512d a, __m512d b, __m512d c)
{
    for (size_t i = 0; i < 8; i++) c[i] = fma(a[i], b[i], c[i]);
    return c;
}

static inline __m512d _mm512_maskz_loadu_pd(__mmask8 mask, const void *p)
{
    __m512d r = _mm512_setzero_pd();
    for (size_t i = 0; i < 8; i++)
        if (mask >> i & 1) memcpy((char *)&r + i * 8, (const char *)p + i * 8, 8);
    return r;
}

static inline void _mm512_mask_storeu_pd(void *p, __mmask8 mask, __m512d a)
{
    for (size_t i = 0; i < 8; i++)
        if (mask >> i & 1) memcpy((char *)p + i * 8, (const char *)&a + i * 8, 8);
}

/* ---- integers ----------------------------------------------------------------------------- */

static inline __m512 _mm512_castsi512_ps(__m512i a)
{
    return (__m512)a;
}

static inline __m512i _mm512_load_si512(const void *p)
{
    return (__m512i)_mm512_load_ps(p);
}

static inline __m512i _mm512_set1_epi32(int value)
{
    return (__m512i)((emulate_u32){ 0 } + (uint32_t)value);
}

static inline __m512i _mm512_add_epi32(__m512i a, __m512i b)
{
    return (__m512i)((emulate_u32)a + (emulate_u32)b);
}

static inline void _mm512_store_si512(void *p, __m512i a)
{
    memcpy(__builtin_assume_aligned(p, 64), &a, sizeof a);
}

static inline __m512i _mm512_xor_si512(__m512i a, __m512i b)
{
    return a ^ b;
}

static inline __m512i _mm512_and_epi32(__m512i a, __m512i b)
{
    return a & b;
}

static inline __m512i _mm512_permutexvar_epi16(__m512i index, __m512i a)
{
    const emulate_u16 at = (emulate_u16)index, from = (emulate_u16)a;
    emulate_u16 to = { 0 };
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++) to[i] = from[at[i] % (2 * EMULATE_LANES)];
    return (__m512i)to;
}

static inline __m512i _mm512_slli_epi32(__m512i a, unsigned count)
{
    return (__m512i)(count > 31 ? (emulate_u32){ 0 } : (emulate_u32)a << count);
}

static inline __m512i _mm512_srli_epi32(__m512i a, unsigned count)
{
    return (__m512i)(count > 31 ? (emulate_u32){ 0 } : (emulate_u32)a >> count);
}

static inline __m512i _mm512_maskz_loadu_epi16(__mmask32 mask, const void *p)
{
    __m512i r = { 0 };
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)&r + i * 2, (const char *)p + i * 2, 2);
    return r;
}

static inline __m512i _mm512_max_epu16(__m512i a, __m512i b)
{
    const emulate_u16 x = (emulate_u16)a, y = (emulate_u16)b;
    emulate_u16 to = { 0 };
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++) to[i] = x[i] > y[i] ? x[i] : y[i];
    return (__m512i)to;
}

static inline void _mm512_mask_storeu_epi16(void *p, __mmask32 mask, __m512i a)
{
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)p + i * 2, (const char *)&a + i * 2, 2);
}

/* ---- bfloat16 ----------------------------------------------------------------------------- */

/* These instructions take denormals for zeros and give none, whatever MXCSR says. */
static inline float emulate_flush(float value)
{
    return fpclassify(value) == FP_SUBNORMAL ? copysignf(0.0f, value) : value;
}

static inline float emulate_from_bf16(uint16_t number)
{
    const uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return emulate_flush(value);
}

static inline uint16_t emulate_to_bf16(float value)
{
    uint32_t bits;
    value = emulate_flush(value);
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* sum + a * b, rounded once, of numbers `half` (0 or 1) of two pairs. */
static inline float emulate_dot(float sum, uint32_t a, uint32_t b, unsigned half)
{
    return emulate_flush(fmaf(emulate_from_bf16((uint16_t)(a >> 16 * half)),
                              emulate_from_bf16((uint16_t)(b >> 16 * half)), emulate_flush(sum)));
}

static inline __m512 _mm512_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b)
{
    const emulate_u32 x = (emulate_u32)a, y = (emulate_u32)b;
    for (size_t i = 0; i < EMULATE_LANES; i++)
        sum[i] = emulate_dot(emulate_dot(sum[i], x[i], y[i], 1), x[i], y[i], 0);
    return sum;
}

static inline __m512bh _mm512_cvtne2ps_pbh(__m512 high, __m512 low)
{
    emulate_u16 r = { 0 };
    for (size_t i = 0; i < EMULATE_LANES; i++) {
        r[i] = emulate_to_bf16(low[i]);
        r[EMULATE_LANES + i] = emulate_to_bf16(high[i]);
    }
    return (__m512bh)r;
}

#include "bytes.h"

/* ---- elsewhere ---------------------------------------------------------------------------- */

static inline void _mm_prefetch(const void *p, int hint)
{
    (void)p;
    (void)hint;
}

/* ---- AMX: amx.c, where the tiles of a thread are ------------------------------------------ */

void _tile_loadconfig(const void *config);
void _tile_release(void);
void _tile_zero(unsigned tile);
void _tile_loadd(unsigned tile, const void *base, size_t stride_bytes);
#define _tile_stream_loadd _tile_loadd /* the same but for what stays in the caches */
void _tile_stored(unsigned tile, void *base, size_t stride_bytes);
void _tile_dpbf16ps(unsigned sum, unsigned a, unsigned b);
void _tile_dpbusd(unsigned sum, unsigned a, unsigned b);

#endif
