/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_f32.h"

#include <immintrin.h>

/* A tile is up to 14 neighbouring terms of 32 outputs: 28 registers of sums over all places. */
enum { TERMS = 14, OUTPUTS = 32 };

#define INLINE static inline __attribute__((always_inline))

struct tile {
    const float *src, *grad;
    float *dst;
    __mmask16 low, high; /* of the outputs that there are */
};

/* The places of one row. */
INLINE void add_row(__m512 sum[TERMS][2], const struct cxn_wgrad *w, const struct tile *t,
                    const float *src, const float *grad, int terms)
{
    for (size_t x = 0; x < w->width; x++) {
        const __m512 g0 = _mm512_maskz_loadu_ps(t->low, grad);
        const __m512 g1 = _mm512_maskz_loadu_ps(t->high, grad + 16);
#pragma GCC unroll 14
        for (int i = 0; i < terms; i++) {
            const __m512 s = _mm512_set1_ps(src[i]);
            sum[i][0] = _mm512_fmadd_ps(s, g0, sum[i][0]);
            sum[i][1] = _mm512_fmadd_ps(s, g1, sum[i][1]);
        }
        src += w->place_step;
        grad += w->grad_place_step;
    }
}

/* terms is a constant wherever this is called. */
INLINE void compute(const struct cxn_wgrad *w, const struct tile *t, int terms)
{
    __m512 sum[TERMS][2];
#pragma GCC unroll 14
    for (int i = 0; i < TERMS; i++) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
    for (size_t m = 0; m < w->maps; m++)
        for (size_t y = 0; y < w->height; y++)
            add_row(sum, w, t, t->src + m * w->map_step + y * w->row_step,
                    t->grad + m * w->grad_map_step + y * w->grad_row_step, terms);
    const __mmask16 kept[2] = { w->add ? t->low : 0, w->add ? t->high : 0 };
#pragma GCC unroll 14
    for (int i = 0; i < terms; i++) {
        float *dst = t->dst + (size_t)i * w->out;
        const __m512 old0 = _mm512_maskz_loadu_ps(kept[0], dst);
        const __m512 old1 = _mm512_maskz_loadu_ps(kept[1], dst + 16);
        _mm512_mask_storeu_ps(dst, t->low, old0 + sum[i][0]);
        _mm512_mask_storeu_ps(dst + 16, t->high, old1 + sum[i][1]);
    }
}

static void compute_tile(const struct cxn_wgrad *w, const struct tile *t, size_t terms)
{
    switch (terms) {
    case 14: compute(w, t, 14); break;
    case 13: compute(w, t, 13); break;
    case 12: compute(w, t, 12); break;
    case 11: compute(w, t, 11); break;
    case 10: compute(w, t, 10); break;
    case 9: compute(w, t, 9); break;
    case 8: compute(w, t, 8); break;
    case 7: compute(w, t, 7); break;
    case 6: compute(w, t, 6); break;
    case 5: compute(w, t, 5); break;
    case 4: compute(w, t, 4); break;
    case 3: compute(w, t, 3); break;
    case 2: compute(w, t, 2); break;
    default: compute(w, t, 1); break;
    }
}

/* The run is cut into tiles of nearly equal size; a tile's samples serve all its outputs. */
void cxn_wgrad_f32_avx512(const struct cxn_wgrad *w)
{
    const size_t tiles = (w->run + TERMS - 1) / TERMS;
    for (size_t row = 0; row < w->tap_rows; row++) {
        for (size_t n = 0, first = 0; n < tiles; n++) {
            const size_t terms = w->run / tiles + (n < w->run % tiles ? 1 : 0);
            for (size_t o = 0; o < w->out; o += OUTPUTS) {
                const size_t left = w->out - o;
                const uint32_t mask = left >= OUTPUTS ? UINT32_MAX : (1u << left) - 1;
                const struct tile tile = {
                    .src = (const float *)w->src + row * w->tap_row_step + first,
                    .grad = (const float *)w->grad + o,
                    .dst = w->dst + (row * w->run + first) * w->out + o,
                    .low = (__mmask16)(mask & 0xffff), .high = (__mmask16)(mask >> 16)
                };
                compute_tile(w, &tile, terms);
            }
            first += terms;
        }
    }
}
