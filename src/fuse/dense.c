/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/parts.h"
#include "fuse/winograd.h"

/*
 * A layer goes down its map in bands. What the 1x1 leaves for the 3x3 is a window of the band's
 * rows and one more on either side, which stays in cache; its last two rows are the next band's
 * first. A member of a team begins with the row above its own, which the neighbour computes too.
 */

/* What is zero of an empty window whose first band begins with row window->first of the map: the
 * columns of its border, and the row above the map. */
static void clear_window(const struct bordered *window, size_t rows)
{
    const size_t row = pitch_of(window) * window->number_bytes;
    const size_t left = window->border * window->channels * window->number_bytes;
    const size_t right = window->right * window->channels * window->number_bytes;
    for (size_t y = 0; y < rows; y++) {
        memset(window->map + y * row, 0, left);
        memset(window->map + (y + 1) * row - right, 0, right);
    }
    if (window->first == 0) memset(window->map, 0, row);
}

static void tell_reduce(const struct cxn_forward *run, const struct map *map, size_t channels,
                        size_t out, size_t rows)
{
    tell(run, (struct cxn_watched){ "conv 1x1", map->height, map->width, out,
                                    (double)(rows * map->width * channels * out) });
}

/* norm1, ReLU and the 1x1 with norm2 and its ReLU, of these rows of the map. */
static void reduce_rows(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                        const struct map *map, const struct bordered *window, struct rows rows)
{
    const size_t row = map->width * map->step, channels = layer->norm.channels;
    const size_t panel_step = cxn_panel_step(run->packed, channels);
    for (size_t y = rows.first, count; y < rows.last; y += count) {
        count = panel_rows(run, map->width, rows.last - y);
        const struct cxn_norm_relu norm = {
            .src = map_at(run, map->numbers, y * row), .src_step = map->step,
            .dst = run->scratch, .dst_step = panel_step, .count = count * map->width,
            .channels = channels,
            .scale = layer->norm.scale, .shift = layer->norm.shift
        };
        const struct cxn_conv_bordered conv = {
            .src = run->scratch, .place_step = panel_step, .row_step = map->width * panel_step,
            .tap_rows = 1, .run = cxn_fuse_terms(&run->packed->kernels, channels), .height = count,
            .width = map->width, .out = window->channels, .w = layer->reduce.w,
            .dst = bordered_begin(window, y),
            .dst_place_step = window->channels, .dst_row_step = pitch_of(window), .relu = true
        };
        run->packed->kernels.norm_relu->run(&norm);
        fill_panel(run, norm.count, channels);
        tell(run, (struct cxn_watched){ "norm, ReLU", map->height, map->width, 0, 0 });
        run->packed->kernels.run_conv(&conv);
        tell_reduce(run, map, channels, conv.out, count);
    }
}

/* The same where the norm is hinges before the 1x1 and the rest in its weights. Hinges may hide a
 * NaN of the map; the transition and the head read all of its channels by norms that keep it. */
static void reduce_hinged(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                          const struct map *map, const struct bordered *window, struct rows rows,
                          struct cxn_ahead ahead)
{
    const size_t row = map->width * map->step;
    const struct cxn_hinge_conv conv = {
        .src = (const uint16_t *)(const void *)map_at(run, map->numbers, rows.first * row),
        .src_step = map->step, .channels = layer->norm.channels, .knot = layer->norm.hinge.knot,
        .turn = layer->norm.hinge.turn, .height = rows.last - rows.first, .width = map->width,
        .out = window->channels, .w = layer->reduce.w, .panel = (uint16_t *)(void *)run->scratch,
        .dst = (uint16_t *)(void *)bordered_begin(window, rows.first),
        .dst_place_step = window->channels, .dst_row_step = pitch_of(window),
        .ahead = ahead
    };
    if (conv.height == 0) return;
    run->packed->kernels.hinge_conv->run(&conv);
    tell_reduce(run, map, conv.channels, conv.out, conv.height);
}

/* The same of bytes, whose hinges hide nothing. */
static void reduce_bytes(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                         const struct map *map, const struct bordered *window, struct rows rows,
                         struct cxn_ahead ahead)
{
    const struct cxn_hinge_conv_i8 conv = {
        .src = map->numbers + rows.first * map->width * map->step, .src_step = map->step,
        .channels = layer->norm.channels, .flip = layer->norm.byte_hinge.flip,
        .knot = layer->norm.byte_hinge.knot, .height = rows.last - rows.first,
        .width = map->width, .out = window->channels, .w = layer->reduce.w,
        .two_parts = layer->reduce.two_parts, .bounded = layer->reduce.bounded,
        .panel = run->scratch,
        .dst = bordered_begin(window, rows.first), .dst_place_step = window->channels,
        .dst_row_step = pitch_of(window), .ahead = ahead
    };
    if (conv.height == 0) return;
    run->packed->kernels.hinge_conv_i8->run(&conv);
    tell_reduce(run, map, conv.channels, conv.out, conv.height);
}

/* What these rows of a window hold. */
static void show_rows(const struct cxn_forward *run, const struct cxn_packed_block *block,
                      const struct cxn_packed_layer *layer, const struct bordered *window,
                      struct rows rows)
{
    const uint32_t b = (uint32_t)(block - run->packed->block);
    for (size_t y = rows.first; y < rows.last; y++)
        run->observer->bottleneck(run->observer->ctx, b, (size_t)(layer - block->layers),
                                  (const float *)(const void *)bordered_begin(window, y),
                                  window->width);
}

/* So many places of the 3x3. */
static void tell_grow(const struct cxn_forward *run, const struct map *map, double places)
{
    const size_t out = run->packed->growth;
    tell(run, (struct cxn_watched){ "conv 3x3", map->height, map->width, out,
                                    places * (double)(9 * run->packed->middle * out) });
}

