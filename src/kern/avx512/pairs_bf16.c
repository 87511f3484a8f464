/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/pairs_bf16.h"

#include <immintrin.h>
#include <stdalign.h>
#include <stdbool.h>

enum { BLOCK = CXN_PAIRS_CHANNELS, PAIR = 2 * BLOCK };

/* Two places of up to 32 channels; a and b are their numbers. */
static inline void store_pair(uint16_t *dst, size_t block_step, bool wide, __m512i a, __m512i b)
{
    alignas(64) static const uint32_t order[16] = { 0, 16, 1, 17, 2, 18, 3, 19,
                                                    4, 20, 5, 21, 6, 22, 7, 23 };
    const __m512i first = _mm512_load_si512(order);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    const __m512 even = _mm512_castsi512_ps(_mm512_and_epi32(a, _mm512_set1_epi32(65535)) |
                                            _mm512_slli_epi32(b, 16));
    const __m512 odd = _mm512_castsi512_ps(_mm512_srli_epi32(a, 16) |
                                           _mm512_and_epi32(b, _mm512_set1_epi32(-65536)));
    _mm512_storeu_ps(dst, _mm512_permutex2var_ps(even, first, odd));
    if (wide) _mm512_storeu_ps(dst + block_step, _mm512_permutex2var_ps(even, second, odd));
}

void cxn_pairs_bf16_avx512(const struct cxn_pairs_bf16 *t)
{
    for (size_t i = 0; i < t->channels; i += PAIR) {
        const size_t left = t->channels - i;
        const __mmask32 mask = left < PAIR ? (1u << left) - 1 : UINT32_MAX;
        const uint16_t *src = t->src + i;
        uint16_t *dst = t->dst + i / BLOCK * t->block_step;
        size_t p = 0;
        for (; p + 2 <= t->count; p += 2, src += 2 * t->src_step, dst += PAIR)
            store_pair(dst, t->block_step, left > BLOCK, _mm512_maskz_loadu_epi16(mask, src),
                       _mm512_maskz_loadu_epi16(mask, src + t->src_step));
        if (p < t->count)
            store_pair(dst, t->block_step, left > BLOCK, _mm512_maskz_loadu_epi16(mask, src),
                       _mm512_set1_epi32(0));
    }
}
