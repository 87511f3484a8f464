/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_EMULATE_BYTES_H
#define CXN_TESTS_EMULATE_BYTES_H

/* The part of immintrin.h, which includes it, on bytes and on the way from sums to them. */
#include <stdbool.h>

typedef long long __m256i __attribute__((vector_size(32)));
typedef uint64_t __mmask64;
typedef int32_t emulate_s32 __attribute__((vector_size(64)));
typedef int16_t emulate_s16 __attribute__((vector_size(64)));
typedef uint8_t emulate_u8 __attribute__((vector_size(64)));

static inline __m512i _mm512_permutexvar_epi32(__m512i index, __m512i a)
{
    const emulate_u32 at = (emulate_u32)index, from = (emulate_u32)a;
    emulate_u32 to = { 0 };
    for (size_t i = 0; i < EMULATE_LANES; i++) to[i] = from[at[i] % EMULATE_LANES];
    return (__m512i)to;
}

/* What is beyond int32, and a NaN, is the least one. */
static inline __m512i _mm512_cvtps_epi32(__m512 a)
{
    emulate_s32 to = { 0 };
    for (size_t i = 0; i < EMULATE_LANES; i++) {
        const bool fits = a[i] >= -0x1p31f && a[i] < 0x1p31f;
        to[i] = fits ? (int32_t)rintf(a[i]) : INT32_MIN;
    }
    return (__m512i)to;
}

static inline __m512 _mm512_cvtepi32_ps(__m512i a)
{
    const emulate_s32 from = (emulate_s32)a;
    __m512 to = _mm512_setzero_ps();
    for (size_t i = 0; i < EMULATE_LANES; i++) to[i] = (float)from[i];
    return to;
}

static inline int emulate_clamp(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

/* In each quarter those of a, then those of b. */
static inline __m512i _mm512_packs_epi32(__m512i a, __m512i b)
{
    const emulate_s32 x = (emulate_s32)a, y = (emulate_s32)b;
    emulate_s16 to = { 0 };
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++) {
        const size_t at = i / 8 * 4 + i % 4;
        to[i] = (int16_t)emulate_clamp((i & 4 ? y : x)[at], INT16_MIN, INT16_MAX);
    }
    return (__m512i)to;
}

static inline __m512i _mm512_packus_epi16(__m512i a, __m512i b)
{
    const emulate_s16 x = (emulate_s16)a, y = (emulate_s16)b;
    emulate_u8 to = { 0 };
    for (size_t i = 0; i < 4 * EMULATE_LANES; i++) {
        const size_t at = i / 16 * 8 + i % 8;
        to[i] = (uint8_t)emulate_clamp((i & 8 ? y : x)[at], 0, UINT8_MAX);
    }
    return (__m512i)to;
}

static inline __m256i _mm512_extracti64x4_epi64(__m512i a, int half)
{
    __m256i to;
    memcpy(&to, (const char *)&a + 32 * half, sizeof to);
    return to;
}

static inline __m256i _mm512_castsi512_si256(__m512i a)
{
    __m256i r;
    memcpy(&r, &a, sizeof r);
    return r;
}

static inline void _mm256_mask_storeu_epi8(void *p, __mmask32 mask, __m256i a)
{
    for (size_t i = 0; i < 2 * EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)p + i, (const char *)&a + i, 1);
}

/* sum + the products of four unsigned by four signed bytes; it wraps. */
static inline int32_t emulate_dot_bytes(int32_t sum, uint32_t a, uint32_t b)
{
    for (unsigned i = 0; i < 4; i++)
        sum = (int32_t)((uint32_t)sum + (uint32_t)((int)(a >> 8 * i & 0xff) *
                                                   (int8_t)(uint8_t)(b >> 8 * i)));
    return sum;
}

static inline __m512i _mm512_dpbusd_epi32(__m512i sum, __m512i a, __m512i b)
{
    const emulate_u32 x = (emulate_u32)a, y = (emulate_u32)b;
    emulate_s32 to = (emulate_s32)sum;
    for (size_t i = 0; i < EMULATE_LANES; i++) to[i] = emulate_dot_bytes(to[i], x[i], y[i]);
    return (__m512i)to;
}

static inline __m512i _mm512_maskz_loadu_epi8(__mmask64 mask, const void *p)
{
    __m512i r = { 0 };
    for (size_t i = 0; i < 4 * EMULATE_LANES; i++)
        if (mask >> i & 1) memcpy((char *)&r + i, (const char *)p + i, 1);
    return r;
}

static inline __m512i _mm512_subs_epu8(__m512i a, __m512i b)
{
    const emulate_u8 x = (emulate_u8)a, y = (emulate_u8)b;
    emulate_u8 to = { 0 };
    for (size_t i = 0; i < 4 * EMULATE_LANES; i++) to[i] = (uint8_t)(x[i] > y[i] ? x[i] - y[i] : 0);
    return (__m512i)to;
}

#endif
