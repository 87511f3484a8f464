/* SPDX-License-Identifier: Apache-2.0 */
/* Dense blocks and transitions, from the stem's map to the features. */
#include <string.h>

#include "nn/train_cpu.h"

static void add_sums(const struct cxn_train_piece *piece, const void *src, size_t step,
                     size_t count, size_t channels)
{
    const struct cxn_channel_sums sums = { .src = src, .step = step, .count = count,
                                           .channels = channels, .sum = piece->sums[0],
                                           .square = piece->sums[1] };
    if (!piece->s->options.head_only) piece->s->kernels.channel_sums->run(&sums);
}

/* Zeros behind the channels of a panel's places, where a convolution takes more than there are. */
static void fill_panel(const cxn_trainer_state *s, uint8_t *panel, size_t places, size_t channels)
{
    const size_t terms = cxn_train_terms(&s->kernels, channels), bytes = s->kernels.map_bytes;
    const size_t step = cxn_train_step(&s->kernels, terms);
    if (terms == channels) return;
    for (size_t p = 0; p < places; p++)
        memset(cxn_train_at(panel, p * step + channels, bytes), 0, (terms - channels) * bytes);
}

/* A 1x1 of a panel that is filled; the map's places are dense or not. */
static void convolve_panel(const struct cxn_train_piece *piece, const struct cxn_train_conv *conv,
                           uint8_t *panel, size_t places, void *dst, size_t dst_step)
{
    const cxn_trainer_state *s = piece->s;
    const size_t terms = cxn_train_terms(&s->kernels, conv->in);
    const size_t step = cxn_train_step(&s->kernels, terms);
    const struct cxn_conv_bordered run = {
        .src = panel, .place_step = step, .row_step = places * step, .tap_rows = 1, .run = terms,
        .height = 1, .width = places, .out = conv->out, .w = conv->forward, .dst = dst,
        .dst_place_step = dst_step, .dst_row_step = places * dst_step
    };
    fill_panel(s, panel, places, conv->in);
    s->kernels.conv->run(&run);
}

/* norm1, ReLU and the 1x1. A layer's places of all views are neighbours. */
void cxn_train_reduce(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *block = &s->block[at->block];
    const struct cxn_train_layer *layer = &block->layers[at->layer];
    const size_t view = block->side * block->side, middle = layer->conv1.out;
    const size_t slot = s->options.head_only ? 0 : layer->slot;
    uint8_t *panel = piece->scratch + s->plan.panel[0];
    uint8_t *to = cxn_train_at(s->arena + s->plan.middle[at->block], slot * s->room * view * middle,
                               s->kernels.map_bytes);
    const size_t last = piece->last * view;
    for (size_t p = piece->first * view, count; p < last; p += count) {
        count = cxn_at_most(s->kernels.conv->places, last - p);
        const struct cxn_norm_relu norm = {
            .src = cxn_train_map_at(s, at->block, p * block->out), .src_step = block->out,
            .dst = panel,
            .dst_step = cxn_train_step(&s->kernels, cxn_train_terms(&s->kernels, layer->conv1.in)),
            .count = count, .channels = layer->conv1.in, .scale = layer->norm1.scale,
            .shift = layer->norm1.shift
        };
        uint8_t *dst = cxn_train_at(to, p * middle, s->kernels.map_bytes);
        s->kernels.norm_relu->run(&norm);
        convolve_panel(piece, &layer->conv1, panel, count, dst, middle);
        if (!at->silent) add_sums(piece, dst, middle, count, middle);
    }
}

/* norm2, ReLU and the 3x3 of one view, in bands of rows whose window is near. */
static void grow_view(const struct cxn_train_piece *piece, size_t view)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *block = &s->block[at->block];
    const struct cxn_train_layer *layer = &block->layers[at->layer];
    const size_t side = block->side, middle = layer->conv1.out, bytes = s->kernels.map_bytes;
    const size_t band = cxn_at_most(side, CXN_TRAIN_PLACES / side + (side > CXN_TRAIN_PLACES));
    for (size_t y = 0, made = 0; y < side; y += band) {
        const size_t rows = cxn_at_most(band, side - y), needed = cxn_at_most(side, y + rows + 1);
        const size_t pitch = (side + 2) * middle;
        uint8_t *wide = piece->scratch + s->plan.wide;
        cxn_train_activate(piece, layer, at->block, view, made, needed, wide);
        made = needed;
        const struct cxn_conv_bordered conv = {
            .src = cxn_train_at(wide, y * pitch, bytes), .place_step = middle, .row_step = pitch,
            .tap_row_step = pitch, .tap_rows = 3, .run = 3 * middle, .height = rows, .width = side,
            .out = layer->conv2.out, .w = layer->conv2.forward,
            .dst = cxn_train_map_at(s, at->block, (view * side + y) * side * block->out +
                                                      layer->conv1.in),
            .dst_place_step = block->out, .dst_row_step = side * block->out
        };
        s->kernels.conv->run(&conv);
        add_sums(piece, conv.dst, block->out, rows * side, conv.out);
    }
}

void cxn_train_activate(const struct cxn_train_piece *piece, const struct cxn_train_layer *layer,
                        uint32_t b, size_t view, size_t first, size_t last, uint8_t *wide)
{
    const cxn_trainer_state *s = piece->s;
    const size_t side = s->block[b].side, middle = layer->conv1.out, bytes = s->kernels.map_bytes;
    const size_t pitch = (side + 2) * middle;
    const size_t slot = s->options.head_only ? 0 : layer->slot;
    for (size_t y = first; y < last; y++) {
        const struct cxn_norm_relu norm = {
            .src = cxn_train_at(s->arena + s->plan.middle[b],
                                ((slot * s->room + view) * side + y) * side * middle, bytes),
            .src_step = middle, .dst = cxn_train_at(wide, (y + 1) * pitch + middle, bytes),
            .dst_step = middle, .count = side, .channels = middle, .scale = layer->norm2.scale,
            .shift = layer->norm2.shift
        };
        s->kernels.norm_relu->run(&norm);
    }
}

