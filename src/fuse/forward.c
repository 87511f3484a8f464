/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/forward.h"

#include <string.h>

#include "fuse/winograd.h"
#include "kern/linear_f32.h"
#include "kern/sigmoid_f32.h"
#include "nn/steps.h"
#include "nn/view.h"

enum { STEM_BORDER = 3, STEM_KERNEL = 7 };

struct rows {
    size_t first, last;
};

/* The member's share of `count` rows. */
static struct rows share_of(const struct cxn_forward *run, size_t count)
{
    return (struct rows){ count * run->member / run->team, count * (run->member + 1) / run->team };
}

static void meet(const struct cxn_forward *run)
{
    cxn_barrier_wait(run->barrier, run->team);
}

/* What was done since the last such call; costs one comparison where nobody watches. */
static void tell(const struct cxn_forward *run, struct cxn_watched done)
{
    if (run->watch) cxn_watch_tell(run->watch, &done);
}

/* Number i of a block's map. */
static uint8_t *map_at(const struct cxn_forward *run, uint8_t *map, size_t i)
{
    return map + i * run->packed->kernels.map_bytes;
}

/* Number i of a panel, or of what lies between two convolutions. */
static uint8_t *panel_at(const struct cxn_forward *run, uint8_t *panel, size_t i)
{
    return panel + i * run->packed->kernels.panel_bytes;
}

/* Places of a map that an operation is about to write, `channels` numbers of each. */
struct output {
    uint8_t *map;
    size_t map_step, channels;
    uint8_t *dst; /* where it writes: there, or float32 beside it */
    size_t step;
};

/* For an operation whose own numbers have so many bytes. */
static struct output begin_output(const struct cxn_forward *run, uint8_t *map, size_t map_step,
                                  size_t channels, size_t number_bytes)
{
    struct output out = { map, map_step, channels, map, map_step };
    if (number_bytes == run->packed->kernels.map_bytes) return out;
    out.dst = run->scratch + run->plan->rounding;
    out.step = channels;
    return out;
}

/* Once these places are computed, the map has them. */
static void end_output(const struct cxn_forward *run, const struct output *out, size_t places)
{
    if (out->dst == out->map) return;
    const struct cxn_round_bf16 round = {
        .src = (const float *)(const void *)out->dst, .src_step = out->step,
        .dst = (uint16_t *)(void *)out->map, .dst_step = out->map_step,
        .count = places, .channels = out->channels
    };
    run->packed->kernels.round->run(&round);
}

/* A map with zeros around it: [border + height + below][border + width + right][channels]. */
struct bordered {
    uint8_t *map;
    size_t height, width, channels, border, below, right, number_bytes;
};

/* Numbers of a row. */
static size_t pitch_of(const struct bordered *b)
{
    return (b->border + b->width + b->right) * b->channels;
}

/* Row y of the inside, from its border on the left; y may be in the border above (wraps). */
static uint8_t *bordered_row(const struct bordered *b, size_t y)
{
    return b->map + (y + b->border) * pitch_of(b) * b->number_bytes;
}

/* Its first place inside. */
static uint8_t *bordered_begin(const struct bordered *b, size_t y)
{
    return bordered_row(b, y) + b->border * b->channels * b->number_bytes;
}

/* Zero what is left and right of these rows, and above or below the first and the last of all. */
static void clear_border(const struct bordered *b, struct rows rows)
{
    const size_t row = pitch_of(b) * b->number_bytes;
    const size_t left = b->border * b->channels * b->number_bytes;
    const size_t right = b->right * b->channels * b->number_bytes;
    if (rows.first == rows.last) return; /* more threads than rows: others have the edges */
    if (rows.first == 0) memset(b->map, 0, b->border * row);
    if (rows.last == b->height) memset(bordered_row(b, b->height), 0, b->below * row);
    for (size_t y = rows.first; y < rows.last; y++) {
        memset(bordered_row(b, y), 0, left);
        memset(bordered_row(b, y) + row - right, 0, right);
    }
}

/* ---- stem --------------------------------------------------------------------------------- */

