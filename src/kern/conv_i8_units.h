/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_I8_UNITS_H
#define CXN_KERN_CONV_I8_UNITS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For rows whose tiles take a place's terms from one run, where windows of several rows overlap, as
 * the stem's do. What all rows of the map have within one step from a place to the next is put
 * together as a unit: row 0's numbers, row 1's, and so on, then what fills it up. A place's terms
 * are the units of its window, and the next place's begin one unit behind them, so that each number
 * is moved once, not once for each window that it is in.
 */
enum {
    CXN_CONV_I8_UNIT_MOST = 64, /* bytes; units of more are not made, */
    CXN_CONV_I8_UNITS_MOST = 8  /* nor more than so many for a window */
};

/* `count` of a window, 0 where terms lie as they do in the map. Of a unit's bytes `step` are of
 * each row; they are whole 16s so that fewer loads cross a line of the cache. */
struct cxn_conv_i8_units {
    size_t count, bytes, step;
};

/* For a window of tap_rows runs of `run` terms, with place_step from a place to the next; where
 * runs are whole rows of tiles, row_bytes, there is nothing to put together. */
static inline struct cxn_conv_i8_units cxn_conv_i8_units_of(size_t tap_rows, size_t run,
                                                            size_t place_step, size_t row_bytes)
{
    const struct cxn_conv_i8_units none = { 0, 0, 0 };
    if (place_step == 0 || run % place_step != 0 || run % row_bytes == 0) return none;
    const struct cxn_conv_i8_units units = { .count = run / place_step, .step = place_step,
                                             .bytes = (tap_rows * place_step + 15) / 16 * 16 };
    const bool overlaps = tap_rows > 1 && units.count > 1;
    const bool fits = units.bytes <= CXN_CONV_I8_UNIT_MOST && units.count <= CXN_CONV_I8_UNITS_MOST;
    return overlaps && fits ? units : none;
}

/* Where number i of a run of row `tap_row` is among the terms of a window in units. */
static inline size_t cxn_conv_i8_unit_term(const struct cxn_conv_i8_units *units, size_t tap_row,
                                           size_t i)
{
    return i / units->step * units->bytes + tap_row * units->step + i % units->step;
}

#endif