/* The 3x3 of these rows, behind the channels that are there: directly. */
static void grow_band(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                      const struct map *map, const struct bordered *window, struct rows rows,
                      struct cxn_ahead ahead)
{
    const size_t pitch = pitch_of(window), at = rows.first * map->width * map->step;
    const struct output out = begin_output(
        run, map_at(run, map->numbers, at + layer->norm.channels), map->step, run->packed->growth,
        run->packed->kernels.panel_bytes);
    const struct cxn_conv_bordered conv = {
        .src = window->map, .place_step = window->channels, .row_step = pitch,
        .tap_row_step = pitch, .tap_rows = 3, .run = 3 * window->channels,
        .height = rows.last - rows.first, .width = map->width, .out = out.channels,
        .w = layer->grow.w, .two_parts = layer->grow.two_parts,
        .bounded = layer->grow.bounded,
        .dst = out.dst, .dst_place_step = out.step, .dst_row_step = map->width * out.step,
        .ahead = ahead
    };
    run->packed->kernels.run_conv(&conv);
    end_output(run, &out, conv.height * conv.width);
}

/* The same by Winograd's tiles. */
static void grow_tiles(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                       const struct map *map, const struct bordered *window, struct rows rows)
{
    const struct cxn_winograd conv = {
        .kernels = &run->packed->kernels, .src = (const float *)(const void *)window->map,
        .in = window->channels, .src_row_step = pitch_of(window), .w = layer->grow.w,
        .height = rows.last - rows.first, .width = map->width, .out = run->packed->growth,
        .dst = map_at(run, map->numbers,
                      rows.first * map->width * map->step + layer->norm.channels),
        .dst_place_step = map->step, .dst_row_step = map->width * map->step,
        .scratch = (float *)(void *)run->scratch
    };
    cxn_winograd_run(&conv, 0, cxn_winograd_tiles(conv.height) * cxn_winograd_tiles(conv.width));
}

/* What is read next is asked for once: by the first band's 1x1 for the 3x3 behind it, by the last
 * band's 3x3 for the next layer. The other bands ask for nothing. */
static struct cxn_ahead ahead_if(bool asks, struct cxn_ahead ahead)
{
    return asks ? ahead : (struct cxn_ahead){ ahead.first, 0 };
}

/* These rows of a layer, in bands of `band`; the window has room for them. */
static void compute_layer(const struct cxn_forward *run, const struct cxn_packed_block *block,
                          const struct cxn_packed_layer *layer, const struct map *map,
                          struct bordered window, struct rows share)
{
    const size_t band = cxn_band_rows(run->packed, block, map->height, map->width);
    const size_t window_rows = cxn_window_rows(block, band);
    const size_t row = pitch_of(&window) * window.number_bytes;
    window.first = share.first;
    clear_window(&window, window_rows);
    size_t made = share.first > 0 ? share.first - 1 : 0;
    for (struct rows rows = share; rows.first < share.last; rows.first = rows.last) {
        rows.last = rows.first + band < share.last ? rows.first + band : share.last;
        const size_t needed = rows.last < map->height ? rows.last + 1 : map->height;
        const struct rows next = { made, needed };
        const bool first = rows.first == share.first, last = rows.last == share.last;
        const struct cxn_ahead after_reduce = ahead_if(first, layer->after_reduce);
        const struct cxn_ahead after_grow = ahead_if(last, layer->after_grow);
        if (run->packed->kernels.hinge_conv)
            reduce_hinged(run, layer, map, &window, next, after_reduce);
        else if (run->packed->kernels.hinge_conv_i8)
            reduce_bytes(run, layer, map, &window, next, after_reduce);
        else reduce_rows(run, layer, map, &window, next);
        if (run->observer) show_rows(run, block, layer, &window, next);
        if (needed == map->height) /* what is below the map */
            memset(bordered_row(&window, needed), 0,
                   (window_rows + window.first - needed - 1) * row);
        if (block->winograd) grow_tiles(run, layer, map, &window, rows);
        else grow_band(run, layer, map, &window, rows, after_grow);
        tell_grow(run, map, (double)((rows.last - rows.first) * map->width));
        made = needed;
        memmove(window.map, bordered_row(&window, rows.last - 1), 2 * row);
        window.first = rows.last;
    }
}

/* The member's share of a block's rows: whole rows of tiles where it computes in tiles. */
static struct rows share_of_block(const struct cxn_forward *run,
                                  const struct cxn_packed_block *block, size_t height)
{
    if (!block->winograd) return share_of(run, height);
    const struct rows tiles = share_of(run, cxn_winograd_tiles(height));
    const size_t last = tiles.last * CXN_WINOGRAD_TILE;
    return (struct rows){ tiles.first * CXN_WINOGRAD_TILE, last < height ? last : height };
}

void cxn_forward_block(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    const struct cxn_packed_block *block = &run->packed->block[b];
    const struct map map = block_map(run, v, b);
    const struct rows share = share_of_block(run, block, map.height);
    const struct bordered window = {
        .map = run->scratch + run->plan->window, .height = map.height, .width = map.width,
        .channels = run->packed->middle, .border = 1,
        .right = cxn_window_columns(block, map.width) - map.width - 1,
        .number_bytes = run->packed->kernels.panel_bytes
    };
    for (size_t i = 0; i < block->layer_count; i++) {
        compute_layer(run, block, &block->layers[i], &map, window, share);
        if (i + 1 < block->layer_count) meet(run); /* the next 1x1 reads a neighbour's rows */
    }
}
