/* SPDX-License-Identifier: Apache-2.0 */
/* Where maps are in the arena, from their lifetimes there and back, and what a thread needs. */
#include "base/size.h"
#include "nn/plan.h"
#include "nn/steps.h"
#include "nn/train_cpu.h"

/*
 * Stages: the stem 0, block b 1 + 2b, the transition behind it 2 + 2b, the head 8. On the way back
 * the head 9, block b 16 - 2b, the transition behind it 15 - 2b, the stem 17.
 */
enum { STEM = 0, HEAD = 2 * CXN_NET_BLOCKS, HEAD_BACK = HEAD + 1, LAST = 2 * HEAD + 1 };

static size_t block_stage(size_t b)
{
    return 1 + 2 * b;
}

static size_t back_stage(size_t b)
{
    return LAST - block_stage(b);
}

/* Whether no product below wraps: each is less than the places, borders included, times this. */
static bool sizes_fit(const cxn_trainer_state *s)
{
    size_t middles = 0, bytes;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++)
        middles += s->block[b].layer_count * s->net->config.bottleneck * s->net->config.growth;
    const size_t side = (size_t)s->options.side + CXN_TRAIN_PLACES;
    const size_t channels = s->widest + middles + CXN_TRAIN_PLANES;
    return cxn_size_product((const size_t[]){ s->room, side, side, channels, 64 }, 5, &bytes);
}

static size_t count_slots(const cxn_trainer_state *s, const struct cxn_train_dense *block)
{
    return s->options.head_only ? 1 : block->layers[block->layer_count - 1].slot + 1;
}

static size_t at_least(size_t least, size_t x)
{
    return x > least ? x : least;
}

static size_t take(struct cxn_train_plan *plan, size_t bytes)
{
    const size_t at = plan->scratch_bytes;
    plan->scratch_bytes += (bytes + 63) / 64 * 64 + 64; /* panels do not begin at one distance */
    return at;
}

/* Bytes that any gradient of weights needs. */
static size_t count_turned(const cxn_trainer_state *s)
{
    const struct cxn_train_kernels *k = &s->kernels;
    size_t most = 0;
    if (!k->wgrad_scratch_bytes) return 0;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const struct cxn_train_dense *block = &s->block[b];
        const size_t side = block->side, middle = block->layers[0].conv1.out;
        const size_t growth = block->layers[0].conv2.out;
        const size_t rows = side < CXN_TRAIN_PLACES ? side : 1;
        const struct cxn_wgrad grow = {
            .place_step = middle, .row_step = (side + 2) * middle,
            .tap_row_step = (side + 2) * middle, .tap_rows = 3, .run = 3 * middle,
            .grad_place_step = growth, .grad_row_step = (side + 2) * growth,
            .maps = 1 + CXN_TRAIN_PLACES / (side * side), .height = rows, .width = side,
            .out = growth
        };
        const struct cxn_wgrad reduce = {
            .place_step = CXN_TRAIN_CHANNELS, .tap_rows = 1, .run = CXN_TRAIN_CHANNELS,
            .maps = 1, .height = 1, .width = at_least(CXN_TRAIN_PLACES, side),
            .out = at_least(middle, block->halve.out)
        };
        most = at_least(most, k->wgrad_scratch_bytes(&grow));
        most = at_least(most, k->wgrad_scratch_bytes(&reduce));
    }
    const size_t place = CXN_TRAIN_PLANES * k->stem_copies;
    const struct cxn_wgrad stem = {
        .place_step = 2 * place, .row_step = 2, .tap_row_step = 1,
        .tap_rows = CXN_TRAIN_STEM_KERNEL, .run = cxn_train_terms(k, k->stem_columns * place),
        .maps = 1, .height = CXN_TRAIN_PLACES / s->stem.side + 1, .width = s->stem.side,
        .out = s->conv0.out
    };
    return at_least(most, k->wgrad_scratch_bytes(&stem));
}

