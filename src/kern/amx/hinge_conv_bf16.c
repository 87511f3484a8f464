/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_bf16.h"

#include "kern/amx/blocks_bf16.h"
#include "kern/amx/pairs.h"

enum { HINGED_PLACES = 4 }; /* at a time: as many streams of the map */
enum { TERMS = ROW_BYTES / sizeof(uint16_t) };

/* With zeros behind the channels. */
static void fill_panel(const void *terms, size_t first, size_t places)
{
    const struct cxn_hinge_conv *h = terms;
    const size_t step = cxn_hinge_conv_step(h->channels);
    for (size_t p = 0, count; p < places; p += count) {
        count = places - p < HINGED_PLACES ? places - p : HINGED_PLACES;
        for (size_t i = 0; i < h->channels; i += TERMS) {
            const __mmask32 mask = mask_channels(h->channels - i);
            const __m512i turn = _mm512_maskz_loadu_epi16(mask, h->turn + i);
            const __m512i knot = _mm512_maskz_loadu_epi16(mask, h->knot + i);
            const uint16_t *from = h->src + (first + p) * h->src_step + i;
            uint16_t *to = h->panel + p * step + i;
#pragma GCC unroll 4
            for (size_t k = 0; k < count; k++, from += h->src_step, to += step) {
                const __m512i x = _mm512_maskz_loadu_epi16(mask, from);
                const __m512i most = _mm512_max_epu16(_mm512_xor_si512(x, turn), knot);
                _mm512_store_si512(to, _mm512_xor_si512(most, turn));
            }
        }
    }
}

void cxn_hinge_conv_bf16_amx(const struct cxn_hinge_conv *h)
{
    const struct cxn_conv_bordered conv = {
        .src = h->panel, .place_step = cxn_hinge_conv_step(h->channels), .tap_rows = 1,
        .run = (h->channels + TERMS - 1) / TERMS * TERMS, .height = h->height, .width = h->width,
        .out = h->out, .w = h->w, .dst = h->dst, .dst_place_step = h->dst_place_step,
        .dst_row_step = h->dst_row_step, .relu = true, .ahead = h->ahead
    };
    run_pairs(block_type_bf16(), &conv, fill_panel, h);
}
