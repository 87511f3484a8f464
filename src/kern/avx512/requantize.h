/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX512_REQUANTIZE_H
#define CXN_KERN_AVX512_REQUANTIZE_H

#include <immintrin.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

/* The two lines in front of a panel of 32 columns, as conv_bordered_i8.h says. */
struct requantize {
    __m512 factor[2], shift[2];
};

static inline __attribute__((always_inline)) struct requantize load_requantize(const char *panel)
{
    return (struct requantize){ { _mm512_load_ps(panel), _mm512_load_ps(panel + 64) },
                                { _mm512_load_ps(panel + 128), _mm512_load_ps(panel + 192) } };
}

/* Of what packing leaves in each quarter, the first fours of bytes, then the second ones. */
alignas(64) static const int32_t fours_in_order[16] = { 0, 4, 8, 12, 1, 5, 9, 13,
                                                        2, 6, 10, 14, 3, 7, 11, 15 };

/* As int32, which saturates to a byte as it should: what may be too great is cut before, for it
 * would become a negative number, as a NaN does, which vminps keeps as its second operand. */
static inline __attribute__((always_inline)) __m512i round_value(__m512 value, bool bounded)
{
    return _mm512_cvtps_epi32(bounded ? value : _mm512_min_ps(_mm512_set1_ps(255.0f), value));
}

/* A place's sums as int32 in two halves, of two parts in the first alone. Two roundings, of the
 * product and of the sum: needs -ffp-contract=off. */
struct rounded {
    __m512i first, second;
};

static inline __attribute__((always_inline)) struct rounded
round_sums(const struct requantize *r, __m512i low, __m512i high, bool two_parts, bool bounded)
{
    const __m512 a = _mm512_mul_ps(_mm512_cvtepi32_ps(low), r->factor[0]);
    const __m512 b = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(high), r->factor[1]),
                                   r->shift[1]);
    const __m512i first = round_value(_mm512_add_ps(a, two_parts ? b : r->shift[0]), bounded);
    return (struct rounded){ first, two_parts ? first : round_value(b, bounded) };
}

/* The sums of a place as bytes, 16 of them where they are of two parts; ignored are the others. */
static inline __attribute__((always_inline)) __m256i requantize_place(const struct requantize *r,
                                                                      __m512i low, __m512i high,
                                                                      bool two_parts, bool bounded)
{
    const struct rounded v = round_sums(r, low, high, two_parts, bounded);
    const __m512i words = _mm512_packs_epi32(v.first, v.second); /* four of each in turns */
    return _mm512_castsi512_si256(_mm512_permutexvar_epi32(_mm512_load_si512(fours_in_order),
                                                           _mm512_packus_epi16(words, words)));
}

/* The sums of two places, each two lines of int32, as bytes: one's in the lower half. */
static inline __attribute__((always_inline)) __m512i
requantize_two(const struct requantize *r, const char *one, const char *two, bool two_parts,
               bool bounded)
{
    const struct rounded a = round_sums(r, _mm512_load_si512(one), _mm512_load_si512(one + 64),
                                         two_parts, bounded);
    const struct rounded b = round_sums(r, _mm512_load_si512(two), _mm512_load_si512(two + 64),
                                         two_parts, bounded);
    return _mm512_permutexvar_epi32(_mm512_load_si512(fours_in_order),
                                    _mm512_packus_epi16(_mm512_packs_epi32(a.first, a.second),
                                                        _mm512_packs_epi32(b.first, b.second)));
}

#endif
