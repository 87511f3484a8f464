/* SPDX-License-Identifier: Apache-2.0 */
/* From the features back to the stem's map. A map's gradient adds up over the norms that read it,
 * each as far as it does not pass through the statistics; that part, linear in the map, is taken
 * away once, where the gradient is read (norm_center). */
#include <string.h>

#include "nn/train_cpu.h"

static uint8_t *middle_of(const cxn_trainer_state *s, uint32_t b, size_t slot, size_t place)
{
    const struct cxn_train_dense *block = &s->block[b];
    return cxn_train_at(s->arena + s->plan.middle[b],
                        (slot * s->room * block->side * block->side + place) *
                            block->layers[0].conv1.out, s->kernels.map_bytes);
}

static uint8_t *dmiddle_of(const cxn_trainer_state *s, uint32_t b, size_t place)
{
    return cxn_train_at(s->arena + s->plan.dmiddle[b], place * s->block[b].layers[0].conv1.out,
                        s->kernels.grad_bytes);
}

/* ---- head --------------------------------------------------------------------------------- */

/* A view's gradient as panels are. */
static const void *gradient_of(const struct cxn_train_piece *piece, size_t view)
{
    const cxn_trainer_state *s = piece->s;
    const float *gradient = s->dfeatures + view * s->widest;
    if (!s->kernels.round) return gradient;
    const struct cxn_round_bf16 round = {
        .src = gradient, .dst = (uint16_t *)(void *)(piece->scratch + s->plan.panel[1]),
        .count = 1, .channels = s->block[CXN_NET_BLOCKS - 1].out
    };
    s->kernels.round->run(&round);
    return round.dst;
}

/* norm5 of each view; the mean gives every place the same gradient. */
static void features_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    for (size_t view = piece->first; view < piece->last; view++) {
        const struct cxn_norm_relu norm = cxn_train_norm5(piece, view);
        const struct cxn_norm_relu_grad grad = {
            .grad = gradient_of(piece, view), .grad_step = 0, .active = norm.dst,
            .active_step = norm.dst_step, .src = norm.src, .src_step = norm.src_step,
            .dst = cxn_train_dmap_at(s, CXN_NET_BLOCKS - 1,
                                     view * norm.count * norm.channels),
            .dst_step = norm.channels, .count = norm.count, .channels = norm.channels,
            .factor = norm.scale, .sum = piece->sums[0], .product = piece->sums[1]
        };
        s->kernels.norm_relu->run(&norm);
        s->kernels.norm_relu_grad->run(&grad);
    }
}

/* ---- a layer's 3x3 and norm2 -------------------------------------------------------------- */

/* Views that are computed at once, where maps are small, and rows, where they are large. */
struct group {
    const struct cxn_train_piece *piece;
    const struct cxn_train_step_of *at;
    const struct cxn_train_dense *block;
    const struct cxn_train_layer *layer;
    size_t first, views, side, middle, growth;
    uint8_t *wide, *narrow; /* bordered: after norm2 and ReLU; the gradient of what the 3x3 gave */
};

/* A bordered map's place in numbers, from its corner. */
static size_t corner_of(const struct group *g, size_t view, size_t y, size_t channels)
{
    return (view * (g->side + 2) + y) * (g->side + 2) * channels;
}

static void fill_rows(const struct group *g, size_t first, size_t last)
{
    const cxn_trainer_state *s = g->piece->s;
    const size_t bytes = s->kernels.map_bytes, from = g->layer->conv1.in, step = g->block->out;
    for (size_t v = 0; v < g->views; v++) {
        cxn_train_activate(g->piece, g->layer, g->at->block, g->first + v, first, last,
                           cxn_train_at(g->wide, corner_of(g, v, 0, g->middle), bytes));
        for (size_t y = first; y < last; y++) {
            const size_t place = ((g->first + v) * g->side + y) * g->side;
            const struct cxn_norm_center center = {
                .grad = cxn_train_dmap_at(s, g->at->block, place * step + from), .grad_step = step,
                .src = cxn_train_map_at(s, g->at->block, place * step + from), .src_step = step,
                .dst = cxn_train_at(g->narrow, corner_of(g, v, y + 1, g->growth) + g->growth,
                                    bytes),
                .dst_step = g->growth, .count = g->side, .channels = g->growth,
                .mean = g->block->map.mean_f32 + from, .slope = s->slope + from,
                .offset = s->offset + from
            };
            s->kernels.norm_center->run(&center);
        }
    }
}

