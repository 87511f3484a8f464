/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_f32.h"

#include <immintrin.h>

/* Sums of a block of channels stay in registers over all places: 8 of doubles. */
enum { LANES = 8, VECTORS = 2, CHANNELS = LANES * VECTORS };

#define INLINE static inline __attribute__((always_inline))

struct block {
    const float *grad, *active, *src, *factor;
    float *dst;
};

INLINE __m256d low(__m256 x)
{
    return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
}

INLINE __m256d high(__m256 x)
{
    return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
}

/* A vector at one place: s[0] and s[1] are its sums, s[2] and s[3] its products. */
INLINE void add_vector(__m256d s[4], const struct block *b, size_t i, bool add)
{
    const __m256 active = _mm256_loadu_ps(b->active + i), src = _mm256_loadu_ps(b->src + i);
    const __m256 passes = _mm256_cmp_ps(active, _mm256_setzero_ps(), _CMP_GT_OQ);
    const __m256 dz = _mm256_and_ps(passes, _mm256_loadu_ps(b->grad + i));
    const __m256 old = add ? _mm256_loadu_ps(b->dst + i) : _mm256_setzero_ps();
    const __m256d dz0 = low(dz), dz1 = high(dz);
    s[0] += dz0;
    s[1] += dz1;
    s[2] = _mm256_fmadd_pd(dz0, low(src), s[2]);
    s[3] = _mm256_fmadd_pd(dz1, high(src), s[3]);
    _mm256_storeu_ps(b->dst + i, _mm256_fmadd_ps(dz, _mm256_loadu_ps(b->factor + i), old));
}

INLINE void add_lanes(double *to, __m256d sum)
{
    _mm256_storeu_pd(to, _mm256_loadu_pd(to) + sum);
}

INLINE void compute(const struct cxn_norm_relu_grad *n, size_t first, struct block b, bool add)
{
    __m256d s[VECTORS][4];
    for (int v = 0; v < VECTORS; v++)
        s[v][0] = s[v][1] = s[v][2] = s[v][3] = _mm256_setzero_pd();
    for (size_t p = 0; p < n->count; p++) {
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS; v++) add_vector(s[v], &b, v * LANES, add);
        b.grad += n->grad_step;
        b.active += n->active_step;
        b.src += n->src_step;
        b.dst += n->dst_step;
    }
    for (size_t v = 0; v < VECTORS; v++) {
        const size_t i = first + v * LANES;
        add_lanes(n->sum + i, s[v][0]);
        add_lanes(n->sum + i + 4, s[v][1]);
        add_lanes(n->product + i, s[v][2]);
        add_lanes(n->product + i + 4, s[v][3]);
    }
}

void cxn_norm_relu_grad_f32_avx2(const struct cxn_norm_relu_grad *n)
{
    size_t i = 0;
    for (; i + CHANNELS <= n->channels; i += CHANNELS) {
        const struct block b = {
            .grad = (const float *)n->grad + i, .active = (const float *)n->active + i,
            .src = (const float *)n->src + i, .factor = n->factor + i, .dst = (float *)n->dst + i
        };
        if (n->add) compute(n, i, b, true);
        else compute(n, i, b, false);
    }
    if (i == n->channels) return;
    struct cxn_norm_relu_grad rest = *n;
    rest.grad = (const float *)n->grad + i;
    rest.active = (const float *)n->active + i;
    rest.src = (const float *)n->src + i;
    rest.dst = (float *)n->dst + i;
    rest.factor += i;
    rest.sum += i;
    rest.product += i;
    rest.channels -= i;
    cxn_norm_relu_grad_f32_c(&rest);
}
