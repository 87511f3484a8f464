/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_bf16.h"

#include <string.h>

#include "kern/amx/tiles.h"

/*
 * Two tiles of places times two of channels are four of sums: one tile load for each TDPBF16PS,
 * which takes 16 cycles where a load from L1 takes 8, and four sums hide its latency of 52. Their
 * numbers are literals, which is all that the intrinsics take:
 *     0, 1  sums of the first places, channels 0 to 15 and 16 to 31;  2, 3  of the second
 *     4     terms of the first places;  5  of the second
 *     6     weights of channels 0 to 15, as packed;  7  of 16 to 31
 */
enum { CHANNELS = 32, PLACES = 16, TERMS = 32, ROW_BYTES = 64 };
enum { PANEL_STEP_BYTES = TERMS * CHANNELS * 2 }; /* of a panel, what TERMS terms take */

/*
 * The places of a call as strips of equally spaced ones. Where rows are whole numbers of places
 * apart the map is one strip: places between two rows, as a border has them, are computed and not
 * stored, which costs less than a last tile of each row with few places in it.
 */
struct strips {
    size_t strips, count; /* places of each */
    size_t line;          /* from a row to the next, in places */
    size_t rows;          /* places of a tile */
};

static size_t count_tiles(size_t places)
{
    return (places + PLACES - 1) / PLACES;
}

static struct strips cut_map(const struct cxn_conv_bordered *c)
{
    struct strips s = { .strips = c->height, .count = c->width, .line = c->width };
    if (c->height > 1 && c->row_step % c->place_step == 0) {
        const size_t line = c->row_step / c->place_step;
        const size_t whole = (c->height - 1) * line + c->width;
        if (line >= c->width && count_tiles(whole) <= c->height * count_tiles(c->width))
            s = (struct strips){ .strips = 1, .count = whole, .line = line };
    }
    s.rows = s.count < PLACES ? s.count : PLACES;
    return s;
}

static void configure(size_t rows)
{
    alignas(64) struct tile_config config = { .palette = 1 };
    for (size_t i = 0; i < 8; i++) {
        config.row_bytes[i] = ROW_BYTES;
        config.rows[i] = i < 6 ? (uint8_t)rows : TERMS / 2;
    }
    tile_finish_stores(&config);
    _tile_loadconfig(&config);
}

/* One or two tiles of places of a strip, and CHANNELS channels. */
struct block {
    const uint16_t *src[2];
    size_t rows;
    const char *w;  /* a panel: biases, weights */
    size_t ahead;   /* if not 0, bytes from these weights to those that are wanted next */
};