static void weigh_rows(const struct group *g, size_t first, size_t last)
{
    const cxn_trainer_state *s = g->piece->s;
    const size_t bytes = s->kernels.map_bytes, pitch = (g->side + 2) * g->middle;
    const struct cxn_wgrad wgrad = {
        .src = cxn_train_at(g->wide, first * pitch, bytes), .place_step = g->middle,
        .row_step = pitch, .map_step = corner_of(g, 1, 0, g->middle), .tap_row_step = pitch,
        .tap_rows = 3, .run = 3 * g->middle,
        .grad = cxn_train_at(g->narrow, corner_of(g, 0, first + 1, g->growth) + g->growth, bytes),
        .grad_place_step = g->growth, .grad_row_step = (g->side + 2) * g->growth,
        .grad_map_step = corner_of(g, 1, 0, g->growth), .maps = g->views, .height = last - first,
        .width = g->side, .out = g->growth, .dst = g->piece->partial,
        .add = g->first > g->piece->first || first > 0,
        .scratch = g->piece->scratch + s->plan.turned
    };
    s->kernels.wgrad->run(&wgrad);
}

/* Through the 3x3 and norm2's ReLU, of one view. */
static void take_rows_back(const struct group *g, size_t view, size_t first, size_t last)
{
    const cxn_trainer_state *s = g->piece->s;
    const size_t bytes = s->kernels.map_bytes, pitch = (g->side + 2) * g->growth;
    const size_t panel_step = cxn_train_step(&s->kernels, g->middle);
    uint8_t *panel = g->piece->scratch + s->plan.panel[0];
    const struct cxn_conv_bordered conv = {
        .src = cxn_train_at(g->narrow, corner_of(g, view, first, g->growth), bytes),
        .place_step = g->growth, .row_step = pitch, .tap_row_step = pitch, .tap_rows = 3,
        .run = cxn_train_terms(&s->kernels, 3 * g->growth), .height = last - first,
        .width = g->side, .out = g->middle, .w = g->layer->conv2.backward, .dst = panel,
        .dst_place_step = panel_step, .dst_row_step = g->side * panel_step
    };
    s->kernels.conv->run(&conv);
    for (size_t y = first; y < last; y++) {
        const size_t place = ((g->first + view) * g->side + y) * g->side;
        const struct cxn_norm_relu_grad norm = {
            .grad = cxn_train_at(panel, (y - first) * g->side * panel_step, bytes),
            .active = cxn_train_at(g->wide, corner_of(g, view, y + 1, g->middle) + g->middle,
                                   bytes),
            .src = middle_of(s, g->at->block, g->layer->slot, place),
            .dst = dmiddle_of(s, g->at->block, place), .grad_step = panel_step,
            .active_step = g->middle, .src_step = g->middle, .dst_step = g->middle,
            .count = g->side, .channels = g->middle, .factor = g->layer->norm2.scale,
            .sum = g->piece->sums[0], .product = g->piece->sums[1]
        };
        s->kernels.norm_relu_grad->run(&norm);
    }
}

static void group_back(const struct group *g)
{
    const size_t side = g->side;
    const size_t band = cxn_at_most(side, CXN_TRAIN_PLACES / side + (side > CXN_TRAIN_PLACES));
    for (size_t y = 0, made = 0; y < side; y += band) {
        const size_t last = cxn_at_most(side, y + band), needed = cxn_at_most(side, last + 1);
        fill_rows(g, made, needed);
        made = needed;
        weigh_rows(g, y, last);
        for (size_t v = 0; v < g->views; v++) take_rows_back(g, v, y, last);
    }
}

