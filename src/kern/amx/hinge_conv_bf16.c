/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_bf16.h"

#include "kern/amx/blocks_bf16.h"
#include "kern/amx/hinge_fill.h"
#include "kern/amx/pairs.h"

enum { TERMS = ROW_BYTES / sizeof(uint16_t) };

TILE_INLINE __m512i hinge(__m512i x, __m512i turn, __m512i knot)
{
    return _mm512_xor_si512(_mm512_max_epu16(_mm512_xor_si512(x, turn), knot), turn);
}

static void fill_hinged(const void *terms, size_t first, size_t places, size_t at)
{
    const struct cxn_hinge_conv *h = terms;
    const size_t number = sizeof *h->src;
    const struct hinge_fill fill = { h->src + first * h->src_step, h->turn, h->knot,
                                     h->src_step * number, h->channels * number, h->panel,
                                     cxn_hinge_conv_step(h->channels) * number };
    fill_hinges(&fill, at, places, hinge);
}

void cxn_hinge_conv_bf16_amx(const struct cxn_hinge_conv *h)
{
    const struct cxn_conv_bordered conv = {
        .src = h->panel, .place_step = cxn_hinge_conv_step(h->channels), .tap_rows = 1,
        .run = (h->channels + TERMS - 1) / TERMS * TERMS, .height = h->height, .width = h->width,
        .out = h->out, .w = h->w, .dst = h->dst, .dst_place_step = h->dst_place_step,
        .dst_row_step = h->dst_row_step, .relu = true, .ahead = h->ahead
    };
    run_pairs(block_type_bf16(), &conv, fill_hinged, h);
}