static void plan_scratch(struct cxn_train_plan *plan, const cxn_trainer_state *s)
{
    const struct cxn_train_kernels *k = &s->kernels;
    size_t panel = 0, wide = 0, narrow = 0;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const struct cxn_train_dense *block = &s->block[b];
        const size_t row = block->side, places = at_least(CXN_TRAIN_PLACES, 2 * row);
        const size_t bordered = (row + 2) * (row + 2) * (1 + CXN_TRAIN_PLACES / (row * row));
        const size_t middle = block->layers[0].conv1.out, growth = block->layers[0].conv2.out;
        const size_t whole = cxn_train_step(k, cxn_train_terms(k, block->out));
        panel = at_least(panel, at_least(k->conv->places, row) * whole);
        const size_t back = at_least(CXN_TRAIN_CHANNELS, at_least(middle, block->halve.out));
        panel = at_least(panel, places * cxn_train_step(k, cxn_train_terms(k, back)));
        wide = at_least(wide, bordered * middle);
        narrow = at_least(narrow, bordered * growth);
    }
    const struct cxn_train_dense *last = &s->block[CXN_NET_BLOCKS - 1];
    panel = at_least(panel, last->side * last->side * last->out); /* the head's */
    const size_t side = s->options.side + CXN_TRAIN_STEM_BORDER;
    const size_t pitch = side + CXN_TRAIN_STEM_BORDER + k->stem_columns;
    panel = at_least(panel, (CXN_TRAIN_PLACES + s->stem.side) * s->conv0.out);
    plan->scratch_bytes = 0;
    for (size_t i = 0; i < CXN_TRAIN_PANELS; i++) plan->panel[i] = take(plan, panel * k->map_bytes);
    plan->wide = take(plan, wide * k->map_bytes);
    plan->narrow = take(plan, narrow * k->map_bytes);
    plan->planes = take(plan, (side + CXN_TRAIN_STEM_BORDER) * pitch * CXN_TRAIN_PLANES *
                                  k->stem_copies * k->map_bytes);
    plan->rows = take(plan, 8 * (cxn_view_side(s->options.side, 1) + 2) * s->conv0.out *
                                k->map_bytes);
    plan->turned = take(plan, count_turned(s));
}

enum { OF_BLOCK = 4, BUFFERS = 2 + OF_BLOCK * CXN_NET_BLOCKS };

static void list_block(struct cxn_plan_buffer *buffers, const cxn_trainer_state *s, size_t b)
{
    const struct cxn_train_dense *block = &s->block[b];
    const size_t places = s->room * block->side * block->side;
    const size_t middle = places * block->layers[0].conv1.out;
    const bool frozen = s->options.head_only;
    const size_t map_bytes = s->kernels.map_bytes, grad_bytes = frozen ? 0 : s->kernels.grad_bytes;
    buffers[0] = (struct cxn_plan_buffer){ places * block->out * map_bytes, block_stage(b) - 1,
                                           frozen ? block_stage(b) + 1 : back_stage(b) + 1, 0 };
    buffers[1] = (struct cxn_plan_buffer){ places * block->out * grad_bytes, back_stage(b) - 1,
                                           back_stage(b) + 1, 0 };
    buffers[2] = (struct cxn_plan_buffer){ count_slots(s, block) * middle * map_bytes,
                                           block_stage(b), frozen ? block_stage(b) : back_stage(b),
                                           0 };
    buffers[3] = (struct cxn_plan_buffer){ middle * grad_bytes, back_stage(b), back_stage(b), 0 };
}

bool cxn_train_plan(struct cxn_train_plan *plan, const cxn_trainer_state *s)
{
    struct cxn_plan_buffer buffers[BUFFERS];
    if (!sizes_fit(s)) return false;
    const bool frozen = s->options.head_only;
    const size_t stem = s->room * s->stem.side * s->stem.side * s->stem.channels;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) list_block(buffers + OF_BLOCK * b, s, b);
    buffers[BUFFERS - 2] = (struct cxn_plan_buffer){ stem * s->kernels.map_bytes, STEM,
                                                     frozen ? STEM : LAST, 0 };
    buffers[BUFFERS - 1] = (struct cxn_plan_buffer){ frozen ? 0 : stem * s->kernels.grad_bytes,
                                                     LAST, LAST, 0 };
    if (!cxn_plan(buffers, BUFFERS, &plan->arena_bytes)) return false;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) {
        const struct cxn_plan_buffer *of = buffers + OF_BLOCK * b;
        plan->map[b] = of[0].offset;
        plan->dmap[b] = of[1].offset;
        plan->middle[b] = of[2].offset;
        plan->dmiddle[b] = of[3].offset;
    }
    plan->stem = buffers[BUFFERS - 2].offset;
    plan->dstem = buffers[BUFFERS - 1].offset;
    plan_scratch(plan, s);
    return true;
}
