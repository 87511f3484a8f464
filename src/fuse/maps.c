/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/maps.h"

#include "base/size.h"
#include "nn/plan.h"
#include "fuse/winograd.h"
#include "nn/steps.h"

/* Places of the map after so many halvings, `border` places around it included. */
static size_t count_places(const struct cxn_room *room, uint32_t halvings, size_t border)
{
    return (cxn_view_side(room->shorter, halvings) + 2 * border) *
           (cxn_view_side(room->longer, halvings) + 2 * border);
}

size_t cxn_band_rows(const struct cxn_packed *packed, const struct cxn_packed_block *block,
                     size_t height, size_t width)
{
    size_t rows = width < CXN_BAND_PLACES ? CXN_BAND_PLACES / width : 1;
    if (block->winograd) {
        const size_t tiles = packed->kernels.winograd_data->group / cxn_winograd_tiles(width);
        rows = (tiles > 0 ? tiles : 1) * CXN_WINOGRAD_TILE;
    }
    return rows < height ? rows : height;
}

size_t cxn_window_rows(const struct cxn_packed_block *block, size_t band)
{
    return block->winograd ? cxn_winograd_reach(band) : band + 2;
}

size_t cxn_window_columns(const struct cxn_packed_block *block, size_t width)
{
    return block->winograd ? cxn_winograd_reach(width) : width + 2;
}

/* To whole lines of the cache. */
static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t at_least(size_t least, size_t x)
{
    return x > least ? x : least;
}

/* A panel of the widest row and the most channels, one of hinges, a group of tiles, or three rows
 * of the stem with a zero at either end. */
static size_t count_scratch(const struct cxn_packed *f, size_t side)
{
    size_t most = 3 * (cxn_view_side(side, 1) + 2) * f->stem * f->kernels.panel_bytes;
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const size_t places = at_least(f->kernels.conv_places, cxn_view_side(side, 2 + b));
        const size_t step = cxn_panel_step(f, f->block[b].out);
        most = at_least(most, places * step * f->kernels.panel_bytes);
        if (f->kernels.hinge_conv)
            most = at_least(most, f->kernels.hinge_conv->places *
                                      cxn_hinge_conv_step(f->block[b].out) * sizeof(uint16_t));
        if (f->kernels.hinge_conv_i8)
            most = at_least(most, f->kernels.hinge_conv_i8->places *
                                      cxn_hinge_conv_i8_step(f->block[b].out));
        if (f->block[b].winograd)
            most = at_least(most, cxn_winograd_scratch_count(&f->kernels, f->middle, f->growth) *
                                      sizeof(float));
    }
    return most;
}

static size_t window_places(const struct cxn_packed_block *block, size_t band, size_t width)
{
    return cxn_window_rows(block, band) * cxn_window_columns(block, width);
}

/* Bytes of the largest window: of all widths, for a narrow view has more rows a band. Once a band
 * has no more rows than that of the longest side, no window is larger than that side's. */
static size_t count_window(const struct cxn_packed *f, size_t side)
{
    size_t most = 0;
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const struct cxn_packed_block *block = &f->block[b];
        const size_t longest = cxn_view_side(side, 2 + b);
        const size_t least = cxn_band_rows(f, block, longest, longest);
        most = at_least(most, window_places(block, least, longest));
        for (size_t width = 1, band; width < longest; width++) {
            band = cxn_band_rows(f, block, longest, width);
            if (band == least) break;
            most = at_least(most, window_places(block, band, width));
        }
    }
    return most * f->middle * f->kernels.panel_bytes;
}

/* A row of the stem's maxima, a band of a 3x3, or a panel of a transition. */
static size_t count_rounding(const struct cxn_packed *f, size_t side)
{
    const size_t width = cxn_view_side(side, 2);
    size_t most = at_least(width * f->stem, at_least(CXN_BAND_PLACES, width) * f->growth);
    for (uint32_t b = 1; b < CXN_NET_BLOCKS; b++)
        most = at_least(most, at_least(f->kernels.conv_places, cxn_view_side(side, 2 + b)) *
                                  f->block[b].in);
    return f->kernels.round ? most * sizeof(float) : 0;
}

enum { STAGE_STEM = 0, SAMPLE_PLANES = 4, STEM_BORDER = 3 };

/* Block b is computed in stage 1 + 2b; the stage behind it is its transition, or the head. */
static size_t stage_of(size_t block)
{
    return 1 + 2 * block;
}

/* Whether no product below wraps: each is less than the pixels, borders included, times this. */
static bool sizes_fit(const struct cxn_packed *f, const struct cxn_room *room)
{
    const size_t channels = f->block[CXN_NET_BLOCKS - 1].out + f->middle + f->stem + SAMPLE_PLANES;
    const size_t panel = f->kernels.conv_places;
    size_t bytes;
    return cxn_size_product((const size_t[]){ room->shorter + panel, room->longer + panel, channels,
                                              2 * sizeof(float) }, 4, &bytes);
}

bool cxn_maps_plan(struct cxn_maps_plan *plan, const struct cxn_packed *f,
                   const struct cxn_room *room)
{
    struct cxn_plan_buffer buffers[2 + CXN_NET_BLOCKS];
    size_t n = 0;
    if (!sizes_fit(f, room)) return false;
    buffers[n++] = (struct cxn_plan_buffer){ /* with room for columns added on the right */
        .bytes = count_places(room, 0, STEM_BORDER + 1) * SAMPLE_PLANES * f->kernels.stem_copies *
                 f->kernels.panel_bytes,
        .first = STAGE_STEM, .last = STAGE_STEM
    };
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const size_t stage = stage_of(b);
        buffers[n++] = (struct cxn_plan_buffer){
            .bytes = count_places(room, 2 + b, 0) * f->block[b].out * f->kernels.map_bytes,
            .first = stage - 1, .last = stage + 1
        };
    }
    const uint32_t last = CXN_NET_BLOCKS - 1;
    const size_t head_places = f->kernels.sums_u8 ? 1 : count_places(room, 2 + last, 0);
    buffers[n++] = (struct cxn_plan_buffer){
        .bytes = head_places * f->block[last].out * sizeof(float),
        .first = stage_of(last) + 1, .last = stage_of(last) + 1
    };
    if (!cxn_plan(buffers, n, &plan->view_bytes)) return false;
    plan->samples = buffers[0].offset;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) plan->block[b] = buffers[1 + b].offset;
    plan->head = buffers[n - 1].offset;
    plan->rounding = round_up(count_scratch(f, room->longer));
    plan->window = plan->rounding + round_up(count_rounding(f, room->longer));
    plan->scratch_bytes = plan->window + round_up(count_window(f, room->longer));
    return true;
}
