/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of the pictures, the 7x7 on their samples, its norm and the maximum of 3x3. */
#include <string.h>

#include "nn/train_cpu.h"
#include "nn/train_view.h"
#include "nn/view.h"

enum { BORDER = CXN_TRAIN_STEM_BORDER, KERNEL = CXN_TRAIN_STEM_KERNEL };

/* ---- windows ------------------------------------------------------------------------------ */

struct cutting {
    cxn_trainer_state *s;
    const struct cxn_train_view *views;
};

static uint8_t *window_of(const cxn_trainer_state *s, size_t view)
{
    return s->windows + view * 3 * s->options.side * s->options.side;
}

/* Views that are resampled are so in the window itself; the kernel of samples mirrors them. */
static void cut_window(void *ctx, size_t i, unsigned thread)
{
    const struct cutting *c = ctx;
    const size_t side = c->s->options.side;
    uint8_t *dst = window_of(c->s, i);
    struct cxn_picture cut;
    const struct cxn_view v = cxn_train_view_cut(&c->views[i], dst, &cut);
    const struct cxn_picture *p = v.picture;
    const size_t row = side * p->channels;
    (void)thread;
    c->s->window[i] = (struct cxn_train_window){ .channels = (uint8_t)p->channels,
                                                 .mirror = v.mirror,
                                                 .grey = cxn_view_is_grey(&v) };
    if (p == &cut) return;
    for (size_t y = 0; y < side; y++, dst += row)
        memcpy(dst, p->pixels + (v.y + y) * p->stride_bytes + (size_t)v.x * p->channels, row);
}

/* Each grey sample three times, from the last on, in place. */
static void widen_window(const cxn_trainer_state *s, size_t view)
{
    uint8_t *samples = window_of(s, view);
    if (s->window[view].channels == 3) return;
    for (size_t i = (size_t)s->options.side * s->options.side; i-- > 0;)
        samples[3 * i] = samples[3 * i + 1] = samples[3 * i + 2] = samples[i];
    s->window[view].channels = 3;
}

void cxn_train_windows(cxn_trainer_state *s, const struct cxn_train_view *views, size_t count)
{
    struct cutting cutting = { s, views };
    cxn_pool_run(s->env.pool, count, cut_window, &cutting);
    s->colour = false;
    for (size_t i = 0; i < count && !s->colour; i++) s->colour = !s->window[i].grey;
    for (size_t i = 0; i < count && s->colour; i++) widen_window(s, i);
}

/* ---- samples ------------------------------------------------------------------------------ */

static size_t planes_of(const cxn_trainer_state *s)
{
    return s->colour ? CXN_TRAIN_PLANES : 2;
}

/* Numbers of a place of all copies of the planes. */
static size_t place_of(const cxn_trainer_state *s)
{
    return planes_of(s) * s->kernels.stem_copies;
}

/* Numbers of a row of planes, borders and the window's added columns included. */
static size_t pitch_of(const cxn_trainer_state *s)
{
    return (BORDER + s->options.side + BORDER + s->kernels.stem_columns - KERNEL) * place_of(s);
}

/* A view's samples in a border of zeros. */
static uint8_t *write_planes(const struct cxn_train_piece *piece, size_t view)
{
    const cxn_trainer_state *s = piece->s;
    const size_t side = s->options.side, pitch = pitch_of(s), bytes = s->kernels.map_bytes;
    const struct cxn_train_window *window = &s->window[s->first + view];
    uint8_t *planes = piece->scratch + s->plan.planes;
    const struct cxn_samples samples = {
        .src = window_of(s, s->first + view), .stride_bytes = side * window->channels,
        .width = side, .height = side, .channels = window->channels, .taken = planes_of(s) - 1,
        .copies = s->kernels.stem_copies, .mirror = window->mirror,
        .dst = cxn_train_at(planes, BORDER * (pitch + place_of(s)), bytes), .dst_row_step = pitch
    };
    memset(planes, 0, (side + 2 * BORDER) * pitch * bytes);
    s->kernels.samples->run(&samples);
    return planes;
}

static uint8_t *stem_of(const cxn_trainer_state *s, size_t view, size_t y)
{
    const size_t row = s->stem.side * s->stem.channels;
    return cxn_train_at(s->arena + s->plan.stem, (view * s->stem.side + y) * row,
                        s->kernels.map_bytes);
}

