/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/winograd.h"

#include <string.h>

enum { TILE = CXN_WINOGRAD_TILE, POSITIONS = CXN_WINOGRAD_POSITIONS };
enum { FILTERS = CXN_WINOGRAD_FILTERS, LINE_FLOATS = 16 };

/* Floats from one position of a group to the next: a line more than they take, for with a multiple
 * of 4096 bytes the 36 positions of a tile would drive each other out of the cache. */
static size_t position_step(size_t tiles, size_t channels)
{
    const size_t count = tiles * channels;
    return (count + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS + LINE_FLOATS;
}

size_t cxn_winograd_packed_count(const struct cxn_fuse_kernels *kernels, size_t in, size_t out)
{
    return POSITIONS * kernels->packed_count(kernels->conv, out, in);
}

size_t cxn_winograd_scratch_count(const struct cxn_fuse_kernels *kernels, size_t in, size_t out)
{
    const size_t group = kernels->winograd_data->group;
    return POSITIONS * (position_step(group, in) + position_step(group, out));
}

size_t cxn_winograd_plain_count(size_t in, size_t out)
{
    return POSITIONS * position_step(in, out);
}

/* `count` neighbouring filters, at most FILTERS: their taps are w_step floats apart, the positions
 * they are written to `step`. */
static void transform_filters(float *plain, size_t step, const float *w, size_t w_step,
                              size_t count)
{
    double u[POSITIONS][FILTERS], g[9][FILTERS] = { { 0.0 } };
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t o = 0; o < count; o++) g[tap][o] = (double)w[tap * w_step + o];
    cxn_winograd_filter(u, g);
    for (size_t p = 0; p < POSITIONS; p++) {
        float rounded[FILTERS];
        for (size_t o = 0; o < FILTERS; o++) rounded[o] = (float)u[p][o];
        memcpy(plain + p * step, rounded, count * sizeof *rounded);
    }
}

void cxn_winograd_pack(const struct cxn_fuse_kernels *kernels, float *packed, const float *w,
                       size_t in, size_t out, float *plain)
{
    const size_t step = position_step(in, out);
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o += FILTERS)
            transform_filters(plain + i * out + o, step, w + i * out + o, in * out,
                              out - o < FILTERS ? out - o : FILTERS);
    for (size_t p = 0; p < POSITIONS; p++) {
        kernels->pack(kernels->conv, packed, plain + p * step, NULL, out, in);
        packed += kernels->packed_count(kernels->conv, out, in);
    }
}

/* Neighbouring tiles of one row of tiles: from column `x` of it on. */
struct segment {
    size_t y, x, tiles;
};

/* The segment that begins with tile `first`. */
static struct segment find_segment(const struct cxn_winograd *c, size_t first, size_t last)
{
    const size_t columns = cxn_winograd_tiles(c->width);
    const struct segment s = { first / columns, first % columns, columns - first % columns };
    return s.tiles < last - first ? s : (struct segment){ s.y, s.x, last - first };
}

static void transform_data(const struct cxn_winograd *c, size_t first, size_t last, float *v)
{
    const size_t step = position_step(last - first, c->in);
    for (struct segment s; first < last; first += s.tiles, v += s.tiles * c->in) {
        s = find_segment(c, first, last);
        const struct cxn_winograd_data_f32 data = {
            .src = c->src + TILE * (s.y * c->src_row_step + s.x * c->in), .place_step = c->in,
            .row_step = c->src_row_step, .tiles = s.tiles, .channels = c->in, .dst = v,
            .tile_step = c->in, .position_step = step
        };
        c->kernels->winograd_data->run(&data);
    }
}

/* Of each position, the tiles' numbers times its weights. */
static void multiply(const struct cxn_winograd *c, size_t tiles, const float *v, float *m)
{
    const size_t weights = c->kernels->packed_count(c->kernels->conv, c->out, c->in);
    for (size_t p = 0; p < POSITIONS; p++) {
        const struct cxn_conv_bordered conv = {
            .src = v + p * position_step(tiles, c->in), .place_step = c->in, .tap_rows = 1,
            .run = c->in, .height = 1, .width = tiles, .out = c->out, .w = c->w + p * weights,
            .dst = m + p * position_step(tiles, c->out), .dst_place_step = c->out
        };
        c->kernels->run_conv(&conv);
    }
}

/* The inverse transform into `rows`, and from there, rounded, into the map from number `at` on. */
static void invert_rounded(const struct cxn_winograd *c, struct cxn_winograd_inverse_f32 *inverse,
                           float *rows, size_t at)
{
    inverse->dst = rows;
    inverse->dst_place_step = c->out;
    inverse->dst_row_step = inverse->width * c->out;
    c->kernels->winograd_inverse->run(inverse);
    for (size_t y = 0; y < inverse->height; y++) {
        const struct cxn_round_bf16 round = {
            .src = rows + y * inverse->dst_row_step, .src_step = c->out,
            .dst = (uint16_t *)c->dst + at + y * c->dst_row_step, .dst_step = c->dst_place_step,
            .count = inverse->width, .channels = c->out
        };
        c->kernels->round->run(&round);
    }
}

/* rows: the tiles' numbers, which have been used; they are more than the outputs. */
static void transform_back(const struct cxn_winograd *c, size_t first, size_t last, const float *m,
                           float *rows)
{
    const size_t step = position_step(last - first, c->out);
    for (struct segment s; first < last; first += s.tiles, m += s.tiles * c->out) {
        s = find_segment(c, first, last);
        const size_t y = TILE * s.y, x = TILE * s.x;
        const size_t at = y * c->dst_row_step + x * c->dst_place_step;
        struct cxn_winograd_inverse_f32 inverse = {
            .src = m, .tile_step = c->out, .position_step = step,
            .height = c->height - y < TILE ? c->height - y : TILE,
            .width = c->width - x < TILE * s.tiles ? c->width - x : TILE * s.tiles,
            .channels = c->out, .dst_place_step = c->dst_place_step,
            .dst_row_step = c->dst_row_step
        };
        if (c->kernels->round) {
            invert_rounded(c, &inverse, rows, at);
            continue;
        }
        inverse.dst = (float *)c->dst + at;
        c->kernels->winograd_inverse->run(&inverse);
    }
}

void cxn_winograd_run(const struct cxn_winograd *c, size_t first, size_t last)
{
    const size_t group = c->kernels->winograd_data->group;
    for (size_t end; first < last; first = end) {
        end = last - first < group ? last : first + group;
        float *v = c->scratch, *m = v + POSITIONS * position_step(end - first, c->in);
        transform_data(c, first, end, v);
        multiply(c, end - first, v, m);
        transform_back(c, first, end, m, v);
    }
}
