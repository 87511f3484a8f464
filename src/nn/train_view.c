/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/train_view.h"

#include "nn/view.h"

/* ---- checks ------------------------------------------------------------------------------- */

/* False for what is not a number, too. */
static bool within(float value, float least, float most)
{
    return value >= least && value <= most;
}

static enum cxn_status check_numbers(const struct cxn_train_view *v, size_t i,
                                     struct cxn_error *err)
{
    const struct cxn_picture *p = v->view.picture;
    if (p->width > CXN_TRAIN_PICTURE_SIDE_MAX || p->height > CXN_TRAIN_PICTURE_SIDE_MAX)
        return cxn_fail(err, CXN_E_ARG, "view %zu: a picture of %ux%u, expected sides up to %u", i,
                        p->width, p->height, CXN_TRAIN_PICTURE_SIDE_MAX);
    if (!within(v->gain, 0.0f, CXN_TRAIN_GAIN_MAX))
        return cxn_fail(err, CXN_E_ARG, "view %zu: gain %g, expected 0..%g", i, (double)v->gain,
                        (double)CXN_TRAIN_GAIN_MAX);
    for (size_t k = 0; v->resampled && k < 4; k++) {
        const float m = v->matrix[k / 2][k % 2];
        if (!within(m, -CXN_TRAIN_MATRIX_MAX, CXN_TRAIN_MATRIX_MAX))
            return cxn_fail(err, CXN_E_ARG, "view %zu: a matrix with %g, expected -%g..%g", i,
                            (double)m, (double)CXN_TRAIN_MATRIX_MAX, (double)CXN_TRAIN_MATRIX_MAX);
    }
    for (size_t k = 0; v->resampled && k < 2; k++)
        if (!within(v->shift[k], -CXN_TRAIN_SHIFT_MAX, CXN_TRAIN_SHIFT_MAX))
            return cxn_fail(err, CXN_E_ARG, "view %zu: a shift of %g, expected -%g..%g", i,
                            (double)v->shift[k], (double)CXN_TRAIN_SHIFT_MAX,
                            (double)CXN_TRAIN_SHIFT_MAX);
    return CXN_OK;
}

enum cxn_status cxn_train_views_check(const struct cxn_train_view *views, size_t count,
                                      const struct cxn_trainer_options *options,
                                      struct cxn_error *err)
{
    const struct cxn_room room = { options->side, options->side };
    if (count == 0 || count > options->views_max)
        return cxn_fail(err, CXN_E_ARG, "%zu views, expected 1..%zu", count, options->views_max);
    for (size_t i = 0; i < count; i++) {
        const struct cxn_view *v = &views[i].view;
        if (v->width != options->side || v->height != options->side)
            return cxn_fail(err, CXN_E_ARG, "view %zu: %ux%u, expected %ux%u", i, v->width,
                            v->height, options->side, options->side);
        enum cxn_status status = cxn_view_check(v, i, &room, err);
        if (status == CXN_OK) status = check_numbers(&views[i], i, err);
        if (status != CXN_OK) return status;
    }
    if (count == 1 && !options->head_only && options->side < 2 * CXN_VIEW_SIDE_MIN)
        return cxn_fail(err, CXN_E_ARG, "one view of side %u: its last maps have one place, which "
                        "has no variance", options->side);
    return CXN_OK;
}

/* ---- cutting ------------------------------------------------------------------------------ */

/*
 * Positions are integers, multiples of 2^-36 of a pixel: a matrix of floats from 2^-12 on is exact
 * in them. Of a place's position 26 bits behind the point are kept, so that the weighted sum of
 * four samples is an integer as well, at most 255 * 2^52. Only its product with the gain is a
 * double: the bits of every machine whose doubles are IEEE's. From the definition in real numbers
 * the sum is less than 4e-6 away: a sample differs from it at ties alone, and then by one.
 */
enum { POSITION_BITS = 36, WEIGHT_BITS = 26 };

/* To the nearest integer, ties to the even one, at most 255: in a double from 2^52 on the last bit
 * is worth 1, so that the addition rounds. No branch: it would be guessed wrong too often.
 * value: not below 0. */
static uint8_t round_sample(double value)
{
    const int whole = (int)((value + 0x1p52) - 0x1p52);
    return (uint8_t)(whole | -(whole > 255));
}

/* Between a and b, in one more WEIGHT_BITS. */
static int64_t mix(int64_t a, int64_t b, int64_t weight)
{
    return (a << WEIGHT_BITS) + (b - a) * weight;
}

/* 0 outside of the picture. */
static uint8_t sample_at(const struct cxn_picture *p, int64_t x, int64_t y, uint32_t channel)
{
    if (x < 0 || x >= p->width || y < 0 || y >= p->height) return 0;
    return p->pixels[(size_t)y * p->stride_bytes + (size_t)x * p->channels + channel];
}

/* A position of the picture. */
struct place {
    int64_t left, top;       /* the whole pixels */
    int64_t to_right, below; /* in WEIGHT_BITS */
};

