/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_bf16.h"

#include "kern/avx512/bf16.h"
#include "kern/norm_relu_pool_bf16.h"

enum { LANES = 16 };

/* All lanes, or those of the last, shorter vector. */
static inline __mmask16 lanes_of(size_t left)
{
    return (__mmask16)(left >= LANES ? 0xffffu : (1u << left) - 1);
}

/* The operand order of max keeps a NaN. */
static inline __m512 activate(__mmask16 m, const uint16_t *x, __m512 scale, __m512 shift)
{
    const __m512 value = bf16_widen(_mm256_maskz_loadu_epi16(m, x));
    return _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(value, scale, shift));
}

static inline void store(__mmask16 m, uint16_t *dst, __m512 value)
{
    _mm256_mask_storeu_epi16(dst, m, bf16_round(value));
}

void cxn_norm_relu_bf16_avx512(const struct cxn_norm_relu *norm)
{
    for (size_t p = 0; p < norm->count; p++) {
        const uint16_t *src = (const uint16_t *)norm->src + p * norm->src_step;
        uint16_t *dst = (uint16_t *)norm->dst + p * norm->dst_step;
        for (size_t i = 0; i < norm->channels; i += LANES) {
            const __mmask16 m = lanes_of(norm->channels - i);
            const __m512 scale = _mm512_maskz_loadu_ps(m, norm->scale + i);
            const __m512 shift = _mm512_maskz_loadu_ps(m, norm->shift + i);
            store(m, dst + i, activate(m, src + i, scale, shift));
        }
    }
}

void cxn_norm_relu_pool_bf16_avx512(const struct cxn_norm_relu_pool *pool)
{
    const size_t step = pool->src_step;
    for (size_t x = 0; x < pool->count; x++) {
        const uint16_t *upper = (const uint16_t *)pool->src + 2 * x * step;
        const uint16_t *lower = upper + pool->src_row_step;
        uint16_t *dst = (uint16_t *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i += LANES) {
            const __mmask16 m = lanes_of(pool->channels - i);
            const __m512 scale = _mm512_maskz_loadu_ps(m, pool->scale + i);
            const __m512 shift = _mm512_maskz_loadu_ps(m, pool->shift + i);
            __m512 sum = activate(m, upper + i, scale, shift);
            sum += activate(m, upper + step + i, scale, shift);
            sum += activate(m, lower + i, scale, shift);
            sum += activate(m, lower + step + i, scale, shift);
            store(m, dst + i, sum * _mm512_set1_ps(0.25f));
        }
    }
}
