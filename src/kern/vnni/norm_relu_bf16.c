/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_bf16.h"

#include <immintrin.h>
#include <stdalign.h>

#include "kern/norm_relu_pool_bf16.h"

/*
 * 32 channels at a time, as 16 even and 16 odd ones: a bfloat16 number is the upper half of its
 * float32, so that a shift and a mask widen a vector without moving numbers between its lanes. One
 * permutation after the rounding brings them back in order. Scale and shift are parted once for
 * PLACES places.
 */
enum { CHANNELS = 32, PLACES = 8 };

struct channels {
    __mmask32 mask;           /* those that there are */
    __m512 scale[2], shift[2]; /* of even and odd ones */
};

static inline void part(__m512 to[2], const float *from, __mmask32 mask)
{
    alignas(64) static const uint32_t even[16] = { 0,  2,  4,  6,  8,  10, 12, 14,
                                                   16, 18, 20, 22, 24, 26, 28, 30 };
    const __m512i first = _mm512_load_si512(even);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(1));
    const __m512 low = _mm512_maskz_loadu_ps((__mmask16)(mask & 0xffff), from);
    const __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), from + CHANNELS / 2);
    to[0] = _mm512_permutex2var_ps(low, first, high);
    to[1] = _mm512_permutex2var_ps(low, second, high);
}

static inline struct channels load_channels(const float *scale, const float *shift, size_t left)
{
    struct channels c = { .mask = left < CHANNELS ? (1u << left) - 1 : UINT32_MAX };
    part(c.scale, scale, c.mask);
    part(c.shift, shift, c.mask);
    return c;
}

/* The operand order of max keeps a NaN. */
static inline void activate(__m512 to[2], const struct channels *c, const uint16_t *src)
{
    const __m512i pairs = _mm512_maskz_loadu_epi16(c->mask, src);
    const __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    const __m512 odd = _mm512_castsi512_ps(_mm512_and_epi32(pairs, _mm512_set1_epi32(-65536)));
    to[0] = _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(even, c->scale[0], c->shift[0]));
    to[1] = _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(odd, c->scale[1], c->shift[1]));
}

static inline void store(uint16_t *dst, const struct channels *c, const __m512 value[2])
{
    alignas(64) static const uint16_t order[32] = { 0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                    21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                    11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
    const __m512i parted = (__m512i)_mm512_cvtne2ps_pbh(value[1], value[0]);
    _mm512_mask_storeu_epi16(dst, c->mask,
                             _mm512_permutexvar_epi16(_mm512_load_si512(order), parted));
}

static inline size_t count_places(size_t left)
{
    return left < PLACES ? left : PLACES;
}

void cxn_norm_relu_bf16_vnni(const struct cxn_norm_relu *norm)
{
    const size_t src_step = norm->src_step, dst_step = norm->dst_step;
    for (size_t p = 0, count; p < norm->count; p += count) {
        count = count_places(norm->count - p);
        for (size_t i = 0; i < norm->channels; i += CHANNELS) {
            const struct channels c =
                load_channels(norm->scale + i, norm->shift + i, norm->channels - i);
            const uint16_t *src = (const uint16_t *)norm->src + p * src_step + i;
            uint16_t *dst = (uint16_t *)norm->dst + p * dst_step + i;
            for (size_t k = 0; k < count; k++, src += src_step, dst += dst_step) {
                __m512 value[2];
                activate(value, &c, src);
                store(dst, &c, value);
            }
        }
    }
}

/* src: the window's upper left place. */
static inline void pool_window(__m512 mean[2], const struct channels *c, const uint16_t *src,
                               size_t step, size_t row_step)
{
    __m512 sum[2], value[2];
    activate(sum, c, src);
    for (size_t tap = 1; tap < 4; tap++) {
        activate(value, c, src + tap / 2 * row_step + tap % 2 * step);
        sum[0] += value[0];
        sum[1] += value[1];
    }
    mean[0] = sum[0] * _mm512_set1_ps(0.25f);
    mean[1] = sum[1] * _mm512_set1_ps(0.25f);
}

void cxn_norm_relu_pool_bf16_vnni(const struct cxn_norm_relu_pool *pool)
{
    const size_t step = pool->src_step, dst_step = pool->dst_step;
    for (size_t x = 0, count; x < pool->count; x += count) {
        count = count_places(pool->count - x);
        for (size_t i = 0; i < pool->channels; i += CHANNELS) {
            const struct channels c =
                load_channels(pool->scale + i, pool->shift + i, pool->channels - i);
            const uint16_t *src = (const uint16_t *)pool->src + 2 * x * step + i;
            uint16_t *dst = (uint16_t *)pool->dst + x * dst_step + i;
            for (size_t k = 0; k < count; k++, src += 2 * step, dst += dst_step) {
                __m512 mean[2];
                pool_window(mean, &c, src, step, pool->src_row_step);
                store(dst, &c, mean);
            }
        }
    }
}