static void write_samples(const struct cxn_forward *run, const struct cxn_view *v,
                          const struct bordered *planes)
{
    const struct cxn_picture *p = v->picture;
    const struct rows rows = share_of(run, v->height);
    const size_t copies = run->packed->kernels.stem_copies;
    const struct cxn_samples samples = {
        .src = p->pixels + (v->y + rows.first) * p->stride_bytes + (size_t)v->x * p->channels,
        .stride_bytes = p->stride_bytes, .width = v->width, .height = rows.last - rows.first,
        .channels = p->channels, .taken = planes->channels / copies - 1, .copies = copies,
        .mirror = v->mirror, .dst = bordered_begin(planes, rows.first),
        .dst_row_step = pitch_of(planes)
    };
    clear_border(planes, rows);
    run->packed->kernels.samples->run(&samples);
    tell(run, (struct cxn_watched){ "samples", v->height, v->width, 0, 0 });
}

/* Row y of the 7x7 convolution into its place among three; a zero stands on either side of it,
 * which never wins over what ReLU leaves. */
static const uint8_t *stem_row(const struct cxn_forward *run, const struct bordered *planes,
                               size_t y)
{
    const struct cxn_packed *f = run->packed;
    const size_t pitch = pitch_of(planes), width = cxn_view_side(planes->width, 1);
    const size_t place_bytes = f->stem * f->kernels.panel_bytes;
    uint8_t *row = run->scratch + y % 3 * (width + 2) * place_bytes;
    const struct cxn_conv_bordered conv = {
        .src = panel_at(run, planes->map, 2 * y * pitch), .place_step = 2 * planes->channels,
        .tap_row_step = pitch, .tap_rows = STEM_KERNEL,
        .run = f->kernels.stem_columns * planes->channels,
        .height = 1, .width = width, .out = f->stem,
        .w = planes->channels == 2 * f->kernels.stem_copies ? f->stem_grey : f->stem_colour,
        .dst = row + place_bytes, .dst_place_step = f->stem, .relu = true
    };
    memset(row, 0, place_bytes);
    memset(row + (width + 1) * place_bytes, 0, place_bytes);
    f->kernels.conv->run(&conv);
    return row;
}

/* So many rows of the 7x7, which the network applies to three channels. */
static void tell_stem(const struct cxn_forward *run, const struct cxn_view *v, size_t rows)
{
    const size_t width = cxn_view_side(v->width, 1), out = run->packed->stem;
    tell(run, (struct cxn_watched){ "conv 7x7", cxn_view_side(v->height, 1), width, out,
                                    (double)(rows * width) * 3 * STEM_KERNEL * STEM_KERNEL *
                                        (double)out });
}

/* The 7x7 with its ReLU, and the maximum of 3x3 of it, into the first block's map. */
static void compute_stem(const struct cxn_forward *run, const struct cxn_view *v)
{
    const struct cxn_packed *f = run->packed;
    const size_t channels = cxn_view_is_grey(v) ? 2 : 4;
    const struct bordered planes = { run->maps + run->plan->samples, v->height, v->width,
                                     channels * f->kernels.stem_copies, STEM_BORDER, STEM_BORDER,
                                     STEM_BORDER + f->kernels.stem_columns - STEM_KERNEL,
                                     f->kernels.panel_bytes };
    write_samples(run, v, &planes);
    meet(run);
    const size_t height = cxn_view_side(v->height, 1);
    const struct rows rows = share_of(run, cxn_view_side(v->height, 2));
    const size_t width = cxn_view_side(v->width, 2), step = f->block[0].out;
    const uint8_t *above = rows.first > 0 && rows.first < rows.last ?
                           stem_row(run, &planes, 2 * rows.first - 1) : NULL;
    for (size_t y = rows.first; y < rows.last; y++) {
        const uint8_t *upper = stem_row(run, &planes, 2 * y);
        const uint8_t *lower = 2 * y + 1 < height ? stem_row(run, &planes, 2 * y + 1) : upper;
        tell_stem(run, v, lower == upper ? 1 : 2);
        const struct output out = begin_output(
            run, map_at(run, run->maps + run->plan->block[0], y * width * step), step, f->stem,
            f->kernels.panel_bytes);
        const struct cxn_max_pool_row pool = {
            .src = { above ? above : upper, upper, lower }, .dst = out.dst, .dst_step = out.step,
            .count = width, .channels = f->stem
        };
        f->kernels.max_pool_row->run(&pool);
        end_output(run, &out, width);
        tell(run, (struct cxn_watched){ "max pool", height, cxn_view_side(v->width, 1), 0, 0 });
        above = lower;
    }
}

/* ---- dense block -------------------------------------------------------------------------- */

/* A block's map, [height][width][step]. */
struct map {
    uint8_t *numbers;
    size_t height, width, step;
};