static void grow_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *block = &s->block[at->block];
    struct group g = {
        .piece = piece, .at = at, .block = block, .layer = &block->layers[at->layer],
        .side = block->side, .middle = block->layers[at->layer].conv1.out,
        .growth = block->layers[at->layer].conv2.out, .wide = piece->scratch + s->plan.wide,
        .narrow = piece->scratch + s->plan.narrow
    };
    const size_t together = 1 + CXN_TRAIN_PLACES / (g.side * g.side);
    for (size_t v = 0; v < together; v++) {
        const size_t bytes = s->kernels.map_bytes;
        cxn_train_clear_border(cxn_train_at(g.wide, corner_of(&g, v, 0, g.middle), bytes), g.side,
                               g.middle, bytes);
        cxn_train_clear_border(cxn_train_at(g.narrow, corner_of(&g, v, 0, g.growth), bytes),
                               g.side, g.growth, bytes);
    }
    for (g.first = piece->first; g.first < piece->last; g.first += g.views) {
        g.views = cxn_at_most(together, piece->last - g.first);
        group_back(&g);
    }
}

/* ---- a layer's 1x1 and norm1 -------------------------------------------------------------- */

/* Places of a layer whose gradient stands in a panel, and some of its channels. */
struct columns {
    const struct cxn_train_piece *piece;
    const struct cxn_train_step_of *at;
    const struct cxn_train_layer *layer;
    size_t place, count;
    const uint8_t *grad; /* by what the 1x1 gave */
    size_t grad_step;
};

static void take_columns_back(const struct columns *c, size_t first, size_t channels)
{
    const cxn_trainer_state *s = c->piece->s;
    const struct cxn_train_layer *layer = c->layer;
    const struct cxn_train_conv *conv1 = &layer->conv1;
    const size_t out = s->block[c->at->block].out, step = cxn_train_step(&s->kernels, channels);
    const size_t terms = cxn_train_terms(&s->kernels, conv1->out);
    uint8_t *active = c->piece->scratch + s->plan.panel[1];
    uint8_t *back = c->piece->scratch + s->plan.panel[2];
    const struct cxn_norm_relu norm = {
        .src = cxn_train_map_at(s, c->at->block, c->place * out + first), .src_step = out,
        .dst = active, .dst_step = step, .count = c->count, .channels = channels,
        .scale = layer->norm1.scale + first, .shift = layer->norm1.shift + first
    };
    const struct cxn_wgrad wgrad = {
        .src = active, .place_step = step, .tap_rows = 1, .run = channels, .grad = c->grad,
        .grad_place_step = c->grad_step, .maps = 1, .height = 1, .width = c->count,
        .out = conv1->out, .dst = c->piece->partial + first * conv1->out,
        .add = c->place > c->piece->first * s->block[c->at->block].side *
                              s->block[c->at->block].side,
        .scratch = c->piece->scratch + s->plan.turned
    };
    const struct cxn_conv_bordered conv = {
        .src = c->grad, .place_step = c->grad_step, .row_step = c->count * c->grad_step,
        .tap_rows = 1, .run = terms, .height = 1, .width = c->count, .out = channels,
        .w = conv1->backward + s->kernels.packed_count(s->kernels.conv, first, terms), .dst = back,
        .dst_place_step = step, .dst_row_step = c->count * step
    };
    const struct cxn_norm_relu_grad grad = {
        .grad = back, .active = active, .src = norm.src,
        .dst = cxn_train_dmap_at(s, c->at->block, c->place * out + first), .grad_step = step,
        .active_step = step, .src_step = out, .dst_step = out, .count = c->count,
        .channels = channels, .factor = layer->norm1.scale + first,
        .sum = c->piece->sums[0] + first, .product = c->piece->sums[1] + first, .add = true
    };
    s->kernels.norm_relu->run(&norm);
    s->kernels.wgrad->run(&wgrad);
    s->kernels.conv->run(&conv);
    s->kernels.norm_relu_grad->run(&grad);
}

