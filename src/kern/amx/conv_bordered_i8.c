/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include <string.h>

#include "kern/amx/blocks_i8.h"
#include "kern/amx/strips.h"
#include "kern/conv_i8_units.h"

enum { PIECE = 7 * PLACES }; /* places whose units are made at once: a row of the stem's */
enum { UNITS_BYTES = (PIECE + CXN_CONV_I8_UNITS_MOST) * CXN_CONV_I8_UNIT_MOST };

TILE_INLINE void copy_row(const uint8_t *src, size_t count, size_t step, uint8_t *to,
                          size_t unit_bytes)
{
    for (size_t i = 0; i < count; i++) memcpy(to + i * unit_bytes, src + i * step, step);
}

/* Units of these columns of the map, whose rows are row_step apart; steps of 4 and 8 are the
 * stem's, on grey and on colour. */
static void make_units(const uint8_t *src, size_t row_step, size_t rows, size_t count,
                       const struct cxn_conv_i8_units *units, uint8_t *to)
{
    const size_t step = units->step;
    for (size_t t = 0; t < rows; t++, src += row_step, to += step) {
        if (step == 4) copy_row(src, count, 4, to, units->bytes);
        else if (step == 8) copy_row(src, count, 8, to, units->bytes);
        else copy_row(src, count, step, to, units->bytes);
    }
}

static void run_piece(const struct cxn_conv_bordered *c)
{
    tile_finish_stores(c->src);
    if (c->two_parts && c->bounded) run_strips(block_type_i8_parts(), c);
    else run_strips(block_type_i8(c->two_parts), c);
}

/* What fills units up is zero. Behind the last unit may be those of a piece before: weights are
 * zero there. */
static void run_units(const struct cxn_conv_bordered *c, const struct cxn_conv_i8_units *units)
{
    alignas(64) uint8_t made[UNITS_BYTES] = { 0 };
    struct cxn_conv_bordered conv = *c;
    conv.src = made;
    conv.place_step = units->bytes;
    conv.tap_rows = conv.height = 1;
    conv.run = (units->count * units->bytes + ROW_BYTES - 1) / ROW_BYTES * ROW_BYTES;
    conv.ahead = (struct cxn_ahead){ c->w, 0 }; /* a row is too short to ask for anything */
    for (size_t y = 0; y < c->height; y++) {
        for (size_t x = 0; x < c->width; x += conv.width) {
            conv.width = c->width - x < PIECE ? c->width - x : PIECE;
            conv.dst = (uint8_t *)c->dst + y * c->dst_row_step + x * c->dst_place_step;
            make_units((const uint8_t *)c->src + y * c->row_step + x * c->place_step,
                       c->tap_row_step, c->tap_rows, conv.width - 1 + units->count, units, made);
            run_piece(&conv);
        }
    }
}

void cxn_conv_bordered_i8_amx(const struct cxn_conv_bordered *c)
{
    const struct cxn_conv_i8_units units = cxn_conv_i8_units_of(c->tap_rows, c->run,
                                                                c->place_step, ROW_BYTES);
    if (units.count > 0) run_units(c, &units);
    else if (c->bounded && !c->two_parts) run_strips(block_type_i8_bounded(), c);
    else run_strips(block_type_i8(c->two_parts), c);
}
