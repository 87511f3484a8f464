/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_VNNI_PARTED_H
#define CXN_KERN_VNNI_PARTED_H

#include <immintrin.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 32 channels at a time, as 16 even and 16 odd ones: a bfloat16 number is the upper half of its
 * float32, so that a shift and a mask widen a vector without moving numbers between its lanes. One
 * permutation after the rounding brings them back in order. What is the same for every place is
 * parted once for some places.
 */
enum { PARTED_CHANNELS = 32, PARTED_PLACES = 8 };

static inline __mmask32 parted_mask(size_t left)
{
    return left < PARTED_CHANNELS ? (1u << left) - 1 : UINT32_MAX;
}

static inline size_t parted_places(size_t left)
{
    return left < PARTED_PLACES ? left : PARTED_PLACES;
}

/* Of channels in order, those that the mask names; else 0. */
static inline void parted_floats(__m512 to[2], const float *from, __mmask32 mask)
{
    alignas(64) static const uint32_t even[16] = { 0,  2,  4,  6,  8,  10, 12, 14,
                                                   16, 18, 20, 22, 24, 26, 28, 30 };
    const __m512i first = _mm512_load_si512(even);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(1));
    const __m512 low = _mm512_maskz_loadu_ps((__mmask16)(mask & 0xffff), from);
    const __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), from + PARTED_CHANNELS / 2);
    to[0] = _mm512_permutex2var_ps(low, first, high);
    to[1] = _mm512_permutex2var_ps(low, second, high);
}

static inline void parted_numbers(__m512 to[2], const uint16_t *from, __mmask32 mask)
{
    const __m512i pairs = _mm512_maskz_loadu_epi16(mask, from);
    to[0] = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    to[1] = _mm512_castsi512_ps(_mm512_and_epi32(pairs, _mm512_set1_epi32(-65536)));
}

/* Numbers of the first half of a vector and the second in turns. */
static inline __m512i parted_interleave(__m512i numbers)
{
    alignas(64) static const uint16_t order[32] = { 0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                    21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                    11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
    return _mm512_permutexvar_epi16(_mm512_load_si512(order), numbers);
}

static inline void parted_store(uint16_t *to, __mmask32 mask, const __m512 value[2])
{
    const __m512i parted = (__m512i)_mm512_cvtne2ps_pbh(value[1], value[0]);
    _mm512_mask_storeu_epi16(to, mask, parted_interleave(parted));
}

/* The line of the same channels in the place that is PARTED_PLACES on: places of a map are too far
 * apart for the CPU to see where they lead. At the end of a map that is behind it: no pointer. */
static inline void parted_ask(const void *place, size_t step_bytes)
{
    _mm_prefetch((const char *)((uintptr_t)place + PARTED_PLACES * step_bytes), _MM_HINT_T0);
}

/* Even and odd ones in order: channels 0 to 15 and 16 to 31. */
static inline void parted_join(__m512 to[2], __m512 even, __m512 odd)
{
    alignas(64) static const uint32_t order[16] = { 0, 16, 1, 17, 2, 18, 3, 19,
                                                    4, 20, 5, 21, 6, 22, 7, 23 };
    const __m512i first = _mm512_load_si512(order);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    to[0] = _mm512_permutex2var_ps(even, first, odd);
    to[1] = _mm512_permutex2var_ps(even, second, odd);
}

#endif