static void reduce_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *block = &s->block[at->block];
    const struct cxn_train_layer *layer = &block->layers[at->layer];
    const size_t view = block->side * block->side, middle = layer->conv1.out;
    uint8_t *panel = piece->scratch + s->plan.panel[0];
    struct columns c = { .piece = piece, .at = at, .layer = layer, .grad = panel,
                         .grad_step = cxn_train_step(&s->kernels, middle) };
    const size_t last = piece->last * view;
    for (c.place = piece->first * view; c.place < last; c.place += c.count) {
        c.count = cxn_at_most(CXN_TRAIN_PLACES, last - c.place);
        const struct cxn_norm_center center = {
            .grad = dmiddle_of(s, at->block, c.place), .grad_step = middle,
            .src = middle_of(s, at->block, layer->slot, c.place), .src_step = middle,
            .dst = panel, .dst_step = c.grad_step, .count = c.count, .channels = middle,
            .mean = layer->middle.mean_f32, .slope = s->slope, .offset = s->offset
        };
        s->kernels.norm_center->run(&center);
        for (size_t i = 0; i < layer->conv1.in; i += CXN_TRAIN_CHANNELS)
            take_columns_back(&c, i, cxn_at_most(CXN_TRAIN_CHANNELS, layer->conv1.in - i));
    }
}

/* ---- transition --------------------------------------------------------------------------- */

/* Rows of a view's pooled map, the gradient of what the 1x1 gave in a panel. */
struct pooled {
    const struct cxn_train_piece *piece;
    uint32_t block;
    size_t view, first, rows;
    const uint8_t *grad;
    size_t grad_step;
};

/* Row y of the block's map, some of its channels: each window's gradient to its places there, of
 * which each has a quarter of the mean. */
static void spread_row(const struct pooled *p, size_t y, const struct cxn_norm_relu *active,
                       const uint8_t *back, size_t back_step, size_t channel)
{
    const cxn_trainer_state *s = p->piece->s;
    const struct cxn_train_dense *from = &s->block[p->block];
    const size_t windows = s->block[p->block + 1].side, bytes = s->kernels.map_bytes;
    const size_t place = (p->view * from->side + y) * from->side * from->out + channel;
    for (size_t x = 0; x < 2; x++) {
        const struct cxn_norm_relu_grad grad = {
            .grad = back, .grad_step = back_step,
            .active = cxn_train_at(active->dst, x * active->dst_step, bytes),
            .active_step = 2 * active->dst_step,
            .src = cxn_train_map_at(s, p->block, place + x * from->out), .src_step = 2 * from->out,
            .dst = cxn_train_dmap_at(s, p->block, place + x * from->out), .dst_step = 2 * from->out,
            .count = windows, .channels = active->channels, .factor = s->quarter + channel,
            .sum = p->piece->sums[0] + channel, .product = p->piece->sums[1] + channel
        };
        s->kernels.norm_relu_grad->run(&grad);
    }
}

static void spread(const struct pooled *p, const uint8_t *back, size_t back_step, size_t channel,
                   size_t channels)
{
    const cxn_trainer_state *s = p->piece->s;
    const struct cxn_train_dense *from = &s->block[p->block];
    const size_t windows = s->block[p->block + 1].side, bytes = s->kernels.map_bytes;
    for (size_t y = 2 * p->first; y < 2 * (p->first + p->rows); y++) {
        const struct cxn_norm_relu active = {
            .src = cxn_train_map_at(s, p->block, ((p->view * from->side + y) * from->side) *
                                                     from->out + channel),
            .src_step = from->out, .dst = p->piece->scratch + s->plan.wide, .dst_step = channels,
            .count = 2 * windows, .channels = channels, .scale = from->norm.scale + channel,
            .shift = from->norm.shift + channel
        };
        s->kernels.norm_relu->run(&active);
        spread_row(p, y, &active,
                   back + (y / 2 - p->first) * windows * back_step * bytes, back_step, channel);
    }
}

