/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_f32.h"

#include <immintrin.h>
#include <math.h>

#include "kern/norm_relu_pool_f32.h"

enum { LANES = 8 };

/* The operand order of max keeps a NaN. */
static inline __m256 activate(const float *x, __m256 scale, __m256 shift)
{
    return _mm256_max_ps(_mm256_setzero_ps(), _mm256_fmadd_ps(_mm256_loadu_ps(x), scale, shift));
}

/* The channels behind the last whole vector, rounded as those before. */
static inline float activate_one(float x, float scale, float shift)
{
    const float value = fmaf(x, scale, shift);
    return value < 0.0f ? 0.0f : value;
}

void cxn_norm_relu_f32_avx2(const struct cxn_norm_relu *norm)
{
    const size_t whole = norm->channels / LANES * LANES;
    for (size_t p = 0; p < norm->count; p++) {
        const float *src = (const float *)norm->src + p * norm->src_step;
        float *dst = (float *)norm->dst + p * norm->dst_step;
        for (size_t i = 0; i < whole; i += LANES)
            _mm256_storeu_ps(dst + i, activate(src + i, _mm256_loadu_ps(norm->scale + i),
                                               _mm256_loadu_ps(norm->shift + i)));
        for (size_t i = whole; i < norm->channels; i++)
            dst[i] = activate_one(src[i], norm->scale[i], norm->shift[i]);
    }
}

/* Windows of channel i and its neighbours, LANES of them. */
static inline void pool_vector(const struct cxn_norm_relu_pool *pool, const float *upper,
                               float *dst, size_t i)
{
    const float *lower = upper + pool->src_row_step;
    const __m256 scale = _mm256_loadu_ps(pool->scale + i);
    const __m256 shift = _mm256_loadu_ps(pool->shift + i);
    __m256 sum = activate(upper + i, scale, shift);
    sum += activate(upper + pool->src_step + i, scale, shift);
    sum += activate(lower + i, scale, shift);
    sum += activate(lower + pool->src_step + i, scale, shift);
    _mm256_storeu_ps(dst + i, sum * _mm256_set1_ps(0.25f));
}

static inline float pool_one(const struct cxn_norm_relu_pool *pool, const float *upper,
                             size_t i)
{
    const float *lower = upper + pool->src_row_step;
    const float scale = pool->scale[i], shift = pool->shift[i];
    float sum = activate_one(upper[i], scale, shift);
    sum += activate_one(upper[pool->src_step + i], scale, shift);
    sum += activate_one(lower[i], scale, shift);
    sum += activate_one(lower[pool->src_step + i], scale, shift);
    return sum * 0.25f;
}

void cxn_norm_relu_pool_f32_avx2(const struct cxn_norm_relu_pool *pool)
{
    const size_t whole = pool->channels / LANES * LANES;
    for (size_t x = 0; x < pool->count; x++) {
        const float *upper = (const float *)pool->src + 2 * x * pool->src_step;
        float *dst = (float *)pool->dst + x * pool->dst_step;
        for (size_t i = 0; i < whole; i += LANES) pool_vector(pool, upper, dst, i);
        for (size_t i = whole; i < pool->channels; i++) dst[i] = pool_one(pool, upper, i);
    }
}
