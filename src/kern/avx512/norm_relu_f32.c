/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_f32.h"

#include <immintrin.h>

#include "kern/norm_relu_pool_f32.h"

enum { LANES = 16 };

/* All lanes, or those of the last, shorter vector. */
static inline __mmask16 lanes_of(size_t left)
{
    return (__mmask16)(left >= LANES ? 0xffffu : (1u << left) - 1);
}

/* The operand order of max keeps a NaN. */
static inline __m512 activate(__m512 x, __m512 scale, __m512 shift)
{
    return _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(x, scale, shift));
}

void cxn_norm_relu_f32_avx512(const struct cxn_norm_relu *norm)
{
    for (size_t p = 0; p < norm->count; p++) {
        const float *src = (const float *)norm->src + p * norm->src_step;
        float *dst = (float *)norm->dst + p * norm->dst_step;
        for (size_t i = 0; i < norm->channels; i += LANES) {
            const __mmask16 m = lanes_of(norm->channels - i);
            const __m512 value = activate(_mm512_maskz_loadu_ps(m, src + i),
                                          _mm512_maskz_loadu_ps(m, norm->scale + i),
                                          _mm512_maskz_loadu_ps(m, norm->shift + i));
            _mm512_mask_storeu_ps(dst + i, m, value);
        }
    }
}

void cxn_norm_relu_pool_f32_avx512(const struct cxn_norm_relu_pool *pool)
{
    const size_t step = pool->src_step;
    for (size_t x = 0; x < pool->count; x++) {
        const float *upper = (const float *)pool->src + 2 * x * step;
        const float *lower = upper + pool->src_row_step;
        float *dst = (float *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < pool->channels; i += LANES) {
            const __mmask16 m = lanes_of(pool->channels - i);
            const __m512 scale = _mm512_maskz_loadu_ps(m, pool->scale + i);
            const __m512 shift = _mm512_maskz_loadu_ps(m, pool->shift + i);
            __m512 sum = activate(_mm512_maskz_loadu_ps(m, upper + i), scale, shift);
            sum += activate(_mm512_maskz_loadu_ps(m, upper + step + i), scale, shift);
            sum += activate(_mm512_maskz_loadu_ps(m, lower + i), scale, shift);
            sum += activate(_mm512_maskz_loadu_ps(m, lower + step + i), scale, shift);
            _mm512_mask_storeu_ps(dst + i, m, sum * _mm512_set1_ps(0.25f));
        }
    }
}
