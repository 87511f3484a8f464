/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include <string.h>

#include "kern/amx/blocks_i8.h"
#include "kern/amx/pairs.h"
#include "kern/amx/strips.h"

/* A place's terms that are put together once for all outputs, as the stem's are: an odd number of
 * lines of the cache, so that places do not share its sets. */
enum { GATHERED_BYTES = 5 * ROW_BYTES };

struct gathered {
    const struct cxn_conv_bordered *conv;
    uint8_t (*panel)[GATHERED_BYTES]; /* zeros behind the terms */
};

TILE_INLINE void copy_runs(const struct cxn_conv_bordered *c, size_t rows, size_t run,
                           size_t piece, const uint8_t *src, uint8_t *to)
{
#pragma GCC unroll 8
    for (size_t t = 0; t < rows; t++, src += c->tap_row_step)
        for (size_t i = 0; i < run; i += piece, to += piece) memcpy(to, src + i, piece);
}

static void fill_gathered(const void *terms, size_t first, size_t places)
{
    const struct gathered *g = terms;
    const struct cxn_conv_bordered *c = g->conv;
    for (size_t p = 0; p < places; p++) {
        const size_t y = (first + p) / c->width, x = (first + p) % c->width;
        const uint8_t *src = (const uint8_t *)c->src + y * c->row_step + x * c->place_step;
        /* The first is the stem on grey, whose numbers the compiler then knows. */
        if (c->run == 16 && c->tap_rows == 7) copy_runs(c, 7, 16, 16, src, g->panel[p]);
        else if (c->run % 16 == 0) copy_runs(c, c->tap_rows, c->run, 16, src, g->panel[p]);
        else copy_runs(c, c->tap_rows, c->run, 4, src, g->panel[p]);
    }
}

static void run_gathered(const struct cxn_conv_bordered *c)
{
    alignas(64) uint8_t panel[2 * PLACES][GATHERED_BYTES] = { 0 };
    const struct gathered gathered = { c, panel };
    struct cxn_conv_bordered conv = *c;
    conv.src = panel;
    conv.place_step = GATHERED_BYTES;
    conv.run = (c->tap_rows * c->run + ROW_BYTES - 1) / ROW_BYTES * ROW_BYTES;
    conv.tap_rows = 1;
    run_pairs(block_type_i8(c->two_parts), &conv, fill_gathered, &gathered);
}

void cxn_conv_bordered_i8_amx(const struct cxn_conv_bordered *c)
{
    if (c->run % ROW_BYTES != 0 && c->tap_rows * c->run <= GATHERED_BYTES) run_gathered(c);
    else run_strips(block_type_i8(c->two_parts), c);
}
