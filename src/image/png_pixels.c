/* SPDX-License-Identifier: Apache-2.0 */
/* From the inflated bytes of a PNG to 8-bit samples: filters, passes, sample formats. */
#include <string.h>

#include "image/png.h"

/* ---- sizes -------------------------------------------------------------------------------- */

/* One of the seven reduced pictures of Adam7; a plain picture is one pass that steps by 1. */
struct pass {
    uint32_t x, y, step_x, step_y; /* where its pixels go */
    uint32_t width, height;
};

static const uint8_t adam7[7][4] = { /* x, y, step_x, step_y */
    { 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 },
    { 0, 2, 2, 4 }, { 1, 0, 2, 2 }, { 0, 1, 1, 2 },
};

static uint32_t pass_count(const struct cxn_png_head *head)
{
    return head->interlaced ? 7 : 1;
}

static struct pass pass_at(const struct cxn_png_head *head, uint32_t i)
{
    if (!head->interlaced) return (struct pass){ 0, 0, 1, 1, head->width, head->height };
    struct pass p = { adam7[i][0], adam7[i][1], adam7[i][2], adam7[i][3], 0, 0 };
    if (head->width > p.x) p.width = (head->width - p.x + p.step_x - 1) / p.step_x;
    if (head->height > p.y) p.height = (head->height - p.y + p.step_y - 1) / p.step_y;
    return p;
}

/* Bytes of a row without its filter byte */
static size_t row_bytes(const struct cxn_png_head *head, uint32_t width)
{
    return ((size_t)width * head->samples * head->depth + 7) / 8;
}

uint32_t cxn_png_channels(const struct cxn_png_head *head)
{
    return head->type == CXN_PNG_GREY || head->type == CXN_PNG_GREY_ALPHA ? 1 : 3;
}

size_t cxn_png_raw_bytes(const struct cxn_png_head *head)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < pass_count(head); i++) {
        const struct pass p = pass_at(head, i);
        if (p.width != 0) bytes += (1 + row_bytes(head, p.width)) * p.height;
    }
    return bytes;
}

/* ---- filters ------------------------------------------------------------------------------ */

/* Filters in place on n bytes; up: the row above, unfiltered; bpp: bytes from a byte to the one it
 * is predicted from. */
typedef void filter_fn(uint8_t *row, const uint8_t *up, size_t n, size_t bpp);

static void undo_none(uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    (void)row, (void)up, (void)n, (void)bpp;
}

static void undo_sub(uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    (void)up;
    for (size_t i = bpp; i < n; i++) row[i] = (uint8_t)(row[i] + row[i - bpp]);
}

static void undo_up(uint8_t *restrict row, const uint8_t *restrict up, size_t n, size_t bpp)
{
    (void)bpp;
    for (size_t i = 0; i < n; i++) row[i] = (uint8_t)(row[i] + up[i]);
}

static void undo_average(uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    for (size_t i = 0; i < bpp && i < n; i++) row[i] = (uint8_t)(row[i] + up[i] / 2);
    for (size_t i = bpp; i < n; i++) row[i] = (uint8_t)(row[i] + (row[i - bpp] + up[i]) / 2);
}

/* The standard's predictor: the one of a (left), b (above), c (above left) nearest to a + b - c, in
 * this order among equals. The same for all 2^24 inputs as its three distances, but with a shorter
 * way from a, which is known last, to the result. */
static int predict_paeth(int a, int b, int c)
{
    const int turn = 3 * c - b - a;
    const int low = a < b ? a : b, high = a < b ? b : a;
    const int inner = high <= turn ? low : c;
    return turn <= low ? high : inner;
}

static void undo_paeth(uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    for (size_t i = 0; i < bpp && i < n; i++) row[i] = (uint8_t)(row[i] + up[i]);
    for (size_t i = bpp; i < n; i++)
        row[i] = (uint8_t)(row[i] + predict_paeth(row[i - bpp], up[i], up[i - bpp]));
}

/* The usual X-ray has one byte a pixel; there the left neighbours stay in registers. */
static void undo_average_1(uint8_t *restrict row, const uint8_t *restrict up, size_t n, size_t bpp)
{
    (void)bpp;
    unsigned left = 0;
    for (size_t i = 0; i < n; i++) {
        left = (row[i] + (left + up[i]) / 2) & 0xff;
        row[i] = (uint8_t)left;
    }
}