void cxn_train_clear_border(uint8_t *map, size_t side, size_t channels, size_t bytes)
{
    const size_t place = channels * bytes, row = (side + 2) * place;
    memset(map, 0, row);
    memset(map + (side + 1) * row, 0, row);
    for (size_t y = 1; y <= side; y++) {
        memset(map + y * row, 0, place);
        memset(map + (y + 1) * row - place, 0, place);
    }
}

static void grow(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *block = &s->block[at->block];
    cxn_train_clear_border(piece->scratch + s->plan.wide, block->side,
                           block->layers[at->layer].conv1.out, s->kernels.map_bytes);
    for (size_t view = piece->first; view < piece->last; view++) grow_view(piece, view);
}

/* Norm, ReLU and the mean of 2x2 before the 1x1, as both are linear. */
static void shrink(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *from = &s->block[at->block], *to = from + 1;
    const size_t bytes = s->kernels.map_bytes, row = from->side * from->out;
    const size_t step = cxn_train_step(&s->kernels, cxn_train_terms(&s->kernels, from->out));
    const size_t rows = cxn_at_most(to->side, s->kernels.conv->places / to->side +
                                                  (to->side > s->kernels.conv->places));
    uint8_t *panel = piece->scratch + s->plan.panel[0];
    for (size_t view = piece->first; view < piece->last; view++) {
        for (size_t y = 0, count; y < to->side; y += count) {
            count = cxn_at_most(rows, to->side - y);
            for (size_t i = 0; i < count; i++) {
                const struct cxn_norm_relu_pool pool = {
                    .src = cxn_train_map_at(s, at->block, (view * from->side + 2 * (y + i)) * row),
                    .src_step = from->out, .src_row_step = row,
                    .dst = cxn_train_at(panel, i * to->side * step, bytes), .dst_step = step,
                    .count = to->side, .channels = from->out, .scale = from->norm.scale,
                    .shift = from->norm.shift
                };
                s->kernels.norm_relu_pool->run(&pool);
            }
            void *dst = cxn_train_map_at(s, at->block + 1,
                                         (view * to->side + y) * to->side * to->out);
            convolve_panel(piece, &from->halve, panel, count * to->side, dst, to->out);
            add_sums(piece, dst, to->out, count * to->side, from->halve.out);
        }
    }
}

struct cxn_norm_relu cxn_train_norm5(const struct cxn_train_piece *piece, size_t view)
{
    const cxn_trainer_state *s = piece->s;
    const uint32_t b = CXN_NET_BLOCKS - 1;
    const struct cxn_train_dense *block = &s->block[b];
    const size_t places = block->side * block->side, channels = block->out;
    return (struct cxn_norm_relu){
        .src = cxn_train_map_at(s, b, view * places * channels), .src_step = channels,
        .dst = piece->scratch + s->plan.panel[0], .dst_step = channels, .count = places,
        .channels = channels, .scale = block->norm.scale, .shift = block->norm.shift
    };
}

/* norm5, ReLU and the mean over the places. */
static void find_features(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    for (size_t view = piece->first; view < piece->last; view++) {
        const struct cxn_norm_relu norm = cxn_train_norm5(piece, view);
        double *features = s->features + (s->first + view) * s->widest;
        const struct cxn_channel_sums sums = { .src = norm.dst, .step = norm.dst_step,
                                               .count = norm.count, .channels = norm.channels,
                                               .sum = features, .square = piece->sums[1] };
        memset(features, 0, norm.channels * sizeof *features);
        s->kernels.norm_relu->run(&norm);
        s->kernels.channel_sums->run(&sums);
        for (size_t i = 0; i < norm.channels; i++) features[i] /= (double)norm.count;
    }
}

static void compute_layer(cxn_trainer_state *s, const struct cxn_train_step_of *at, float *slot)
{
    struct cxn_train_dense *block = &s->block[at->block];
    struct cxn_train_layer *layer = &block->layers[at->layer];
    cxn_train_norm_set(s, &layer->norm1, slot);
    cxn_train_each_chunk(s, cxn_train_reduce, at);
    cxn_train_statistics(s, &layer->middle, 0, layer->middle.channels);
    cxn_train_norm_set(s, &layer->norm2, slot);
    cxn_train_each_chunk(s, grow, at);
    cxn_train_statistics(s, &block->map, layer->conv1.in, layer->conv2.out);
}

void cxn_train_forward(cxn_trainer_state *s, size_t first, size_t count, float *slot)
{
    s->first = first;
    s->count = count;
    s->chunks = cxn_at_most(CXN_TRAIN_CHUNKS, count);
    cxn_train_stem_forward(s, slot);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        struct cxn_train_dense *block = &s->block[b];
        struct cxn_train_step_of at = { .block = b };
        for (; at.layer < block->layer_count; at.layer++) compute_layer(s, &at, slot);
        cxn_train_norm_set(s, &block->norm, slot);
        if (b + 1 == CXN_NET_BLOCKS) break;
        cxn_train_each_chunk(s, shrink, &at);
        cxn_train_statistics(s, &s->block[b + 1].map, 0, block->halve.out);
    }
    cxn_train_each_chunk(s, find_features, NULL);
}