/* TERMS terms, whose places are step_bytes apart, by the weights at w. */
TILE_INLINE void add_terms(const uint16_t *first, const uint16_t *second, size_t step_bytes,
                           const char *w, bool pair)
{
    _tile_loadd(6, w, CHANNELS * 4);
    _tile_loadd(4, first, step_bytes);
    _tile_loadd(7, w + ROW_BYTES, CHANNELS * 4);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (!pair) return;
    _tile_loadd(5, second, step_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* Weights come from beyond L2 once a picture, so the next ones are asked for in time. */
TILE_INLINE void prefetch(const char *w, size_t ahead)
{
    if (ahead == 0) return;
    for (size_t i = 0; i < PANEL_STEP_BYTES; i += 64) /* may be behind the last: no pointer yet */
        _mm_prefetch((const char *)((uintptr_t)w + ahead + i), _MM_HINT_T1);
}

/* Runs of whole tiles, read where they are. */
TILE_INLINE void add_runs(const struct cxn_conv_bordered *c, const struct block *b, bool pair)
{
    const char *w = b->w + CHANNELS * 4;
    for (size_t t = 0; t < c->tap_rows; t++) {
        for (size_t i = 0; i < c->run; i += TERMS, w += PANEL_STEP_BYTES) {
            const size_t at = t * c->tap_row_step + i;
            add_terms(b->src[0] + at, b->src[1] + at, c->place_step * 2, w, pair);
            prefetch(w, b->ahead);
        }
    }
}

/* TERMS terms of each place from term k on, of whatever tap rows; zeros behind the last. */
static void gather(const struct cxn_conv_bordered *c, const uint16_t *src, size_t k, size_t rows,
                   uint16_t to[PLACES][TERMS])
{
    for (size_t i = 0; i < TERMS; i++) {
        const size_t term = k + i;
        const bool is_there = term < c->tap_rows * c->run;
        const size_t at = term / c->run * c->tap_row_step + term % c->run;
        for (size_t p = 0; p < rows; p++) to[p][i] = is_there ? src[at + p * c->place_step] : 0;
    }
}

/* Runs of any length: tiles of terms are put together first. */
TILE_INLINE void add_gathered(const struct cxn_conv_bordered *c, const struct block *b, bool pair)
{
    alignas(64) uint16_t terms[2][PLACES][TERMS];
    const char *w = b->w + CHANNELS * 4;
    for (size_t k = 0; k < c->tap_rows * c->run; k += TERMS, w += PANEL_STEP_BYTES) {
        gather(c, b->src[0], k, b->rows, terms[0]);
        if (pair) gather(c, b->src[1], k, b->rows, terms[1]);
        tile_finish_stores(terms);
        add_terms(terms[0][0], terms[1][0], ROW_BYTES, w, pair);
    }
}

/* Sums begin with the biases: a tile all of whose rows are one. */
TILE_INLINE void compute_block(const struct cxn_conv_bordered *c, const struct block *b, bool pair,
                               float sums[2][PLACES][CHANNELS])
{
    _tile_loadd(0, b->w, 0);
    _tile_loadd(1, b->w + ROW_BYTES, 0);
    if (pair) {
        _tile_loadd(2, b->w, 0);
        _tile_loadd(3, b->w + ROW_BYTES, 0);
    }
    if (c->run % TERMS == 0) add_runs(c, b, pair);
    else add_gathered(c, b, pair);
    _tile_stored(0, sums[0][0], CHANNELS * 4);
    _tile_stored(1, sums[0][0] + CHANNELS / 2, CHANNELS * 4);
    if (pair) {
        _tile_stored(2, sums[1][0], CHANNELS * 4);
        _tile_stored(3, sums[1][0] + CHANNELS / 2, CHANNELS * 4);
    }
}

/* The places from `first` of a strip on, as far as they are of the map; dst: the strip's, at the
 * first channel. */
static void store_places(const struct cxn_conv_bordered *c, const struct strips *s, uint16_t *dst,
                         size_t first, __mmask32 mask, float sums[PLACES][CHANNELS])
{
    const __m512 least = _mm512_set1_ps(c->relu ? 0.0f : -__builtin_inff());
    const size_t width = c->width, line = s->line, step = c->dst_place_step;
    size_t x = first % line;
    dst += first / line * c->dst_row_step;
    for (size_t p = 0; p < s->rows; p++) {
        const __m512 low = _mm512_max_ps(least, _mm512_load_ps(sums[p])); /* keeps a second NaN */
        const __m512 high = _mm512_max_ps(least, _mm512_load_ps(sums[p] + CHANNELS / 2));
        if (x < width)
            _mm512_mask_storeu_epi16(dst + x * step, mask,
                                     (__m512i)_mm512_cvtne2ps_pbh(high, low));
        if (++x < line) continue;
        x = 0;
        dst += c->dst_row_step;
    }
}

/* CHANNELS channels of a strip, their weights at w. Its last tile ends with the strip, so it may
 * compute places again, to the same bits. */
static void compute_strip(const struct cxn_conv_bordered *c, const struct strips *s, size_t strip,
                          size_t channel, const char *w, size_t ahead)
{
    alignas(64) float sums[2][PLACES][CHANNELS];
    const uint16_t *src = (const uint16_t *)c->src + strip * c->row_step;
    uint16_t *dst = (uint16_t *)c->dst + strip * c->dst_row_step + channel;
    const size_t left = c->out - channel, last = s->count - s->rows;
    const __mmask32 mask = left < CHANNELS ? (1u << left) - 1 : UINT32_MAX;
    for (size_t first = 0; first < s->count; first += 2 * s->rows, ahead = 0) {
        const bool pair = first + s->rows < s->count;
        const size_t one = first < last ? first : last;
        const size_t two = first + s->rows < last ? first + s->rows : last;
        const struct block b = { { src + one * c->place_step, src + two * c->place_step },
                                 s->rows, w, ahead };
        if (pair) compute_block(c, &b, true, sums);
        else compute_block(c, &b, false, sums);
        store_places(c, s, dst, one, mask, sums[0]);
        if (pair) store_places(c, s, dst, two, mask, sums[1]);
    }
}

void cxn_conv_bordered_bf16_amx(const struct cxn_conv_bordered *c)
{
    const struct strips s = cut_map(c);
    const size_t steps = (c->tap_rows * c->run + TERMS - 1) / TERMS;
    const size_t panel_bytes = CHANNELS * 4 + steps * PANEL_STEP_BYTES;
    const char *w = c->w;
    configure(s.rows);
    for (size_t channel = 0; channel < c->out; channel += CHANNELS, w += panel_bytes)
        for (size_t strip = 0; strip < s.strips; strip++)
            compute_strip(c, &s, strip, channel, w, strip == 0 ? panel_bytes : 0);
    _tile_release(); /* the thread is the host's, which need not save tiles */
}
