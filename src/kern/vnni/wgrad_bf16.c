/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_bf16.h"

#include <immintrin.h>

#include "kern/avx512/wgrad_turn.h"

/* CHANNELS strips times two blocks of outputs are 24 registers of sums, beside 2 of gradients and
 * one of a broadcast pair of src. */
enum { CHANNELS = 12, BLOCK = CXN_PAIRS_CHANNELS, PAIR = 2 * BLOCK };

#define WGRAD_INLINE static inline __attribute__((always_inline))

WGRAD_INLINE __m512bh broadcast(const uint16_t *p)
{
    int pair; /* not aligned where the tap's column is odd */
    memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

WGRAD_INLINE __m512bh load(const uint16_t *pairs)
{
    return (__m512bh)_mm512_loadu_ps(pairs);
}

/* Strips from `strip` on, one or two blocks of outputs from `pairs` on. */
struct block {
    const uint16_t *strip, *pairs;
    float *dst;
    __mmask16 mask[2]; /* outputs that there are */
};

WGRAD_INLINE void add_range(const struct cxn_wgrad_strips *s, const uint16_t *strip,
                            const uint16_t *pairs, __m512 sum[CHANNELS][2], int channels,
                            int blocks)
{
    for (size_t p = 0; p < s->length; p += 2, pairs += PAIR) {
        const __m512bh first = load(pairs), second = blocks > 1 ? load(pairs + s->block_step) :
                                                                  first;
        const uint16_t *at = strip + p;
#pragma GCC unroll 12
        for (int i = 0; i < channels; i++, at += s->strip_step) {
            const __m512bh pair = broadcast(at);
            sum[i][0] = _mm512_dpbf16_ps(sum[i][0], pair, first);
            if (blocks > 1) sum[i][1] = _mm512_dpbf16_ps(sum[i][1], pair, second);
        }
    }
}

WGRAD_INLINE void add_block(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                            const struct block *at, int channels, int blocks)
{
    __m512 sum[CHANNELS][2];
#pragma GCC unroll 12
    for (int i = 0; i < channels; i++)
#pragma GCC unroll 2
        for (int b = 0; b < blocks; b++)
            sum[i][b] = _mm512_maskz_loadu_ps(w->add ? at->mask[b] : 0,
                                              at->dst + (size_t)i * w->out + (size_t)b * BLOCK);
    for (size_t r = 0; r < s->ranges; r++)
        add_range(s, at->strip + r * s->taps * s->channels * s->strip_step,
                  at->pairs + r * s->range_pairs, sum, channels, blocks);
#pragma GCC unroll 12
    for (int i = 0; i < channels; i++)
#pragma GCC unroll 2
        for (int b = 0; b < blocks; b++)
            _mm512_mask_storeu_ps(at->dst + (size_t)i * w->out + (size_t)b * BLOCK, at->mask[b],
                                  sum[i][b]);
}

/* Of the first `count` lanes, all of them where there are more. */
WGRAD_INLINE __mmask16 mask_of(size_t count)
{
    return (__mmask16)(count < BLOCK ? (1u << count) - 1 : UINT16_MAX);
}

/* All channels of a tap, for one or two blocks of outputs from o on. */
WGRAD_INLINE void add_tap(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s, size_t t,
                          size_t x, size_t o, int blocks)
{
    const size_t left = w->out - o;
    struct block at = {
        .pairs = (const uint16_t *)w->scratch + s->pairs + o / BLOCK * s->block_step,
        .mask = { mask_of(left), mask_of(left > BLOCK ? left - BLOCK : 0) }
    };
    for (size_t i = 0, count; i < s->channels; i += count) {
        at.strip = wgrad_strip(w, s, t, x, i);
        at.dst = w->dst + (t * w->run + x * s->channels + i) * w->out + o;
        count = s->channels - i >= CHANNELS ? CHANNELS : s->channels - i >= 4 ? 4 : 1;
        if (count == CHANNELS) add_block(w, s, &at, CHANNELS, blocks);
        else if (count == 4) add_block(w, s, &at, 4, blocks);
        else add_block(w, s, &at, 1, blocks);
    }
}

void cxn_wgrad_bf16_vnni(const struct cxn_wgrad *w)
{
    const struct cxn_wgrad_strips s = cxn_wgrad_strips(w);
    wgrad_turn(w, &s);
    for (size_t o = 0; o < w->out; o += PAIR) {
        for (size_t tap = 0; tap < w->tap_rows * s.columns; tap++) {
            if (w->out - o > BLOCK) add_tap(w, &s, tap / s.columns, tap % s.columns, o, 2);
            else add_tap(w, &s, tap / s.columns, tap % s.columns, o, 1);
        }
    }
}