static struct place place_at(int64_t x, int64_t y)
{
    const int64_t half = 1 << (POSITION_BITS - WEIGHT_BITS - 1), mask = (1 << WEIGHT_BITS) - 1;
    x = (x + half) >> (POSITION_BITS - WEIGHT_BITS);
    y = (y + half) >> (POSITION_BITS - WEIGHT_BITS);
    return (struct place){ x >> WEIGHT_BITS, y >> WEIGHT_BITS, x & mask, y & mask };
}

/* All four neighbours are in the picture. */
static bool is_inside(const struct cxn_picture *p, const struct place *at)
{
    return at->left >= 0 && at->left < (int64_t)p->width - 1 && at->top >= 0 &&
           at->top < (int64_t)p->height - 1;
}

static inline uint8_t mix_four(int64_t a, int64_t b, int64_t c, int64_t d, const struct place *at,
                               double scale)
{
    const int64_t upper = mix(a, b, at->to_right), lower = mix(c, d, at->to_right);
    return round_sample((double)mix(upper, lower, at->below) * scale);
}

static void write_inside(const struct cxn_picture *p, const struct place *at, double scale,
                         uint8_t *dst)
{
    const uint8_t *upper =
        p->pixels + (size_t)at->top * p->stride_bytes + (size_t)at->left * p->channels;
    const uint8_t *lower = upper + p->stride_bytes;
    for (uint32_t c = 0; c < p->channels; c++, upper++, lower++)
        dst[c] = mix_four(upper[0], upper[p->channels], lower[0], lower[p->channels], at, scale);
}

static void write_edge(const struct cxn_picture *p, const struct place *at, double scale,
                       uint8_t *dst)
{
    for (uint32_t c = 0; c < p->channels; c++)
        dst[c] = mix_four(sample_at(p, at->left, at->top, c),
                          sample_at(p, at->left + 1, at->top, c),
                          sample_at(p, at->left, at->top + 1, c),
                          sample_at(p, at->left + 1, at->top + 1, c), at, scale);
}

/* So many pixels, or pixels a pixel, for each half of a pixel. */
static int64_t halves(float value)
{
    return (int64_t)((double)value * (double)((int64_t)1 << (POSITION_BITS - 1)));
}

/* Places are counted in halves of a pixel from the window's centre, which lies on one. */
static void resample(const struct cxn_train_view *from, uint8_t *dst)
{
    const struct cxn_view *v = &from->view;
    const struct cxn_picture p = *v->picture; /* what dst, for all the compiler knows, may change */
    const int64_t x_x = halves(from->matrix[0][0]), x_y = halves(from->matrix[0][1]);
    const int64_t y_x = halves(from->matrix[1][0]), y_y = halves(from->matrix[1][1]);
    const int64_t right = (int64_t)v->width - 1, bottom = (int64_t)v->height - 1;
    const int64_t half = (int64_t)1 << (POSITION_BITS - 1);
    const int64_t centre_x = (2 * (int64_t)v->x + right) * half + 2 * halves(from->shift[0]);
    const int64_t centre_y = (2 * (int64_t)v->y + bottom) * half + 2 * halves(from->shift[1]);
    const double scale = (double)from->gain * 0x1p-52; /* takes back WEIGHT_BITS twice */
    for (int64_t row = -bottom; row <= bottom; row += 2) {
        for (int64_t column = -right; column <= right; column += 2, dst += p.channels) {
            const struct place at = place_at(centre_x + x_x * column + x_y * row,
                                             centre_y + y_x * column + y_y * row);
            if (is_inside(&p, &at)) write_inside(&p, &at, scale, dst);
            else write_edge(v->picture, &at, scale, dst);
        }
    }
}

static void amplify(const struct cxn_train_view *from, uint8_t *dst)
{
    const struct cxn_view *v = &from->view;
    const size_t row_bytes = (size_t)v->width * v->picture->channels;
    uint8_t becomes[256];
    for (int sample = 0; sample < 256; sample++)
        becomes[sample] = round_sample(sample * (double)from->gain);
    for (uint32_t row = 0; row < v->height; row++, dst += row_bytes) {
        const uint8_t *src = v->picture->pixels + (v->y + row) * v->picture->stride_bytes +
                             (size_t)v->x * v->picture->channels;
        for (size_t i = 0; i < row_bytes; i++) dst[i] = becomes[src[i]];
    }
}

struct cxn_view cxn_train_view_cut(const struct cxn_train_view *from, uint8_t *buffer,
                                   struct cxn_picture *cut)
{
    struct cxn_view view = from->view;
    if (!from->resampled && from->gain == 1.0f) return view;
    if (from->resampled) resample(from, buffer);
    else amplify(from, buffer);
    *cut = (struct cxn_picture){ .pixels = buffer, .width = view.width, .height = view.height,
                                 .channels = view.picture->channels,
                                 .stride_bytes = (size_t)view.width * view.picture->channels };
    view.picture = cut;
    view.x = view.y = 0;
    return view;
}
