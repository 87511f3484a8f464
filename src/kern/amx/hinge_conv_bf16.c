/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_bf16.h"

#include "kern/amx/blocks.h"

enum { HINGED_PLACES = 4 }; /* at a time: as many streams of the map */

/* `places` places from src on into a panel, with zeros behind the channels. */
static void fill_panel(const struct cxn_hinge_conv *c, const uint16_t *src, size_t places,
                       uint16_t *panel, size_t step)
{
    for (size_t p = 0, count; p < places; p += count) {
        count = places - p < HINGED_PLACES ? places - p : HINGED_PLACES;
        for (size_t i = 0; i < c->channels; i += CHANNELS) {
            const __mmask32 mask = mask_channels(c->channels - i);
            const __m512i turn = _mm512_maskz_loadu_epi16(mask, c->turn + i);
            const __m512i knot = _mm512_maskz_loadu_epi16(mask, c->knot + i);
            const uint16_t *from = src + p * c->src_step + i;
            uint16_t *to = panel + p * step + i;
#pragma GCC unroll 4
            for (size_t k = 0; k < count; k++, from += c->src_step, to += step) {
                const __m512i x = _mm512_maskz_loadu_epi16(mask, from);
                const __m512i most = _mm512_max_epu16(_mm512_xor_si512(x, turn), knot);
                _mm512_store_si512(to, _mm512_xor_si512(most, turn));
            }
        }
    }
}

/* Two tiles of places, or one: those from `one` on and those from `two` on. */
struct pair {
    size_t one, two, rows;
    bool both;
};

/* All channels of the places that are in the panel. */
static void compute_pair(const struct cxn_hinge_conv *h, const struct cxn_conv_bordered *c,
                         const struct pair *pair)
{
    alignas(64) float sums[2][PLACES][CHANNELS];
    const size_t panel_bytes = CHANNELS * 4 + c->run / TERMS * PANEL_STEP_BYTES;
    struct block b = { { h->panel, h->panel + (pair->two - pair->one) * c->place_step },
                       pair->rows, h->w, pair->one == 0 ? panel_bytes : 0 };
    for (size_t channel = 0; channel < h->out; channel += CHANNELS, b.w += panel_bytes) {
        const __mmask32 mask = mask_channels(h->out - channel);
        uint16_t *dst = h->dst + channel;
        begin_sums(&b, pair->both);
        add_runs(c, &b, pair->both);
        end_sums(sums, pair->both);
        store_places(c, h->width, pair->one % h->width, pair->rows, mask, sums[0],
                     dst + pair->one / h->width * h->dst_row_step);
        if (!pair->both) continue;
        store_places(c, h->width, pair->two % h->width, pair->rows, mask, sums[1],
                     dst + pair->two / h->width * h->dst_row_step);
    }
}

/* The last tile ends with the map, so it may compute places again, to the same bits. */
void cxn_hinge_conv_bf16_amx(const struct cxn_hinge_conv *h)
{
    const size_t count = h->height * h->width, step = cxn_hinge_conv_step(h->channels);
    const size_t rows = count < PLACES ? count : PLACES, last = count - rows;
    const struct cxn_conv_bordered conv = {
        .place_step = step, .tap_rows = 1, .run = (h->channels + TERMS - 1) / TERMS * TERMS,
        .width = h->width, .dst_place_step = h->dst_place_step, .dst_row_step = h->dst_row_step,
        .relu = true
    };
    configure(rows);
    for (size_t first = 0; first < count; first += 2 * rows) {
        const size_t one = first < last ? first : last;
        const size_t two = first + rows < last ? first + rows : last;
        const struct pair pair = { one, two, rows, first + rows < count };
        fill_panel(h, h->src + one * h->src_step, two + rows - one, h->panel, step);
        tile_finish_stores(h->panel);
        compute_pair(h, &conv, &pair);
    }
    _tile_release(); /* the thread is the host's, which need not save tiles */
}