static struct map block_map(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    return (struct map){ run->maps + run->plan->block[b], cxn_view_side(v->height, 2 + b),
                         cxn_view_side(v->width, 2 + b), run->packed->block[b].out };
}

/* Rows that are normalised together. */
static size_t panel_rows(const struct cxn_forward *run, size_t width)
{
    const size_t places = run->packed->kernels.conv->places;
    return width < places ? places / width : 1;
}

/* Zeros behind the channels of a panel's places, where a convolution takes more than there are. */
static void fill_panel(const struct cxn_forward *run, size_t places, size_t channels)
{
    const size_t terms = cxn_fuse_terms(&run->packed->kernels, channels);
    const size_t step = cxn_panel_step(run->packed, channels);
    if (terms == channels) return;
    for (size_t p = 0; p < places; p++)
        memset(panel_at(run, run->scratch, p * step + channels), 0,
               (terms - channels) * run->packed->kernels.panel_bytes);
}

/* norm1, ReLU and the 1x1 with norm2 and its ReLU, of these rows of the map. */
static void reduce_rows(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                        const struct map *map, const struct bordered *middle, struct rows rows)
{
    const size_t row = map->width * map->step, channels = layer->norm.channels;
    const size_t panel_step = cxn_panel_step(run->packed, channels);
    for (size_t y = rows.first, count; y < rows.last; y += count) {
        count = panel_rows(run, map->width);
        if (count > rows.last - y) count = rows.last - y;
        const struct cxn_norm_relu norm = {
            .src = map_at(run, map->numbers, y * row), .src_step = map->step,
            .dst = run->scratch, .dst_step = panel_step, .count = count * map->width,
            .channels = channels,
            .scale = layer->norm.scale, .shift = layer->norm.shift
        };
        const struct cxn_conv_bordered conv = {
            .src = run->scratch, .place_step = panel_step, .row_step = map->width * panel_step,
            .tap_rows = 1, .run = cxn_fuse_terms(&run->packed->kernels, channels), .height = count,
            .width = map->width, .out = middle->channels, .w = layer->reduce,
            .dst = bordered_begin(middle, y),
            .dst_place_step = middle->channels, .dst_row_step = pitch_of(middle), .relu = true
        };
        run->packed->kernels.norm_relu->run(&norm);
        fill_panel(run, norm.count, channels);
        tell(run, (struct cxn_watched){ "norm, ReLU", map->height, map->width, 0, 0 });
        run->packed->kernels.conv->run(&conv);
        tell(run, (struct cxn_watched){ "conv 1x1", map->height, map->width, conv.out,
                                        (double)(norm.count * channels * conv.out) });
    }
}

/* Rows of a 3x3 that are computed together. */
static size_t band_rows(size_t width)
{
    return width < CXN_BAND_PLACES ? CXN_BAND_PLACES / width : 1;
}

/* So many places of the 3x3. */
static void tell_grow(const struct cxn_forward *run, const struct map *map, double places)
{
    const size_t out = run->packed->growth;
    tell(run, (struct cxn_watched){ "conv 3x3", map->height, map->width, out,
                                    places * (double)(9 * run->packed->middle * out) });
}

/* The 3x3, behind the channels that are there: directly. */
static void grow_band(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                      const struct map *map, const struct bordered *middle, struct rows rows)
{
    const size_t pitch = pitch_of(middle), at = rows.first * map->width * map->step;
    const struct output out = begin_output(
        run, map_at(run, map->numbers, at + layer->norm.channels), map->step, run->packed->growth,
        run->packed->kernels.panel_bytes);
    const struct cxn_conv_bordered conv = {
        .src = panel_at(run, middle->map, rows.first * pitch), .place_step = middle->channels,
        .row_step = pitch, .tap_row_step = pitch, .tap_rows = 3, .run = 3 * middle->channels,
        .height = rows.last - rows.first, .width = map->width, .out = out.channels,
        .w = layer->grow,
        .dst = out.dst, .dst_place_step = out.step, .dst_row_step = map->width * out.step
    };
    run->packed->kernels.conv->run(&conv);
    end_output(run, &out, conv.height * conv.width);
    tell_grow(run, map, (double)(conv.height * conv.width));
}

static void grow_rows(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                      const struct map *map, const struct bordered *middle, struct rows rows)
{
    const size_t band = band_rows(map->width);
    for (size_t y = rows.first; y < rows.last; y += band)
        grow_band(run, layer, map, middle,
                  (struct rows){ y, y + band < rows.last ? y + band : rows.last });
}

