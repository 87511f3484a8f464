/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_f32.h"

#include <immintrin.h>

/* Sums of a block of channels stay in registers over all places: 16 of doubles. */
enum { LANES = 16, VECTORS = 4, CHANNELS = LANES * VECTORS };

#define INLINE static inline __attribute__((always_inline))

struct block {
    const float *grad, *active, *src, *factor;
    float *dst;
    __mmask16 lanes[VECTORS]; /* that there are */
};

struct sums {
    __m512d sum[VECTORS][2], product[VECTORS][2];
};

INLINE __m512d low(__m512 x)
{
    return _mm512_cvtps_pd(_mm512_castps512_ps256(x));
}

INLINE __m512d high(__m512 x)
{
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
}

/* Vector v of the block at one place. */
INLINE void add_vector(struct sums *s, const struct block *b, int v, __m512 factor, bool add)
{
    const size_t i = (size_t)v * LANES;
    const __m512 active = _mm512_maskz_loadu_ps(b->lanes[v], b->active + i);
    const __mmask16 passes = _mm512_cmp_ps_mask(active, _mm512_setzero_ps(), _CMP_GT_OQ);
    const __m512 dz = _mm512_maskz_loadu_ps(passes, b->grad + i);
    const __m512 src = _mm512_maskz_loadu_ps(b->lanes[v], b->src + i);
    const __m512 old = add ? _mm512_maskz_loadu_ps(b->lanes[v], b->dst + i) : _mm512_setzero_ps();
    const __m512d dz0 = low(dz), dz1 = high(dz);
    s->sum[v][0] += dz0;
    s->sum[v][1] += dz1;
    s->product[v][0] = _mm512_fmadd_pd(dz0, low(src), s->product[v][0]);
    s->product[v][1] = _mm512_fmadd_pd(dz1, high(src), s->product[v][1]);
    _mm512_mask_storeu_ps(b->dst + i, b->lanes[v], _mm512_fmadd_ps(dz, factor, old));
}

INLINE void add_lanes(double *to, __m512d sum, uint32_t lanes)
{
    const __mmask8 m = (__mmask8)(lanes & 0xff);
    _mm512_mask_storeu_pd(to, m, _mm512_maskz_loadu_pd(m, to) + sum);
}

/* vectors and add are constants wherever this is called. */
INLINE void compute(const struct cxn_norm_relu_grad *n, size_t first, struct block *b, int vectors,
                    bool add)
{
    struct sums s;
    __m512 factor[VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        s.sum[v][0] = s.sum[v][1] = s.product[v][0] = s.product[v][1] = _mm512_setzero_pd();
        factor[v] = _mm512_maskz_loadu_ps(b->lanes[v], b->factor + v * LANES);
    }
    for (size_t p = 0; p < n->count; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) add_vector(&s, b, v, factor[v], add);
        b->grad += n->grad_step;
        b->active += n->active_step;
        b->src += n->src_step;
        b->dst += n->dst_step;
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        const size_t i = first + (size_t)v * LANES;
        add_lanes(n->sum + i, s.sum[v][0], b->lanes[v]);
        add_lanes(n->sum + i + 8, s.sum[v][1], (uint32_t)b->lanes[v] >> 8);
        add_lanes(n->product + i, s.product[v][0], b->lanes[v]);
        add_lanes(n->product + i + 8, s.product[v][1], (uint32_t)b->lanes[v] >> 8);
    }
}

static struct block begin_block(const struct cxn_norm_relu_grad *n, size_t first, size_t channels)
{
    struct block b = {
        .grad = (const float *)n->grad + first, .active = (const float *)n->active + first,
        .src = (const float *)n->src + first, .factor = n->factor + first,
        .dst = (float *)n->dst + first
    };
    for (size_t v = 0; v < VECTORS && v * LANES < channels; v++) {
        const size_t left = channels - v * LANES;
        b.lanes[v] = (__mmask16)(left >= LANES ? 0xffffu : (1u << left) - 1);
    }
    return b;
}

void cxn_norm_relu_grad_f32_avx512(const struct cxn_norm_relu_grad *n)
{
    size_t i = 0;
    for (; i + CHANNELS <= n->channels; i += CHANNELS) {
        struct block b = begin_block(n, i, CHANNELS);
        if (n->add) compute(n, i, &b, VECTORS, true);
        else compute(n, i, &b, VECTORS, false);
    }
    for (; i < n->channels; i += LANES) {
        struct block b = begin_block(n, i, n->channels - i < LANES ? n->channels - i : LANES);
        if (n->add) compute(n, i, &b, 1, true);
        else compute(n, i, &b, 1, false);
    }
}
