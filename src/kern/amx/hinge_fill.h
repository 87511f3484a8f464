/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_HINGE_FILL_H
#define CXN_KERN_AMX_HINGE_FILL_H

#include "kern/amx/blocks.h"

enum { HINGED_PLACES = 4 }; /* at a time: as many streams of the map */

/* Hinges of a vector's numbers by what their channels have. */
typedef __m512i hinge_fn(__m512i x, __m512i turn, __m512i knot);

struct hinge_fill {
    const void *src, *turn, *knot; /* src: of the first place that is wanted */
    size_t src_step, channels;     /* in bytes, as step is */
    void *panel;                   /* on 64 bytes, whole numbers of which step is */
    size_t step;
};

/* ROW_BYTES of `places` places from byte `at` on into the panel, with zeros behind the channels. */
TILE_INLINE void fill_hinges(const struct hinge_fill *f, size_t at, size_t places, hinge_fn *hinge)
{
    const size_t left = f->channels - at;
    const __mmask64 mask = left < ROW_BYTES ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
    const __m512i turn = _mm512_maskz_loadu_epi8(mask, (const char *)f->turn + at);
    const __m512i knot = _mm512_maskz_loadu_epi8(mask, (const char *)f->knot + at);
    const char *from = (const char *)f->src + at;
    char *to = (char *)f->panel + at;
    for (size_t p = 0, count; p < places; p += count) {
        count = places - p < HINGED_PLACES ? places - p : HINGED_PLACES;
#pragma GCC unroll 4
        for (size_t k = 0; k < count; k++, from += f->src_step, to += f->step)
            _mm512_store_si512(to, hinge(_mm512_maskz_loadu_epi8(mask, from), turn, knot));
    }
}

#endif