static size_t count_tiles(const struct map *map)
{
    return cxn_winograd_tiles(map->height) * cxn_winograd_tiles(map->width);
}

/* The same by Winograd's tiles first..last - 1. */
static void grow_tiles(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                       const struct map *map, const struct bordered *middle, struct rows tiles)
{
    const struct cxn_winograd conv = {
        .kernels = &run->packed->kernels, .src = (const float *)(const void *)middle->map,
        .in = middle->channels, .src_row_step = pitch_of(middle), .w = layer->grow,
        .height = map->height, .width = map->width, .out = run->packed->growth,
        .dst = map_at(run, map->numbers, layer->norm.channels),
        .dst_place_step = map->step, .dst_row_step = map->width * map->step,
        .scratch = (float *)(void *)run->scratch
    };
    cxn_winograd_run(&conv, tiles.first, tiles.last);
    tell_grow(run, map, (double)(map->height * map->width) * (double)(tiles.last - tiles.first) /
                            (double)count_tiles(map));
}

/* Alone: a group of tiles after the other, so that the 3x3 finds what the 1x1 has just made. */
static void compute_tiles_alone(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                                const struct map *map, const struct bordered *middle)
{
    const size_t group = run->packed->kernels.winograd_data->group, count = count_tiles(map);
    size_t made = 0;
    for (struct rows tiles = { 0, 0 }; tiles.first < count; tiles.first = tiles.last) {
        tiles.last = tiles.first + group < count ? tiles.first + group : count;
        const size_t y = (tiles.last - 1) / cxn_winograd_tiles(map->width) * CXN_WINOGRAD_TILE;
        const size_t behind = y + CXN_WINOGRAD_TILE + 1; /* rows that the last window reaches */
        const size_t needed = behind < map->height ? behind : map->height;
        reduce_rows(run, layer, map, middle, (struct rows){ made, needed });
        grow_tiles(run, layer, map, middle, tiles);
        made = needed;
    }
}

/* Alone: bands of rows, for the same reason. */
static void compute_layer_alone(const struct cxn_forward *run, const struct cxn_packed_layer *layer,
                                const struct map *map, const struct bordered *middle)
{
    const size_t band = band_rows(map->width);
    size_t made = 0;
    for (struct rows rows = { 0, 0 }; rows.first < map->height; rows.first = rows.last) {
        rows.last = rows.first + band < map->height ? rows.first + band : map->height;
        const size_t needed = rows.last < map->height ? rows.last + 1 : map->height;
        reduce_rows(run, layer, map, middle, (struct rows){ made, needed });
        grow_band(run, layer, map, middle, rows);
        made = needed;
    }
}

/* Each member makes its rows of the 1x1, and then its rows or tiles of the 3x3. */
static void compute_layer_shared(const struct cxn_forward *run,
                                 const struct cxn_packed_block *block, size_t i,
                                 const struct map *map, const struct bordered *middle)
{
    const struct cxn_packed_layer *layer = &block->layers[i];
    const struct rows rows = share_of(run, map->height);
    reduce_rows(run, layer, map, middle, rows);
    meet(run);
    if (block->winograd) {
        grow_tiles(run, layer, map, middle, share_of(run, count_tiles(map)));
        meet(run); /* tiles are not the member's rows, which the next 1x1 reads */
    } else {
        grow_rows(run, layer, map, middle, rows);
    }
}

/* What the 1x1 of layer i leaves for its 3x3, in a border that reaches to the last tile's end. */
static struct bordered middle_map(const struct cxn_forward *run, uint32_t b, size_t i,
                                  const struct map *map)
{
    /* A team takes two buffers in turns: a neighbour may still read the other's edge. */
    const size_t turn = run->team > 1 ? i % 2 : 0;
    struct bordered middle = { run->maps + run->plan->middle[b][turn], map->height, map->width,
                               run->packed->middle, 1, 1, 1, run->packed->kernels.panel_bytes };
    if (run->packed->block[b].winograd) {
        middle.below = cxn_winograd_reach(map->height) - map->height - 1;
        middle.right = cxn_winograd_reach(map->width) - map->width - 1;
    }
    return middle;
}

static void compute_block(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    const struct cxn_packed_block *block = &run->packed->block[b];
    const struct map map = block_map(run, v, b);
    for (size_t i = 0; i < block->layer_count; i++) {
        const struct bordered middle = middle_map(run, b, i, &map);
        if (i < 2) clear_border(&middle, share_of(run, map.height));
        if (run->team > 1) compute_layer_shared(run, block, i, &map, &middle);
        else if (block->winograd) compute_tiles_alone(run, &block->layers[i], &map, &middle);
        else compute_layer_alone(run, &block->layers[i], &map, &middle);
    }
}

