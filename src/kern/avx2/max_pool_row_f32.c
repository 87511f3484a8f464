/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/max_pool_row_f32.h"

#include <immintrin.h>

enum { LANES = 8 };

/* max gives its second operand when one is a NaN; a NaN in the first is put back. */
static inline __m256 larger(__m256 a, __m256 b)
{
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}

static inline __m256 pool_window(const struct cxn_max_pool_row *pool, size_t at)
{
    __m256 most = _mm256_loadu_ps((const float *)pool->src[0] + at);
#pragma GCC unroll 8
    for (size_t tap = 1; tap < 9; tap++)
        most = larger(most, _mm256_loadu_ps((const float *)pool->src[tap / 3] + at +
                                            tap % 3 * pool->channels));
    return most;
}

static inline float pool_one(const struct cxn_max_pool_row *pool, size_t at)
{
    float most = ((const float *)pool->src[0])[at];
    for (size_t tap = 1; tap < 9; tap++) {
        const float value = ((const float *)pool->src[tap / 3])[at + tap % 3 * pool->channels];
        most = value <= most || most != most ? most : value;
    }
    return most;
}

void cxn_max_pool_row_f32_avx2(const struct cxn_max_pool_row *pool)
{
    const size_t whole = pool->channels / LANES * LANES;
    for (size_t x = 0; x < pool->count; x++) {
        float *dst = (float *)pool->dst + x * pool->dst_step;
        const size_t at = 2 * x * pool->channels;
        for (size_t i = 0; i < whole; i += LANES)
            _mm256_storeu_ps(dst + i, pool_window(pool, at + i));
        for (size_t i = whole; i < pool->channels; i++) dst[i] = pool_one(pool, at + i);
    }
}
