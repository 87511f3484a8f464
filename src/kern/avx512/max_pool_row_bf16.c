/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_row_bf16.h"

#include "kern/avx512/bf16.h"

enum { LANES = 16 };

/* max gives its second operand when one is a NaN; a NaN in the first is put back. */
static inline __m512 larger(__m512 a, __m512 b)
{
    const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), nan, a);
}

static inline __m512 pool_window(const struct cxn_max_pool_row *pool, size_t at, __mmask16 m)
{
    __m512 most = _mm512_maskz_loadu_ps(m, (const float *)pool->src[0] + at);
#pragma GCC unroll 8
    for (size_t tap = 1; tap < 9; tap++)
        most = larger(most, _mm512_maskz_loadu_ps(m, (const float *)pool->src[tap / 3] + at +
                                                         tap % 3 * pool->channels));
    return most;
}

void cxn_max_pool_row_bf16_avx512(const struct cxn_max_pool_row *pool)
{
    for (size_t x = 0; x < pool->count; x++) {
        uint16_t *dst = (uint16_t *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i += LANES) {
            const size_t left = pool->channels - i;
            const __mmask16 m = (__mmask16)(left >= LANES ? 0xffffu : (1u << left) - 1);
            const __m512 most = pool_window(pool, 2 * x * pool->channels + i, m);
            _mm256_mask_storeu_epi16(dst + i, m, bf16_round(most));
        }
    }
}
