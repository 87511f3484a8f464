/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WGRAD_STRIPS_H
#define CXN_KERN_WGRAD_STRIPS_H

#include "kern/pairs_bf16.h"
#include "kern/wgrad.h"

/*
 * How wgrad_bf16 lays out what it reads, so that places are the terms of its sums: src turned to
 * one strip of places a channel, grad to pairs of places (kern/pairs_bf16.h).
 *
 * A range is a run of places that both have at the same distances: a whole map where its rows are
 * as many places apart in src as in grad, else one row. Places between two rows are zeros of grad.
 * A tap is then the same strips at another place: of the window's columns where the run is whole
 * places, and of its rows where they are rows of the map; else there are strips for each row.
 */
struct cxn_wgrad_strips {
    size_t channels, columns; /* the run as strips times places along the row */
    size_t rows, ranges;      /* of grad in a range; ranges in all */
    size_t line;              /* places from a row to the next */
    size_t taps, tap_shift;   /* sets of strips; places between tap rows where there is one set */
    size_t grad_places, src_places; /* of a range */
    size_t length;                  /* grad_places and zeros to a multiple of CXN_STRIP_PLACES */
    /* In numbers of the scratch, which begins with the strips [range][taps][channels]. */
    size_t strip_step, pairs, block_step, range_pairs;
    size_t scratch_bytes;
};

enum { CXN_STRIP_PLACES = 32, CXN_STRIP_LINE = 32 }; /* LINE: numbers of a cache line */

/* A multiple of a cache line, and an odd one: strips that are powers of two apart would share few
 * lines of the cache. */
static inline size_t cxn_wgrad_odd_lines(size_t numbers)
{
    return ((numbers + CXN_STRIP_LINE - 1) / CXN_STRIP_LINE | 1) * CXN_STRIP_LINE;
}

static inline struct cxn_wgrad_strips cxn_wgrad_strips(const struct cxn_wgrad *w)
{
    struct cxn_wgrad_strips s = { .channels = w->run, .columns = 1, .rows = w->height,
                                  .ranges = w->maps, .taps = 1, .line = w->width };
    if (w->run > w->place_step && w->run % w->place_step == 0 &&
        w->place_step >= CXN_PAIRS_CHANNELS) {
        s.channels = w->place_step;
        s.columns = w->run / w->place_step;
    }
    if (w->height > 1) {
        s.line = w->row_step / w->place_step;
        if (w->row_step % w->place_step != 0 || w->grad_row_step != s.line * w->grad_place_step) {
            s.rows = 1;
            s.ranges = w->maps * w->height;
        }
    }
    if (w->tap_rows > 1) {
        const bool are_rows = w->tap_row_step % w->place_step == 0 &&
                              (s.rows == 1 || w->tap_row_step == w->row_step);
        if (are_rows) s.line = s.tap_shift = w->tap_row_step / w->place_step;
        else s.taps = w->tap_rows;
    }
    s.grad_places = (s.rows - 1) * s.line + w->width;
    s.src_places = s.grad_places + (w->tap_rows - 1) * s.tap_shift + s.columns - 1;
    s.length = (s.grad_places + CXN_STRIP_PLACES - 1) / CXN_STRIP_PLACES * CXN_STRIP_PLACES;
    s.strip_step = cxn_wgrad_odd_lines(s.src_places + s.length - s.grad_places);
    s.pairs = s.ranges * s.taps * s.channels * s.strip_step;
    s.range_pairs = s.length * CXN_PAIRS_CHANNELS;
    s.block_step = cxn_wgrad_odd_lines(s.ranges * s.range_pairs);
    const size_t blocks = (w->out + CXN_PAIRS_CHANNELS - 1) / CXN_PAIRS_CHANNELS;
    s.scratch_bytes = (s.pairs + blocks * s.block_step) * sizeof(uint16_t);
    return s;
}

#endif