static void take_pooled_back(const struct pooled *p, size_t channel, size_t channels)
{
    const cxn_trainer_state *s = p->piece->s;
    const struct cxn_train_dense *from = &s->block[p->block];
    const size_t side = s->block[p->block + 1].side, count = p->rows * side;
    const size_t step = cxn_train_step(&s->kernels, channels), out = from->halve.out;
    const size_t terms = cxn_train_terms(&s->kernels, out), row = from->side * from->out;
    uint8_t *active = p->piece->scratch + s->plan.panel[1];
    uint8_t *back = p->piece->scratch + s->plan.panel[2];
    const struct cxn_wgrad wgrad = {
        .src = active, .place_step = step, .tap_rows = 1, .run = channels, .grad = p->grad,
        .grad_place_step = p->grad_step, .maps = 1, .height = 1, .width = count, .out = out,
        .dst = p->piece->partial + channel * out,
        .add = p->view > p->piece->first || p->first > 0,
        .scratch = p->piece->scratch + s->plan.turned
    };
    const struct cxn_conv_bordered conv = {
        .src = p->grad, .place_step = p->grad_step, .row_step = count * p->grad_step,
        .tap_rows = 1, .run = terms, .height = 1, .width = count, .out = channels,
        .w = from->halve.backward + s->kernels.packed_count(s->kernels.conv, channel, terms),
        .dst = back, .dst_place_step = step, .dst_row_step = count * step
    };
    for (size_t y = 0; y < p->rows; y++) {
        const struct cxn_norm_relu_pool pool = {
            .src = cxn_train_map_at(s, p->block, (p->view * from->side + 2 * (p->first + y)) *
                                                     row + channel),
            .src_step = from->out, .src_row_step = row,
            .dst = cxn_train_at(active, y * side * step, s->kernels.map_bytes), .dst_step = step,
            .count = side, .channels = channels, .scale = from->norm.scale + channel,
            .shift = from->norm.shift + channel
        };
        s->kernels.norm_relu_pool->run(&pool);
    }
    s->kernels.wgrad->run(&wgrad);
    s->kernels.conv->run(&conv);
    spread(p, back, step, channel, channels);
}

/* Where a side is odd, its last row and column are in no window. */
static void clear_left_over(const struct cxn_train_piece *piece, uint32_t b, size_t view)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_dense *from = &s->block[b];
    const size_t side = from->side, place = from->out * s->kernels.grad_bytes;
    if (side % 2 == 0) return;
    uint8_t *map = cxn_train_dmap_at(s, b, view * side * side * from->out);
    for (size_t y = 0; y + 1 < side; y++) memset(map + ((y + 1) * side - 1) * place, 0, place);
    memset(map + (side - 1) * side * place, 0, side * place);
}

static void shrink_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_step_of *at = piece->what;
    const struct cxn_train_dense *from = &s->block[at->block], *to = from + 1;
    const size_t rows = cxn_at_most(to->side, CXN_TRAIN_PLACES / to->side +
                                                  (to->side > CXN_TRAIN_PLACES));
    uint8_t *panel = piece->scratch + s->plan.panel[0];
    struct pooled p = { .piece = piece, .block = at->block, .grad = panel,
                        .grad_step = cxn_train_step(&s->kernels, cxn_train_terms(&s->kernels,
                                                                 from->halve.out)) };
    for (p.view = piece->first; p.view < piece->last; p.view++) {
        clear_left_over(piece, at->block, p.view);
        for (p.first = 0; p.first < to->side; p.first += p.rows) {
            p.rows = cxn_at_most(rows, to->side - p.first);
            const size_t place = (p.view * to->side + p.first) * to->side;
            const struct cxn_norm_center center = {
                .grad = cxn_train_dmap_at(s, at->block + 1, place * to->out), .grad_step = to->out,
                .src = cxn_train_map_at(s, at->block + 1, place * to->out), .src_step = to->out,
                .dst = panel, .dst_step = p.grad_step, .count = p.rows * to->side,
                .channels = from->halve.out, .mean = to->map.mean_f32, .slope = s->slope,
                .offset = s->offset
            };
            s->kernels.norm_center->run(&center);
            for (size_t i = 0; i < from->out; i += CXN_TRAIN_CHANNELS)
                take_pooled_back(&p, i, cxn_at_most(CXN_TRAIN_CHANNELS, from->out - i));
        }
    }
}