static void undo_paeth_1(uint8_t *restrict row, const uint8_t *restrict up, size_t n, size_t bpp)
{
    (void)bpp;
    int left = 0, up_left = 0;
    for (size_t i = 0; i < n; i++) {
        const int above = up[i];
        left = (row[i] + predict_paeth(left, above, up_left)) & 0xff;
        up_left = above;
        row[i] = (uint8_t)left;
    }
}

/* Two rows, the lower one a pixel behind: each pixel waits for its left neighbour, so one row alone
 * leaves the processor idle. n at least 1. */
static void undo_paeth_pair_1(uint8_t *restrict row, uint8_t *restrict below,
                              const uint8_t *restrict up, size_t n)
{
    int left = (row[0] + up[0]) & 0xff, up_left = up[0];
    int below_left = 0, below_up_left = 0;
    row[0] = (uint8_t)left;
    for (size_t i = 1; i < n; i++) {
        const int above = up[i], above_below = left;
        below_left = (below[i - 1] + predict_paeth(below_left, above_below, below_up_left)) & 0xff;
        below_up_left = above_below;
        below[i - 1] = (uint8_t)below_left;
        left = (row[i] + predict_paeth(left, above, up_left)) & 0xff;
        up_left = above;
        row[i] = (uint8_t)left;
    }
    below[n - 1] = (uint8_t)(below[n - 1] + predict_paeth(below_left, left, below_up_left));
}

enum { FILTER_PAETH = 4, FILTER_COUNT };
static filter_fn *const filters[2][FILTER_COUNT] = {
    { undo_none, undo_sub, undo_up, undo_average, undo_paeth },
    { undo_none, undo_sub, undo_up, undo_average_1, undo_paeth_1 },
};

/* ---- samples ------------------------------------------------------------------------------ */

/* One row of width pixels to 8-bit grey or RGB; false: an index without a colour. */
typedef bool convert_fn(const struct cxn_png_head *head, const uint8_t *row, size_t width,
                        uint8_t *dst);

static bool take_bytes(const struct cxn_png_head *head, const uint8_t *row, size_t width,
                       uint8_t *dst)
{
    memcpy(dst, row, width * head->samples);
    return true;
}

/* The most significant byte of each sample that is kept, as Pillow does; alpha is left out. */
static bool take_high_bytes(const struct cxn_png_head *head, const uint8_t *row, size_t width,
                            uint8_t *dst)
{
    const size_t keep = cxn_png_channels(head), sample_bytes = head->depth / 8;
    const size_t pixel_bytes = head->samples * sample_bytes;
    for (size_t x = 0; x < width; x++, row += pixel_bytes)
        for (size_t c = 0; c < keep; c++) *dst++ = row[c * sample_bytes];
    return true;
}

/* round(v * 255 / 65535) = (v + 128) / 257 */
static bool scale_grey_16(const struct cxn_png_head *head, const uint8_t *row, size_t width,
                          uint8_t *dst)
{
    (void)head;
    for (size_t x = 0; x < width; x++)
        dst[x] = (uint8_t)(((unsigned)row[2 * x] * 256u + row[2 * x + 1] + 128u) / 257u);
    return true;
}

/* Sample x of a row with 1, 2, 4 or 8 bits a sample; the leftmost is in the highest bits. */
static uint8_t small_sample(const uint8_t *row, size_t x, uint32_t depth)
{
    const size_t bit = x * depth;
    return (uint8_t)((row[bit / 8] >> (8 - depth - bit % 8)) & ((1u << depth) - 1));
}

static bool widen_grey(const struct cxn_png_head *head, const uint8_t *row, size_t width,
                       uint8_t *dst)
{
    const unsigned white = (1u << head->depth) - 1; /* divides 255 */
    for (size_t x = 0; x < width; x++)
        dst[x] = (uint8_t)(small_sample(row, x, head->depth) * (255u / white));
    return true;
}

static bool look_up(const struct cxn_png_head *head, const uint8_t *row, size_t width, uint8_t *dst)
{
    for (size_t x = 0; x < width; x++) {
        const uint8_t index = small_sample(row, x, head->depth);
        if (index >= head->colour_count) return false;
        memcpy(dst + 3 * x, head->colours[index], 3);
    }
    return true;
}