static void convolve(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const size_t side = s->stem.side, channels = s->stem.channels, pitch = pitch_of(s);
    const size_t band = CXN_TRAIN_PLACES / side + 1;
    for (size_t view = piece->first; view < piece->last; view++) {
        uint8_t *planes = write_planes(piece, view);
        for (size_t y = 0; y < side; y += band) {
            const struct cxn_conv_bordered conv = {
                .src = cxn_train_at(planes, 2 * y * pitch, s->kernels.map_bytes),
                .place_step = 2 * place_of(s), .row_step = 2 * pitch, .tap_row_step = pitch,
                .tap_rows = KERNEL,
                .run = cxn_train_terms(&s->kernels, s->kernels.stem_columns * place_of(s)),
                .height = side - y < band ? side - y : band, .width = side, .out = channels,
                .w = s->colour ? s->conv0.backward : s->conv0.forward,
                .dst = stem_of(s, view, y), .dst_place_step = channels,
                .dst_row_step = side * channels
            };
            const struct cxn_channel_sums sums = {
                .src = conv.dst, .step = channels, .count = conv.height * side,
                .channels = channels, .sum = piece->sums[0], .square = piece->sums[1]
            };
            s->kernels.conv->run(&conv);
            if (!s->options.head_only) s->kernels.channel_sums->run(&sums);
        }
    }
}

/* ---- norm, ReLU, maximum ------------------------------------------------------------------ */

/* Rows after norm and ReLU, with a place of zeros at either end, which no maximum is less than:
 * three in turns, and one of zeros alone. Then as many for their gradients. */
enum { TURNS = 3, ZEROS = TURNS, GRADIENTS = TURNS + 1 };

static uint8_t *row_of(const struct cxn_train_piece *piece, size_t i)
{
    const cxn_trainer_state *s = piece->s;
    return piece->scratch + s->plan.rows +
           i * (s->stem.side + 2) * s->stem.channels * s->kernels.map_bytes;
}

static void clear_rows(const struct cxn_train_piece *piece, size_t first, size_t count)
{
    memset(row_of(piece, first), 0, (size_t)(row_of(piece, first + count) - row_of(piece, first)));
}

/* Which of the rows holds row y of the view, after y 1: row 0 is above it. */
static size_t turn_of(const cxn_trainer_state *s, size_t y_after)
{
    return y_after == 0 || y_after > s->stem.side ? ZEROS : y_after % TURNS;
}

static void activate_row(const struct cxn_train_piece *piece, size_t view, size_t y)
{
    const cxn_trainer_state *s = piece->s;
    const size_t channels = s->stem.channels;
    const struct cxn_norm_relu norm = {
        .src = stem_of(s, view, y), .src_step = channels,
        .dst = cxn_train_at(row_of(piece, (y + 1) % TURNS), channels, s->kernels.map_bytes),
        .dst_step = channels, .count = s->stem.side, .channels = channels,
        .scale = s->norm0.scale, .shift = s->norm0.shift
    };
    if (y < s->stem.side) s->kernels.norm_relu->run(&norm);
}

/* Row y of the first block's map. */
static uint8_t *pooled_of(const cxn_trainer_state *s, size_t view, size_t y)
{
    const struct cxn_train_dense *block = &s->block[0];
    return cxn_train_at(s->arena + s->plan.map[0],
                        (view * block->side + y) * block->side * block->out, s->kernels.map_bytes);
}

static void pool(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_dense *block = &s->block[0];
    clear_rows(piece, 0, GRADIENTS);
    for (size_t view = piece->first; view < piece->last; view++) {
        for (size_t y = 0; y < block->side; y++) {
            activate_row(piece, view, 2 * y);
            activate_row(piece, view, 2 * y + 1);
            const struct cxn_max_pool_row row = {
                .src = { row_of(piece, turn_of(s, 2 * y)), row_of(piece, turn_of(s, 2 * y + 1)),
                         row_of(piece, turn_of(s, 2 * y + 2)) },
                .dst = pooled_of(s, view, y), .dst_step = block->out, .count = block->side,
                .channels = s->stem.channels
            };
            const struct cxn_channel_sums sums = {
                .src = row.dst, .step = block->out, .count = block->side,
                .channels = s->stem.channels, .sum = piece->sums[0], .square = piece->sums[1]
            };
            s->kernels.max_pool_row->run(&row);
            if (!s->options.head_only) s->kernels.channel_sums->run(&sums);
        }
    }
}

void cxn_train_stem_forward(cxn_trainer_state *s, float *slot)
{
    cxn_train_each_chunk(s, convolve, NULL);
    cxn_train_statistics(s, &s->stem, 0, s->stem.channels);
    cxn_train_norm_set(s, &s->norm0, slot);
    cxn_train_each_chunk(s, pool, NULL);
    cxn_train_statistics(s, &s->block[0].map, 0, s->stem.channels);
}

/* ---- the way back ------------------------------------------------------------------------- */

static uint8_t *dstem_of(const cxn_trainer_state *s, size_t view, size_t y)
{
    const size_t row = s->stem.side * s->stem.channels;
    return cxn_train_at(s->arena + s->plan.dstem, (view * s->stem.side + y) * row,
                        s->kernels.grad_bytes);
}