/* ---- the walk ----------------------------------------------------------------------------- */

/* Parameters from the first tensor up to the second, the second included. */
static int tell(cxn_gradient_fn *ready, void *ctx, const struct cxn_net_tensor *first,
                const struct cxn_net_tensor *last)
{
    return ready ? ready(ctx, first->offset, last->offset + last->count - first->offset) : 0;
}

static void layer_back(cxn_trainer_state *s, struct cxn_train_step_of *at, float *slot)
{
    struct cxn_train_dense *block = &s->block[at->block];
    struct cxn_train_layer *layer = &block->layers[at->layer];
    at->silent = true;
    if (layer->recomputed) cxn_train_each_chunk(s, cxn_train_reduce, at);
    cxn_train_forget(&layer->middle);
    cxn_train_center(s, &block->map, layer->conv1.in, layer->conv2.out);
    cxn_train_each_chunk(s, grow_back, at);
    cxn_train_norm_gather(s, &layer->norm2, 1.0, slot);
    cxn_train_gather(s, &layer->conv2, slot);
    cxn_train_center(s, &layer->middle, 0, layer->middle.channels);
    cxn_train_each_chunk(s, reduce_back, at);
    cxn_train_norm_gather(s, &layer->norm1, 1.0, slot);
    cxn_train_gather(s, &layer->conv1, slot);
}

static void transition_back(cxn_trainer_state *s, struct cxn_train_step_of *at, float *slot)
{
    struct cxn_train_dense *block = &s->block[at->block];
    for (size_t i = 0; i < block->out; i++) s->quarter[i] = 0.25f * block->norm.scale[i];
    cxn_train_forget(&block->map);
    cxn_train_center(s, &s->block[at->block + 1].map, 0, block->halve.out);
    cxn_train_each_chunk(s, shrink_back, at);
    cxn_train_norm_gather(s, &block->norm, 0.25, slot);
    cxn_train_gather(s, &block->halve, slot);
}

static void norm5_back(cxn_trainer_state *s, struct cxn_train_dense *block, float *slot)
{
    cxn_train_forget(&block->map);
    cxn_train_each_chunk(s, features_back, NULL);
    cxn_train_norm_gather(s, &block->norm, 1.0, slot);
}

/* What stands behind the block, and its layers. Not 0 where the caller wants no more. */
static int block_back(cxn_trainer_state *s, uint32_t b, float *slot, cxn_gradient_fn *ready,
                      void *ctx)
{
    struct cxn_train_dense *block = &s->block[b];
    struct cxn_train_step_of at = { .block = b };
    const bool is_last = b + 1 == CXN_NET_BLOCKS;
    if (is_last) norm5_back(s, block, slot);
    else transition_back(s, &at, slot);
    const struct cxn_net_tensor *norm = block->norm.tensor;
    int stop = tell(ready, ctx, norm, is_last ? norm + 1 : block->halve.tensor);
    for (at.layer = block->layer_count; stop == 0 && at.layer-- > 0;) {
        const struct cxn_train_layer *layer = &block->layers[at.layer];
        layer_back(s, &at, slot);
        stop = tell(ready, ctx, layer->norm1.tensor, layer->conv2.tensor);
    }
    return stop;
}

int cxn_train_backward(cxn_trainer_state *s, float *slot, cxn_gradient_fn *ready, void *ctx)
{
    int stop = 0;
    for (uint32_t b = CXN_NET_BLOCKS; stop == 0 && b-- > 0;)
        stop = block_back(s, b, slot, ready, ctx);
    if (stop != 0) return stop;
    cxn_train_stem_backward(s, slot);
    return tell(ready, ctx, s->conv0.tensor, s->norm0.tensor + 1);
}
