/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX512_BF16_H
#define CXN_KERN_AVX512_BF16_H

#include <immintrin.h>

/* bfloat16 without AVX-512 BF16. */

static inline __m512 bf16_widen(__m256i numbers)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(numbers), 16));
}

/* To nearest, ties to even; a NaN stays one. */
static inline __m256i bf16_round(__m512 value)
{
    const __m512i bits = _mm512_castps_si512(value), one = _mm512_set1_epi32(1);
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    const __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), one);
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_epi32(bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(
        _mm512_srli_epi32(_mm512_mask_mov_epi32(up, nan, quiet), 16));
}

#endif
