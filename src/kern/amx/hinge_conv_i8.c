/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_i8.h"

#include "kern/amx/blocks_i8.h"
#include "kern/amx/pairs.h"
#include "kern/hinge_panels_i8.h"

enum { HINGED_PLACES = 4 }; /* at a time: as many streams of the map */

/* With zeros behind the channels. */
static void fill_panel(const void *terms, size_t first, size_t places)
{
    const struct cxn_hinge_conv_i8 *h = terms;
    const size_t step = cxn_hinge_conv_i8_step(h->channels);
    for (size_t p = 0, count; p < places; p += count) {
        count = places - p < HINGED_PLACES ? places - p : HINGED_PLACES;
        for (size_t i = 0; i < h->channels; i += ROW_BYTES) {
            const size_t left = h->channels - i;
            const __mmask64 mask = left < ROW_BYTES ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
            const __m512i flip = _mm512_maskz_loadu_epi8(mask, h->flip + i);
            const __m512i knot = _mm512_maskz_loadu_epi8(mask, h->knot + i);
            const uint8_t *from = h->src + (first + p) * h->src_step + i;
            uint8_t *to = h->panel + p * step + i;
#pragma GCC unroll 4
            for (size_t k = 0; k < count; k++, from += h->src_step, to += step) {
                const __m512i x = _mm512_maskz_loadu_epi8(mask, from);
                _mm512_store_si512(to, _mm512_subs_epu8(_mm512_xor_si512(x, flip), knot));
            }
        }
    }
}

void cxn_hinge_conv_i8_amx(const struct cxn_hinge_conv_i8 *h)
{
    const struct cxn_conv_bordered conv = hinge_conv_i8_whole(h, ROW_BYTES);
    run_pairs(block_type_i8(h->two_parts), &conv, fill_panel, h);
}
