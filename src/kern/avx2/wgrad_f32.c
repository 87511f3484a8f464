/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_f32.h"

#include <immintrin.h>

/* A tile is up to 6 neighbouring terms of 16 outputs: 12 registers of sums over all places. */
enum { TERMS = 6, OUTPUTS = 16, LANES = 8 };

#define INLINE static inline __attribute__((always_inline))

struct tile {
    const float *src, *grad;
    float *dst;
    __m256i low, high; /* of the outputs that there are */
};

/* The places of one row. */
INLINE void add_row(__m256 sum[TERMS][2], const struct cxn_wgrad *w, const struct tile *t,
                    const float *src, const float *grad, int terms, bool whole)
{
    for (size_t x = 0; x < w->width; x++) {
        const __m256 g0 = whole ? _mm256_loadu_ps(grad) : _mm256_maskload_ps(grad, t->low);
        const __m256 g1 = whole ? _mm256_loadu_ps(grad + LANES)
                                : _mm256_maskload_ps(grad + LANES, t->high);
#pragma GCC unroll 6
        for (int i = 0; i < terms; i++) {
            const __m256 s = _mm256_broadcast_ss(src + i);
            sum[i][0] = _mm256_fmadd_ps(s, g0, sum[i][0]);
            sum[i][1] = _mm256_fmadd_ps(s, g1, sum[i][1]);
        }
        src += w->place_step;
        grad += w->grad_place_step;
    }
}

/* terms and whole are constants wherever this is called. */
INLINE void compute(const struct cxn_wgrad *w, const struct tile *t, int terms, bool whole)
{
    __m256 sum[TERMS][2];
#pragma GCC unroll 6
    for (int i = 0; i < TERMS; i++) sum[i][0] = sum[i][1] = _mm256_setzero_ps();
    for (size_t m = 0; m < w->maps; m++)
        for (size_t y = 0; y < w->height; y++)
            add_row(sum, w, t, t->src + m * w->map_step + y * w->row_step,
                    t->grad + m * w->grad_map_step + y * w->grad_row_step, terms, whole);
#pragma GCC unroll 6
    for (int i = 0; i < terms; i++) {
        float *dst = t->dst + (size_t)i * w->out;
        if (w->add) {
            sum[i][0] = _mm256_add_ps(_mm256_maskload_ps(dst, t->low), sum[i][0]);
            sum[i][1] = _mm256_add_ps(_mm256_maskload_ps(dst + LANES, t->high), sum[i][1]);
        }
        _mm256_maskstore_ps(dst, t->low, sum[i][0]);
        _mm256_maskstore_ps(dst + LANES, t->high, sum[i][1]);
    }
}

static void compute_tile(const struct cxn_wgrad *w, const struct tile *t, size_t terms, bool whole)
{
    switch (whole ? terms : TERMS + terms) {
    case 6: compute(w, t, 6, true); break;
    case 5: compute(w, t, 5, true); break;
    case 4: compute(w, t, 4, true); break;
    case 3: compute(w, t, 3, true); break;
    case 2: compute(w, t, 2, true); break;
    case 1: compute(w, t, 1, true); break;
    case TERMS + 6: compute(w, t, 6, false); break;
    case TERMS + 5: compute(w, t, 5, false); break;
    case TERMS + 4: compute(w, t, 4, false); break;
    case TERMS + 3: compute(w, t, 3, false); break;
    case TERMS + 2: compute(w, t, 2, false); break;
    default: compute(w, t, 1, false); break;
    }
}

static __m256i first_lanes(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count < LANES ? (int)count : LANES),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The run is cut into tiles of nearly equal size; a tile's samples serve all its outputs. */
void cxn_wgrad_f32_avx2(const struct cxn_wgrad *w)
{
    const size_t tiles = (w->run + TERMS - 1) / TERMS;
    for (size_t row = 0; row < w->tap_rows; row++) {
        for (size_t n = 0, first = 0; n < tiles; n++) {
            const size_t terms = w->run / tiles + (n < w->run % tiles ? 1 : 0);
            for (size_t o = 0; o < w->out; o += OUTPUTS) {
                const size_t left = w->out - o;
                const struct tile tile = {
                    .src = (const float *)w->src + row * w->tap_row_step + first,
                    .grad = (const float *)w->grad + o,
                    .dst = w->dst + (row * w->run + first) * w->out + o,
                    .low = first_lanes(left), .high = first_lanes(left > LANES ? left - LANES : 0)
                };
                compute_tile(w, &tile, terms, left >= OUTPUTS);
            }
            first += terms;
        }
    }
}