/* The gradient of row y of the first block's map, whole. */
static void center_pooled(const struct cxn_train_piece *piece, size_t view, size_t y, uint8_t *dst)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_dense *block = &s->block[0];
    const struct cxn_norm_center center = {
        .grad = cxn_train_at(s->arena + s->plan.dmap[0],
                             (view * block->side + y) * block->side * block->out,
                             s->kernels.grad_bytes),
        .grad_step = block->out, .src = pooled_of(s, view, y), .src_step = block->out, .dst = dst,
        .dst_step = s->stem.channels, .count = block->side, .channels = s->stem.channels,
        .mean = block->map.mean_f32, .slope = s->slope, .offset = s->offset
    };
    s->kernels.norm_center->run(&center);
}

/* Row y of the stem, to which no window will add any more; its row is made ready for the next. */
static void finish_row(const struct cxn_train_piece *piece, size_t view, size_t y)
{
    const cxn_trainer_state *s = piece->s;
    const size_t channels = s->stem.channels, turn = (y + 1) % TURNS, bytes = s->kernels.map_bytes;
    const struct cxn_norm_relu_grad norm = {
        .grad = cxn_train_at(row_of(piece, GRADIENTS + turn), channels, bytes),
        .active = cxn_train_at(row_of(piece, turn), channels, bytes), .src = stem_of(s, view, y),
        .dst = dstem_of(s, view, y), .grad_step = channels, .active_step = channels,
        .src_step = channels, .dst_step = channels, .count = s->stem.side, .channels = channels,
        .factor = s->norm0.scale, .sum = piece->sums[0], .product = piece->sums[1]
    };
    s->kernels.norm_relu_grad->run(&norm);
    clear_rows(piece, GRADIENTS + turn, 1);
}

static void pool_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const struct cxn_train_dense *block = &s->block[0];
    uint8_t *grad = piece->scratch + s->plan.panel[0];
    clear_rows(piece, 0, 2 * GRADIENTS);
    for (size_t view = piece->first; view < piece->last; view++) {
        for (size_t y = 0; y < block->side; y++) {
            activate_row(piece, view, 2 * y);
            activate_row(piece, view, 2 * y + 1);
            center_pooled(piece, view, y, grad);
            struct cxn_max_pool_grad_row row = {
                .largest = pooled_of(s, view, y), .largest_step = block->out, .grad = grad,
                .grad_step = s->stem.channels, .count = block->side, .channels = s->stem.channels
            };
            for (size_t i = 0; i < TURNS; i++) {
                row.src[i] = row_of(piece, turn_of(s, 2 * y + i));
                row.dst[i] = row_of(piece, GRADIENTS + turn_of(s, 2 * y + i));
            }
            s->kernels.max_pool_grad_row->run(&row);
            if (y > 0) finish_row(piece, view, 2 * y - 1);
            finish_row(piece, view, 2 * y);
        }
        if (2 * block->side - 1 < s->stem.side) finish_row(piece, view, 2 * block->side - 1);
    }
}

static void convolve_back(const struct cxn_train_piece *piece)
{
    const cxn_trainer_state *s = piece->s;
    const size_t side = s->stem.side, channels = s->stem.channels, pitch = pitch_of(s);
    const size_t band = CXN_TRAIN_PLACES / side + 1;
    uint8_t *grad = piece->scratch + s->plan.panel[0];
    for (size_t view = piece->first; view < piece->last; view++) {
        const uint8_t *planes = write_planes(piece, view);
        for (size_t y = 0; y < side; y += band) {
            const size_t rows = side - y < band ? side - y : band;
            const struct cxn_norm_center center = {
                .grad = dstem_of(s, view, y), .grad_step = channels, .src = stem_of(s, view, y),
                .src_step = channels, .dst = grad, .dst_step = channels, .count = rows * side,
                .channels = channels, .mean = s->stem.mean_f32, .slope = s->slope,
                .offset = s->offset
            };
            const struct cxn_wgrad wgrad = {
                .src = planes + 2 * y * pitch * s->kernels.map_bytes,
                .place_step = 2 * place_of(s), .row_step = 2 * pitch, .tap_row_step = pitch,
                .tap_rows = KERNEL,
                .run = cxn_train_terms(&s->kernels, s->kernels.stem_columns * place_of(s)),
                .grad = grad, .grad_place_step = channels, .grad_row_step = side * channels,
                .maps = 1, .height = rows, .width = side, .out = channels, .dst = piece->partial,
                .add = view > piece->first || y > 0, .scratch = piece->scratch + s->plan.turned
            };
            s->kernels.norm_center->run(&center);
            s->kernels.wgrad->run(&wgrad);
        }
    }
}

void cxn_train_stem_backward(cxn_trainer_state *s, float *slot)
{
    cxn_train_forget(&s->stem);
    cxn_train_center(s, &s->block[0].map, 0, s->stem.channels);
    cxn_train_each_chunk(s, pool_back, NULL);
    cxn_train_norm_gather(s, &s->norm0, 1.0, slot);
    cxn_train_center(s, &s->stem, 0, s->stem.channels);
    cxn_train_each_chunk(s, convolve_back, NULL);
    cxn_train_gather_stem(s, planes_of(s), slot);
}
