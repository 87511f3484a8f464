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
    place_sums *sums;   /* of one block; the next one's take their place */
    const char *next, *row_end, *end; /* in sums: the next place, the end of its row, of all */
    char *dst;          /* of the next one */
    struct ending ending;
    /* of the call */
    size_t width, gap;      /* sums of a row, and between two rows, where none is stored */
    size_t step, gap_bytes; /* of dst: from a place to the next, and from a row's end to the next */
    size_t share;           /* twos of places that are stored after a product */
};

/* For blocks of `products` products; from a row of the map to the next there are `line` places. */
TILE_INLINE struct waiting begin_waiting(struct block_type type, const struct cxn_conv_bordered *c,
                                         size_t line, size_t products, place_sums *sums)
{
    const size_t step = c->dst_place_step * type.number_bytes;
    return (struct waiting){ .sums = sums, .width = c->width * sizeof *sums,
                             .gap = (line - c->width) * sizeof *sums, .step = step,
                             .gap_bytes = c->dst_row_step * type.number_bytes - c->width * step,
                             .share = (PLACES + products - 1) / products };
}

TILE_INLINE void begin_row(struct waiting *w)
{
    w->row_end = w->next + w->width < w->end ? w->next + w->width : w->end;
}

/* Two places, or the row's last one, and to the next row where this one ends. */
TILE_INLINE void store_two(struct block_type type, struct waiting *w)
{
    const char *second = w->next + sizeof *w->sums;
    const bool last = second == w->row_end;
    const struct target one = { w->next, w->dst };
    const struct target two = { last ? w->next : second, w->dst + (last ? 0 : w->step) };
    type.store(&w->ending, one, two);
    w->next = two.sums + sizeof *w->sums;
    w->dst = two.dst + w->step;
    if (__builtin_expect(w->next < w->row_end, true)) return;
    w->next += w->gap;
    w->dst += w->gap_bytes;
    begin_row(w);
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
    const size_t place = sizeof *w->sums, line = (w->width + w->gap) / place;
    const size_t row = first / line, x = first % line, width = w->width / place;
    const bool between = x >= width;
    w->ending = ending;
    w->end = w->sums[count];
    w->next = w->sums[between ? line - x : 0];
    w->dst = dst + (row + between) * (width * w->step + w->gap_bytes) +
             (between ? 0 : x * w->step);
    begin_row(w);
    if (!between) w->row_end = width - x < count ? w->sums[width - x] : w->end;
}

#endif
