/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/transpose_bf16.h"

#include <immintrin.h>
#include <stdalign.h>

/*
 * 32 places of 32 channels at a time. Two neighbouring places make a vector of pairs of the even
 * channels and one of the odd ones, without moves between lanes; 16 such vectors are a matrix of
 * pairs, whose transpose is what the strips hold.
 */
enum { SIDE = 32, PAIRS = SIDE / 2 };

#define TRANSPOSE_INLINE static inline __attribute__((always_inline))

TRANSPOSE_INLINE __mmask32 mask_of(size_t left)
{
    return left < SIDE ? (1u << left) - 1 : UINT32_MAX;
}

/* Lanes of which this bit is set come from the second row where `upper` is not, and the other way
 * round: the two vectors that rows `bit` apart become in a step of the transposition. */
TRANSPOSE_INLINE __m512i index_of(size_t bit, int upper)
{
    alignas(64) uint32_t lane[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) {
        const size_t from = upper ? i | bit : i & ~bit;
        lane[i] = (uint32_t)(i & bit ? PAIRS + from : from);
    }
    return _mm512_load_si512(lane);
}

TRANSPOSE_INLINE void transpose_pairs(__m512 row[PAIRS])
{
#pragma GCC unroll 4
    for (size_t bit = 1; bit < PAIRS; bit *= 2) {
        const __m512i lower = index_of(bit, 0), upper = index_of(bit, 1);
#pragma GCC unroll 16
        for (size_t i = 0; i < PAIRS; i++) {
            if (i & bit) continue;
            const __m512 a = row[i], b = row[i + bit];
            row[i] = _mm512_permutex2var_ps(a, lower, b);
            row[i + bit] = _mm512_permutex2var_ps(a, upper, b);
        }
    }
}

/* Even channels where `odd` is 0. */
TRANSPOSE_INLINE void load_pairs(__m512 row[PAIRS], const uint16_t *src, size_t step,
                                 __mmask32 channels, size_t count, int odd)
{
    const __m512i half = _mm512_set1_epi32(odd ? -65536 : 65535);
#pragma GCC unroll 16
    for (size_t i = 0; i < PAIRS; i++) {
        const __mmask32 first = 2 * i < count ? channels : 0;
        const __mmask32 second = 2 * i + 1 < count ? channels : 0;
        const __m512i a = _mm512_maskz_loadu_epi16(first, src + (first ? 2 * i * step : 0));
        const __m512i b = _mm512_maskz_loadu_epi16(second, src + (second ? (2 * i + 1) * step : 0));
        const __m512i pairs = odd ? _mm512_srli_epi32(a, 16) | _mm512_and_epi32(b, half) :
                                    _mm512_and_epi32(a, half) | _mm512_slli_epi32(b, 16);
        row[i] = _mm512_castsi512_ps(pairs);
    }
}

/* `count` places and `channels` channels, at most SIDE of each. */
TRANSPOSE_INLINE void turn_square(const uint16_t *src, size_t src_step, uint16_t *dst,
                                  size_t dst_step, size_t count, size_t channels)
{
    const __mmask32 places = mask_of(count);
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; odd++) {
        __m512 row[PAIRS];
        load_pairs(row, src, src_step, mask_of(channels), count, odd);
        transpose_pairs(row);
#pragma GCC unroll 16
        for (size_t i = 0; i < PAIRS; i++)
            if (2 * i + (size_t)odd < channels)
                _mm512_mask_storeu_epi16(dst + (2 * i + (size_t)odd) * dst_step, places,
                                         (__m512i)row[i]);
    }
}

void cxn_transpose_bf16_avx512(const struct cxn_transpose_bf16 *t)
{
    for (size_t p = 0; p < t->count; p += SIDE) {
        for (size_t i = 0; i < t->channels; i += SIDE) {
            const uint16_t *src = t->src + p * t->src_step + i;
            uint16_t *dst = t->dst + i * t->dst_step + p;
            const size_t count = t->count - p, channels = t->channels - i;
            if (count >= SIDE && channels >= SIDE)
                turn_square(src, t->src_step, dst, t->dst_step, SIDE, SIDE);
            else
                turn_square(src, t->src_step, dst, t->dst_step, count < SIDE ? count : SIDE,
                            channels < SIDE ? channels : SIDE);
        }
    }
}
