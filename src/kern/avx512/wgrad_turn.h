/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX512_WGRAD_TURN_H
#define CXN_KERN_AVX512_WGRAD_TURN_H

#include <string.h>

#include "kern/transpose_bf16.h"
#include "kern/wgrad_strips.h"

/* The strips and pairs of kern/wgrad_strips.h into the scratch. */

/* What no product needs meets zeros of grad, and must not be a NaN: places between two rows that
 * are in no window, and those behind the last. */
static inline void wgrad_clear_strip(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                                     uint16_t *strip)
{
    const size_t named = w->width + s->columns - 1, behind = s->length - s->grad_places;
    for (size_t p = named; s->line > named && p < s->src_places; p += s->line)
        memset(strip + p, 0, (s->line - named) * sizeof *strip);
    memset(strip + s->src_places, 0, behind * sizeof *strip);
}

static inline void wgrad_turn_src(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                                  const uint16_t *src, uint16_t *strips)
{
    const struct cxn_transpose_bf16 turn = {
        .src = src, .src_step = w->place_step, .dst = strips, .dst_step = s->strip_step,
        .count = s->src_places, .channels = s->channels
    };
    cxn_transpose_bf16_avx512(&turn);
    for (size_t i = 0; i < s->channels; i++) wgrad_clear_strip(w, s, strips + i * s->strip_step);
}

/* Places first..last - 1 of a range become zeros. */
static inline void wgrad_clear(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                               uint16_t *pairs, size_t first, size_t last)
{
    for (size_t o = 0; o < w->out; o += CXN_PAIRS_CHANNELS, pairs += s->block_step)
        for (size_t p = first; p < last; p++)
            for (size_t i = 0; i < CXN_PAIRS_CHANNELS; i++)
                pairs[p / 2 * (2 * CXN_PAIRS_CHANNELS) + 2 * i + p % 2] = 0;
}

static inline void wgrad_turn_grad(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s,
                                   const uint16_t *grad, uint16_t *pairs)
{
    const struct cxn_pairs_bf16 turn = {
        .src = grad, .src_step = w->grad_place_step, .dst = pairs, .block_step = s->block_step,
        .count = s->grad_places, .channels = w->out
    };
    cxn_pairs_bf16_avx512(&turn);
    for (size_t y = 0; y + 1 < s->rows; y++)
        wgrad_clear(w, s, pairs, y * s->line + w->width, (y + 1) * s->line);
    wgrad_clear(w, s, pairs, s->grad_places, s->length);
}

static inline void wgrad_turn(const struct cxn_wgrad *w, const struct cxn_wgrad_strips *s)
{
    uint16_t *strips = w->scratch, *pairs = strips + s->pairs;
    for (size_t r = 0; r < s->ranges; r++) {
        const size_t m = r / (s->ranges / w->maps), y = r % (s->ranges / w->maps);
        const uint16_t *src = (const uint16_t *)w->src + m * w->map_step + y * w->row_step;
        for (size_t t = 0; t < s->taps; t++, strips += s->channels * s->strip_step)
            wgrad_turn_src(w, s, src + t * w->tap_row_step, strips);
        wgrad_turn_grad(w, s,
                        (const uint16_t *)w->grad + m * w->grad_map_step + y * w->grad_row_step,
                        pairs + r * s->range_pairs);
    }
}

/* Where the strips of a tap begin: row t, column x of the window, channel i. */
static inline const uint16_t *wgrad_strip(const struct cxn_wgrad *w,
                                          const struct cxn_wgrad_strips *s, size_t t, size_t x,
                                          size_t i)
{
    const uint16_t *strips = w->scratch;
    const size_t set = s->taps > 1 ? t : 0;
    return strips + (set * s->channels + i) * s->strip_step + t * s->tap_shift + x;
}

#endif
