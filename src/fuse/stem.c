/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/parts.h"
#include "nn/view.h"

enum { STEM_BORDER = 3, STEM_KERNEL = 7 };

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
    const struct cxn_packed_conv *stem =
        planes->channels == 2 * f->kernels.stem_copies ? &f->stem_grey : &f->stem_colour;
    const struct cxn_conv_bordered conv = {
        .src = panel_at(run, planes->map, CXN_FUSE_STEM_STRIDE * y * pitch),
        .place_step = CXN_FUSE_STEM_STRIDE * planes->channels,
        .tap_row_step = pitch, .tap_rows = STEM_KERNEL,
        .run = f->kernels.stem_columns * planes->channels,
        .height = 1, .width = width, .out = f->stem,
        .w = stem->w, .two_parts = stem->two_parts, .bounded = stem->bounded,
        .dst = row + place_bytes, .dst_place_step = f->stem, .relu = true
    };
    memset(row, 0, place_bytes);
    memset(row + (width + 1) * place_bytes, 0, place_bytes);
    f->kernels.run_conv(&conv);
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

void cxn_forward_stem(const struct cxn_forward *run, const struct cxn_view *v)
{
    const struct cxn_packed *f = run->packed;
    const struct bordered planes = { run->maps + run->plan->samples, v->height, v->width,
                                     (cxn_view_is_grey(v) ? 2 : 4) * f->kernels.stem_copies,
                                     STEM_BORDER, STEM_BORDER,
                                     STEM_BORDER + f->kernels.stem_columns - STEM_KERNEL,
                                     f->kernels.panel_bytes, 0 };
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
