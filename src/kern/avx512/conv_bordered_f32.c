/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tile is up to 14 places of 32 channels: 28 registers of sums, 2 of weights, 1 of a broadcast
 * sample. The places are two groups of up to 7 with one distance inside a group, so that a tile may
 * be half of this row and half of the next: two 7-place rows of the last block fill it.
 */
#include "kern/conv_bordered_f32.h"

#include <immintrin.h>

enum { CHANNELS = 32, GROUP = 7 };

#define INLINE static inline __attribute__((always_inline))

/* Where a tile reads and writes: place i of group g is at src[g] + i * the step. */
struct spot {
    const char *src[2];
    float *dst[2];
};

/*
 * Place i of a group, from two pointers and the distance alone: x86 addresses scale an index by 1,
 * 2 or 4 for nothing, and 14 pointers would not fit into the registers.
 */
INLINE const char *place_at(const char *one, const char *four, ptrdiff_t step, int i)
{
    switch (i) {
    case 0: return one - step;
    case 1: return one;
    case 2: return one + step;
    case 3: return one + 2 * step;
    case 4: return four;
    case 5: return one + 4 * step;
    default: return four + 2 * step;
    }
}

INLINE __m512 broadcast(const char *p)
{
    return _mm512_set1_ps(*(const float *)(const void *)p);
}

/* sum += the products of one tap row: `run` samples of each place times their weights. */
INLINE const float *add_run(__m512 sum[2 * GROUP][2], const char *const src[2], ptrdiff_t step,
                            const float *w, size_t run, int groups, int places)
{
    const char *one[2] = { src[0] + step, src[groups - 1] + step };
    const char *four[2] = { one[0] + 3 * step, one[1] + 3 * step };
    for (size_t i = 0; i < run; i++) {
        const __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
#pragma GCC unroll 2
        for (int g = 0; g < groups; g++) {
#pragma GCC unroll 7
            for (int p = 0; p < places; p++) {
                const __m512 x = broadcast(place_at(one[g], four[g], step, p));
                sum[g * GROUP + p][0] = _mm512_fmadd_ps(x, w0, sum[g * GROUP + p][0]);
                sum[g * GROUP + p][1] = _mm512_fmadd_ps(x, w1, sum[g * GROUP + p][1]);
            }
            one[g] += sizeof(float);
            four[g] += sizeof(float);
        }
        w += CHANNELS;
    }
    return w;
}

INLINE void store(const struct cxn_conv_bordered *c, float *dst, size_t channels, __m512 low,
                  __m512 high)
{
    if (c->relu) {
        low = _mm512_max_ps(_mm512_setzero_ps(), low); /* in this order a NaN stays one */
        high = _mm512_max_ps(_mm512_setzero_ps(), high);
    }
    const uint32_t mask = channels >= CHANNELS ? UINT32_MAX : (1u << channels) - 1;
    _mm512_mask_storeu_ps(dst, (__mmask16)(mask & 0xffff), low);
    _mm512_mask_storeu_ps(dst + 16, (__mmask16)(mask >> 16), high);
}

/* groups and places are constants wherever this is called. */
INLINE void compute(const struct cxn_conv_bordered *c, const struct spot *at, size_t channel,
                    int groups, int places)
{
    const float *w = (const float *)c->w + channel * (1 + c->tap_rows * c->run);
    const ptrdiff_t step = (ptrdiff_t)(c->place_step * sizeof(float));
    const __m512 bias0 = _mm512_load_ps(w), bias1 = _mm512_load_ps(w + 16);
    __m512 sum[2 * GROUP][2];
#pragma GCC unroll 14
    for (int p = 0; p < 2 * GROUP; p++) {
        sum[p][0] = bias0;
        sum[p][1] = bias1;
    }
    w += CHANNELS;
    const char *src[2] = { at->src[0], at->src[1] };
    for (size_t t = 0; t < c->tap_rows; t++) {
        w = add_run(sum, src, step, w, c->run, groups, places);
        src[0] += c->tap_row_step * sizeof(float);
        src[1] += c->tap_row_step * sizeof(float);
    }
#pragma GCC unroll 2
    for (int g = 0; g < groups; g++)
#pragma GCC unroll 7
        for (int p = 0; p < places; p++)
            store(c, at->dst[g] + (size_t)p * c->dst_place_step + channel, c->out - channel,
                  sum[g * GROUP + p][0], sum[g * GROUP + p][1]);
}

static void compute_two_groups(const struct cxn_conv_bordered *c, const struct spot *at,
                               size_t channel)
{
    compute(c, at, channel, 2, GROUP);
}

static void compute_group(const struct cxn_conv_bordered *c, const struct spot *at,
                          size_t channel, size_t places)
{
    switch (places) {
    case 7: compute(c, at, channel, 1, 7); break;
    case 6: compute(c, at, channel, 1, 6); break;
    case 5: compute(c, at, channel, 1, 5); break;
    case 4: compute(c, at, channel, 1, 4); break;
    case 3: compute(c, at, channel, 1, 3); break;
    case 2: compute(c, at, channel, 1, 2); break;
    default: compute(c, at, channel, 1, 1); break;
    }
}

/* Group number g of the whole map, groups of a row being GROUP places and a last shorter one. */
struct group {
    const char *src;
    float *dst;
    size_t places;
};

static struct group find_group(const struct cxn_conv_bordered *c, size_t g)
{
    const size_t in_row = (c->width + GROUP - 1) / GROUP;
    const size_t y = g / in_row, x = g % in_row * GROUP;
    return (struct group){
        .src = (const char *)c->src +
               (y * c->row_step + x * c->place_step) * sizeof(float),
        .dst = (float *)c->dst + y * c->dst_row_step + x * c->dst_place_step,
        .places = c->width - x < GROUP ? c->width - x : GROUP
    };
}

void cxn_conv_bordered_f32_avx512(const struct cxn_conv_bordered *c)
{
    const size_t groups = c->height * ((c->width + GROUP - 1) / GROUP);
    for (size_t channel = 0; channel < c->out; channel += CHANNELS) {
        for (size_t g = 0; g < groups; g++) {
            const struct group a = find_group(c, g);
            struct group b = a;
            if (a.places == GROUP && g + 1 < groups) b = find_group(c, g + 1);
            const struct spot at = { { a.src, b.src }, { a.dst, b.dst } };
            if (a.places == GROUP && b.places == GROUP && b.src != a.src) {
                compute_two_groups(c, &at, channel);
                g++;
            } else {
                compute_group(c, &at, channel, a.places);
            }
        }
    }
}