/* A share of the 1x1, which the network applies before it pools. */
static void tell_transition(const struct cxn_forward *run, const struct map *from,
                            const struct cxn_packed_block *block, double share)
{
    const size_t out = block->out / 2;
    tell(run, (struct cxn_watched){ "conv 1x1", from->height, from->width, out,
                                    share * (double)(from->height * from->width) *
                                        (double)(block->out * out) });
}

/* Norm, ReLU and the mean of 2x2 before the 1x1 to half the channels: into the next block's map. */
static void compute_transition(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    const struct cxn_packed_block *block = &run->packed->block[b];
    const struct map from = block_map(run, v, b), to = block_map(run, v, b + 1);
    const struct rows rows = share_of(run, to.height);
    const size_t panel_step = cxn_panel_step(run->packed, block->out), row = from.width * from.step;
    for (size_t y = rows.first, count; y < rows.last; y += count) {
        count = panel_rows(run, to.width);
        if (count > rows.last - y) count = rows.last - y;
        for (size_t i = 0; i < count; i++) {
            const struct cxn_norm_relu_pool pool = {
                .src = map_at(run, from.numbers, 2 * (y + i) * row), .src_step = from.step,
                .src_row_step = row,
                .dst = panel_at(run, run->scratch, i * to.width * panel_step),
                .dst_step = panel_step, .count = to.width, .channels = block->out,
                .scale = block->norm.scale, .shift = block->norm.shift
            };
            run->packed->kernels.norm_relu_pool->run(&pool);
        }
        fill_panel(run, count * to.width, block->out);
        tell(run, (struct cxn_watched){ "norm, ReLU, pool", from.height, from.width, 0, 0 });
        const struct output out = begin_output(
            run, map_at(run, to.numbers, y * to.width * to.step), to.step, block->out / 2,
            run->packed->kernels.panel_bytes);
        const struct cxn_conv_bordered conv = {
            .src = run->scratch, .place_step = panel_step, .row_step = to.width * panel_step,
            .tap_rows = 1, .run = cxn_fuse_terms(&run->packed->kernels, block->out),
            .height = count, .width = to.width, .out = out.channels, .w = block->halve,
            .dst = out.dst, .dst_place_step = out.step, .dst_row_step = to.width * out.step
        };
        run->packed->kernels.conv->run(&conv);
        end_output(run, &out, count * to.width);
        tell_transition(run, &from, block, (double)count / (double)to.height);
    }
}

/* ---- head --------------------------------------------------------------------------------- */

static void compute_head(const struct cxn_forward *run, const struct cxn_view *v, float *prob)
{
    const struct cxn_packed *f = run->packed;
    const struct cxn_packed_block *last = &f->block[CXN_NET_BLOCKS - 1];
    const struct map map = block_map(run, v, CXN_NET_BLOCKS - 1);
    const struct cxn_norm_relu norm = {
        .src = map.numbers, .src_step = map.step, .dst = run->maps + run->plan->head,
        .dst_step = last->out, .count = map.height * map.width, .channels = last->out,
        .scale = last->norm.scale, .shift = last->norm.shift
    };
    float *mean = (float *)(void *)run->scratch;
    f->kernels.head_norm_relu->run(&norm);
    tell(run, (struct cxn_watched){ "norm, ReLU", map.height, map.width, 0, 0 });
    f->kernels.mean->run(mean, norm.dst, norm.count, last->out);
    tell(run, (struct cxn_watched){ "mean", map.height, map.width, 0, 0 });
    cxn_linear_f32_pick(run->cpu)->run(prob, mean, f->head_w, f->head_bias, f->classes, last->out);
    cxn_sigmoid_f32_pick(run->cpu)->run(prob, prob, f->classes);
    tell(run, (struct cxn_watched){ "head", map.height, map.width, 0, 0 });
}

void cxn_forward(const struct cxn_forward *run, const struct cxn_view *view, float *prob)
{
    compute_stem(run, view);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        meet(run);
        compute_block(run, view, b);
        meet(run);
        if (b + 1 < CXN_NET_BLOCKS) compute_transition(run, view, b);
        else if (run->member == 0) compute_head(run, view, prob);
    }
    meet(run); /* the arena is free for the next view */
}
