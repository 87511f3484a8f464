/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/hinge_conv_i8.h"

#include "kern/amx/blocks_i8.h"
#include "kern/amx/hinge_fill.h"
#include "kern/amx/pairs.h"
#include "kern/hinge_panels_i8.h"

TILE_INLINE __m512i hinge(__m512i x, __m512i flip, __m512i knot)
{
    return _mm512_subs_epu8(_mm512_xor_si512(x, flip), knot);
}

static void fill_hinged(const void *terms, size_t first, size_t places, size_t at)
{
    const struct cxn_hinge_conv_i8 *h = terms;
    const struct hinge_fill fill = { h->src + first * h->src_step, h->flip, h->knot, h->src_step,
                                     h->channels, h->panel, cxn_hinge_conv_i8_step(h->channels) };
    fill_hinges(&fill, at, places, hinge);
}

void cxn_hinge_conv_i8_amx(const struct cxn_hinge_conv_i8 *h)
{
    const struct cxn_conv_bordered conv = hinge_conv_i8_whole(h, CXN_CONV_I8_TERMS_AMX);
    if (h->bounded && !h->two_parts) run_pairs(block_type_i8_bounded(), &conv, fill_hinged, h);
    else run_pairs(block_type_i8(h->two_parts), &conv, fill_hinged, h);
}
