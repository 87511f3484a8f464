/* SPDX-License-Identifier: Apache-2.0 */
/* A tile is up to 6 places of 16 channels: 12 registers of sums, 2 of weights, 1 of a sample. */
#include "kern/conv_bordered_f32.h"

#include <immintrin.h>

enum { CHANNELS = 16, PLACES = 6 };

#define INLINE static inline __attribute__((always_inline))

/* Place i of a tile, from two pointers and the distance alone: x86 addresses scale an index by 1,
 * 2 or 4 for nothing. */
INLINE const float *place_at(const char *one, const char *four, ptrdiff_t step, int i)
{
    switch (i) {
    case 0: return (const float *)(const void *)(one - step);
    case 1: return (const float *)(const void *)one;
    case 2: return (const float *)(const void *)(one + step);
    case 3: return (const float *)(const void *)(one + 2 * step);
    case 4: return (const float *)(const void *)four;
    default: return (const float *)(const void *)(one + 4 * step);
    }
}

/* sum += the products of one tap row: `run` samples of each place times their weights. */
INLINE const float *add_run(__m256 sum[PLACES][2], const char *src, ptrdiff_t step, const float *w,
                            size_t run, int places)
{
    const char *one = src + step, *four = one + 3 * step;
    for (size_t i = 0; i < run; i++) {
        const __m256 w0 = _mm256_load_ps(w), w1 = _mm256_load_ps(w + 8);
#pragma GCC unroll 6
        for (int p = 0; p < places; p++) {
            const __m256 x = _mm256_broadcast_ss(place_at(one, four, step, p));
            sum[p][0] = _mm256_fmadd_ps(x, w0, sum[p][0]);
            sum[p][1] = _mm256_fmadd_ps(x, w1, sum[p][1]);
        }
        one += sizeof(float);
        four += sizeof(float);
        w += CHANNELS;
    }
    return w;
}

INLINE void store(float *dst, size_t channels, __m256 low, __m256 high)
{
    if (channels >= CHANNELS) {
        _mm256_storeu_ps(dst, low);
        _mm256_storeu_ps(dst + 8, high);
        return;
    }
    float value[CHANNELS];
    _mm256_storeu_ps(value, low);
    _mm256_storeu_ps(value + 8, high);
    for (size_t o = 0; o < channels; o++) dst[o] = value[o];
}

/* places is a constant wherever this is called. */
INLINE void compute(const struct cxn_conv_bordered *c, const float *from, float *dst,
                    size_t channel, int places)
{
    const float *w = (const float *)c->w + channel * (1 + c->tap_rows * c->run);
    const char *src = (const char *)from;
    const __m256 bias0 = _mm256_load_ps(w), bias1 = _mm256_load_ps(w + 8);
    const __m256 least = _mm256_set1_ps(c->relu ? 0.0f : -__builtin_inff());
    __m256 sum[PLACES][2];
#pragma GCC unroll 6
    for (int p = 0; p < PLACES; p++) {
        sum[p][0] = bias0;
        sum[p][1] = bias1;
    }
    w += CHANNELS;
    for (size_t t = 0; t < c->tap_rows; t++) {
        w = add_run(sum, src, (ptrdiff_t)(c->place_step * sizeof(float)), w, c->run, places);
        src += c->tap_row_step * sizeof(float);
    }
#pragma GCC unroll 6
    for (int p = 0; p < places; p++)
        store(dst + (size_t)p * c->dst_place_step + channel, c->out - channel,
              _mm256_max_ps(least, sum[p][0]), _mm256_max_ps(least, sum[p][1]));
}

static void compute_tile(const struct cxn_conv_bordered *c, const float *src, float *dst,
                         size_t channel, size_t places)
{
    switch (places) {
    case 6: compute(c, src, dst, channel, 6); break;
    case 5: compute(c, src, dst, channel, 5); break;
    case 4: compute(c, src, dst, channel, 4); break;
    case 3: compute(c, src, dst, channel, 3); break;
    case 2: compute(c, src, dst, channel, 2); break;
    default: compute(c, src, dst, channel, 1); break;
    }
}

/* A row is cut into tiles of nearly equal size: a tile of 1 or 2 places would wait for its sums. */
static void compute_row(const struct cxn_conv_bordered *c, size_t y, size_t channel)
{
    const float *src = (const float *)c->src + y * c->row_step;
    float *dst = (float *)c->dst + y * c->dst_row_step;
    const size_t tiles = (c->width + PLACES - 1) / PLACES;
    for (size_t i = 0, x = 0; i < tiles; i++) {
        const size_t places = c->width / tiles + (i < c->width % tiles ? 1 : 0);
        compute_tile(c, src + x * c->place_step, dst + x * c->dst_place_step, channel, places);
        x += places;
    }
}

void cxn_conv_bordered_f32_avx2(const struct cxn_conv_bordered *c)
{
    for (size_t channel = 0; channel < c->out; channel += CHANNELS)
        for (size_t y = 0; y < c->height; y++) compute_row(c, y, channel);
}
