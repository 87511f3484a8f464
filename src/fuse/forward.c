/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/forward.h"

#include "fuse/parts.h"
#include "kern/linear_f32.h"
#include "kern/sigmoid_f32.h"

/* A share of the 1x1, which the network applies before it pools. */
static void tell_transition(const struct cxn_forward *run, const struct map *from,
                            const struct cxn_packed_block *block, double share)
{
    const size_t out = block->out / 2;
    tell(run, (struct cxn_watched){ "conv 1x1", from->height, from->width, out,
                                    share * (double)(from->height * from->width) *
                                        (double)(block->out * out) });
}

/* Norm, ReLU and the mean of 2x2 of one row of windows. */
static void pool_row(const struct cxn_forward *run, const struct cxn_packed_norm *norm,
                     const struct map *from, size_t y, uint8_t *dst, size_t count)
{
    const struct cxn_fuse_kernels *kernels = &run->packed->kernels;
    const size_t row = from->width * from->step;
    const size_t dst_step = cxn_panel_step(run->packed, norm->channels);
    const uint8_t *src = map_at(run, from->numbers, 2 * y * row);
    if (kernels->hinge_pool_i8)
        kernels->hinge_pool_i8->run(&(struct cxn_hinge_pool_i8){
            .src = src, .src_step = from->step, .src_row_step = row, .dst = dst,
            .dst_step = dst_step, .count = count, .channels = norm->channels,
            .flip = norm->byte_hinge.flip, .knot = norm->byte_hinge.knot });
    else
        kernels->norm_relu_pool->run(&(struct cxn_norm_relu_pool){
            .src = src, .src_step = from->step, .src_row_step = row, .dst = dst,
            .dst_step = dst_step, .count = count, .channels = norm->channels,
            .scale = norm->scale, .shift = norm->shift });
}

/* Norm, ReLU and the mean of 2x2 before the 1x1 to half the channels: into the next block's map. */
static void compute_transition(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    const struct cxn_packed_block *block = &run->packed->block[b];
    const struct map from = block_map(run, v, b), to = block_map(run, v, b + 1);
    const struct rows rows = share_of(run, to.height);
    const size_t panel_step = cxn_panel_step(run->packed, block->out);
    for (size_t y = rows.first, count; y < rows.last; y += count) {
        count = panel_rows(run, to.width, rows.last - y);
        for (size_t i = 0; i < count; i++)
            pool_row(run, &block->norm, &from, y + i,
                     panel_at(run, run->scratch, i * to.width * panel_step), to.width);
        fill_panel(run, count * to.width, block->out);
        tell(run, (struct cxn_watched){ "norm, ReLU, pool", from.height, from.width, 0, 0 });
        const struct output out = begin_output(
            run, map_at(run, to.numbers, y * to.width * to.step), to.step, block->out / 2,
            run->packed->kernels.panel_bytes);
        const struct cxn_conv_bordered conv = {
            .src = run->scratch, .place_step = panel_step, .row_step = to.width * panel_step,
            .tap_rows = 1, .run = cxn_fuse_terms(&run->packed->kernels, block->out),
            .height = count, .width = to.width, .out = out.channels, .w = block->halve.w,
            .two_parts = block->halve.two_parts, .bounded = block->halve.bounded,
            .dst = out.dst, .dst_place_step = out.step, .dst_row_step = to.width * out.step
        };
        run->packed->kernels.run_conv(&conv);
        end_output(run, &out, count * to.width);
        tell_transition(run, &from, block, (double)count / (double)to.height);
    }
}

/* Of each channel behind norm and ReLU. */
static void compute_mean(const struct cxn_forward *run, const struct map *map, float *mean)
{
    const struct cxn_packed *f = run->packed;
    const struct cxn_packed_norm *by = &f->block[CXN_NET_BLOCKS - 1].norm;
    const struct cxn_norm_relu norm = {
        .src = map->numbers, .src_step = map->step, .dst = run->maps + run->plan->head,
        .dst_step = by->channels, .count = map->height * map->width, .channels = by->channels,
        .scale = by->scale, .shift = by->shift
    };
    f->kernels.head_norm_relu->run(&norm);
    tell(run, (struct cxn_watched){ "norm, ReLU", map->height, map->width, 0, 0 });
    f->kernels.mean->run(mean, norm.dst, norm.count, by->channels);
}

/* The same of bytes, whose unit is in the head's weights. */
static void compute_byte_mean(const struct cxn_forward *run, const struct map *map, float *mean)
{
    const struct cxn_packed_norm *by = &run->packed->block[CXN_NET_BLOCKS - 1].norm;
    const size_t places = map->height * map->width;
    const struct cxn_sums_u8 sums = {
        .src = map->numbers, .src_step = map->step, .count = places, .channels = by->channels,
        .flip = by->byte_hinge.flip, .knot = by->byte_hinge.knot,
        .dst = (int32_t *)(void *)(run->maps + run->plan->head)
    };
    const float share = 1.0f / (float)places;
    run->packed->kernels.sums_u8->run(&sums);
    for (size_t i = 0; i < by->channels; i++) mean[i] = (float)sums.dst[i] * share;
}

static void show_map(const struct cxn_forward *run, const struct cxn_view *v, uint32_t b)
{
    const struct map map = block_map(run, v, b);
    run->observer->map(run->observer->ctx, b, (const float *)(const void *)map.numbers,
                       map.height * map.width);
}

static void compute_head(const struct cxn_forward *run, const struct cxn_view *v, float *prob)
{
    const struct cxn_packed *f = run->packed;
    const struct cxn_packed_block *last = &f->block[CXN_NET_BLOCKS - 1];
    const struct map map = block_map(run, v, CXN_NET_BLOCKS - 1);
    float *mean = (float *)(void *)run->scratch;
    if (f->kernels.sums_u8) compute_byte_mean(run, &map, mean);
    else compute_mean(run, &map, mean);
    tell(run, (struct cxn_watched){ "mean", map.height, map.width, 0, 0 });
    cxn_linear_f32_pick(run->cpu)->run(prob, mean, f->head_w, f->head_bias, f->classes, last->out);
    cxn_sigmoid_f32_pick(run->cpu)->run(prob, prob, f->classes);
    tell(run, (struct cxn_watched){ "head", map.height, map.width, 0, 0 });
}

void cxn_forward(const struct cxn_forward *run, const struct cxn_view *view, float *prob)
{
    cxn_forward_stem(run, view);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        meet(run);
        cxn_forward_block(run, view, b);
        meet(run);
        if (run->observer) show_map(run, view, b);
        if (b + 1 < CXN_NET_BLOCKS) compute_transition(run, view, b);
        else if (run->member == 0) compute_head(run, view, prob);
    }
    meet(run); /* the arena is free for the next view */
}
