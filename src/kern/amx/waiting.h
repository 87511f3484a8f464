/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_WAITING_H
#define CXN_KERN_AMX_WAITING_H

#include "kern/amx/block_type.h"

/*
 * The sums of a block wait, and are made outputs of between the products of the next one, some
 * places after each: a product keeps the tiles busy for 16 cycles and the vectors' ports for one.
 * Behind all products of a block the vectors would wait for the last of them, and the next block's
 * tiles for the vectors.
 */
struct waiting {
    place_sums *sums;          /* of one block; the next one's take their place */
    size_t next, row_end, end; /* in bytes of them: the next place, the end of its row, of all */
    char *dst;                 /* of the next place */
    struct ending ending;
    /* of the call */
    size_t row, between;      /* bytes of sums: of a map's row, of what is not stored behind it */
    size_t step;              /* of dst: from a place to the next, */
    ptrdiff_t dst_between;    /* from behind a row to the next, less than 0 where they are close */
    size_t share;             /* twos of places after each product */
};

/* For blocks of two tiles of places that take so many products; from a row of the map to the next
 * there are `line` places. A block of one tile has half of both. */
TILE_INLINE struct waiting begin_waiting(struct block_type type, const struct cxn_conv_bordered *c,
                                         size_t line, size_t products, place_sums *sums)
{
    enum { TWOS = 2 * PLACES / 2 };
    const size_t step = c->dst_place_step * type.number_bytes;
    return (struct waiting){ .sums = sums, .row = c->width * sizeof *sums,
                             .between = (line - c->width) * sizeof *sums, .step = step,
                             .dst_between = (ptrdiff_t)(c->dst_row_step * type.number_bytes) -
                                            (ptrdiff_t)(c->width * step),
                             .share = (TWOS + products - 1) / products };
}

/* Two places, or the row's last one; where the row ends, to the next one. */
TILE_INLINE void store_two(struct block_type type, struct waiting *w)
{
    const char *sums = (const char *)w->sums;
    const bool last = w->next + sizeof *w->sums == w->row_end;
    const size_t second = last ? w->next : w->next + sizeof *w->sums;
    char *second_dst = last ? w->dst : w->dst + w->step;
    type.store(&w->ending, (struct target){ sums + w->next, w->dst },
               (struct target){ sums + second, second_dst });
    w->next = second + sizeof *w->sums;
    w->dst = second_dst + w->step;
    if (__builtin_expect(w->next < w->row_end, true)) return;
    w->next += w->between;
    if (w->next >= w->end) return;
    w->dst += w->dst_between;
    w->row_end = w->next + w->row < w->end ? w->next + w->row : w->end;
}

TILE_INLINE void store_share(struct block_type type, struct waiting *w)
{
    for (size_t i = w->share; i > 0 && w->next < w->end; i--) store_two(type, w);
}

TILE_INLINE void store_rest(struct block_type type, struct waiting *w)
{
    while (w->next < w->end) store_two(type, w);
}

/* The sums are those of `count` places from number `first` of a strip on, whose place 0 goes to
 * dst; none is waiting. */
TILE_INLINE void put_waiting(struct waiting *w, struct ending ending, size_t first, size_t count,
                             char *dst)
{
    const size_t place = sizeof *w->sums, line = (w->row + w->between) / place;
    const size_t row = first / line, at = first % line * place;
    const size_t skip = at < w->row ? 0 : w->row + w->between - at; /* begins between two rows */
    const size_t left = skip > 0 ? w->row : w->row - at;
    const size_t x = skip > 0 ? 0 : at / place;
    w->ending = ending;
    w->end = count * place;
    w->next = skip;
    w->row_end = skip + left < w->end ? skip + left : w->end;
    w->dst = dst + (row + (skip > 0)) * (w->row / place * w->step + (size_t)w->dst_between) +
             x * w->step;
}

#endif