static convert_fn *pick_convert(const struct cxn_png_head *head)
{
    if (head->type == CXN_PNG_PALETTE) return look_up;
    if (head->type == CXN_PNG_GREY && head->depth == 16) return scale_grey_16;
    if (head->depth < 8) return widen_grey;
    if (head->depth == 8 && head->samples == cxn_png_channels(head)) return take_bytes;
    return take_high_bytes;
}

/* ---- passes ------------------------------------------------------------------------------- */

struct unpacker {
    const struct cxn_png_head *head;
    struct cxn_picture *out;
    struct cxn_error *err;
    const uint8_t *zeros; /* the row above the first */
    uint8_t *scratch;     /* a converted row of a pass that does not fill its rows */
};

/* Row y of a pass, unfiltered, to its place in the picture */
static enum cxn_status place_row(const struct unpacker *u, const struct pass *p, uint32_t y,
                                 const uint8_t *row)
{
    const size_t channels = u->out->channels;
    uint8_t *dst = u->out->pixels + (p->y + (size_t)y * p->step_y) * u->out->stride_bytes;
    const bool whole = p->step_x == 1;
    if (!pick_convert(u->head)(u->head, row, p->width, whole ? dst : u->scratch))
        return cxn_fail(u->err, CXN_E_FORMAT, "row %u: palette index over the %u colours of PLTE",
                        (unsigned)(p->y + y * p->step_y), (unsigned)u->head->colour_count);
    if (whole) return CXN_OK;
    for (size_t x = 0; x < p->width; x++)
        memcpy(dst + (p->x + x * p->step_x) * channels, u->scratch + x * channels, channels);
    return CXN_OK;
}

/* *raw is moved behind the pass */
static enum cxn_status unpack_pass(const struct unpacker *u, const struct pass *p, uint8_t **raw)
{
    const size_t n = row_bytes(u->head, p->width);
    const size_t pixel_bits = (size_t)u->head->samples * u->head->depth;
    const size_t bpp = pixel_bits < 8 ? 1 : pixel_bits / 8;
    filter_fn *const *undo = filters[bpp == 1];
    const uint8_t *up = u->zeros;
    bool ready = false; /* done together with the row before it */
    for (uint32_t y = 0; y < p->height; y++) {
        const uint8_t filter = *(*raw)++;
        uint8_t *row = *raw;
        if (filter >= FILTER_COUNT)
            return cxn_fail(u->err, CXN_E_FORMAT, "row %u: filter type %u, expected 0 to 4",
                            (unsigned)(p->y + y * p->step_y), filter);
        const bool pair = !ready && bpp == 1 && filter == FILTER_PAETH && y + 1 < p->height &&
                          row[n] == FILTER_PAETH;
        if (pair)
            undo_paeth_pair_1(row, row + n + 1, up, n);
        else if (!ready)
            undo[filter](row, up, n, bpp);
        ready = pair;
        const enum cxn_status status = place_row(u, p, y, row);
        if (status != CXN_OK) return status;
        up = row;
        *raw += n;
    }
    return CXN_OK;
}

enum cxn_status cxn_png_unpack(const struct cxn_env *env, const struct cxn_png_head *head,
                               uint8_t *raw, struct cxn_picture *out, struct cxn_error *err)
{
    const size_t zero_bytes = row_bytes(head, head->width);
    uint8_t *scratch = cxn_alloc(env->mem, out->stride_bytes, 1);
    uint8_t *zeros = cxn_alloc_zero(env->mem, zero_bytes, 1);
    struct unpacker u = { head, out, err, zeros, scratch };
    enum cxn_status status = CXN_OK;
    if (!scratch || !zeros)
        status = cxn_fail_nomem(err, env->mem, out->stride_bytes + zero_bytes, "a row");
    for (uint32_t i = 0; i < pass_count(head) && status == CXN_OK; i++) {
        const struct pass p = pass_at(head, i);
        if (p.width != 0) status = unpack_pass(&u, &p, &raw);
    }
    cxn_free(scratch);
    cxn_free(zeros);
    return status;
}
