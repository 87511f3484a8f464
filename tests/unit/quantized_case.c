/* SPDX-License-Identifier: Apache-2.0 */
#include "quantized_case.h"

#include <math.h>

#include "base/random.h"
#include "kern/sigmoid_f32.h"
#include "unit/unit.h"

/* ---- random numbers ----------------------------------------------------------------------- */

static double random_between(struct cxn_random *r, double least, double most)
{
    return least + cxn_random_unit(r) * (most - least);
}

/* Sums of so many products of a byte and a weight go to about 0 to 255 and somewhat beyond. */
static void fill_conv(struct cxn_quantized_part *q, const struct cxn_part *part,
                      struct cxn_random *r)
{
    const double terms = (double)part->first_count / part->out;
    const double usual = 90.0 / (sqrt(terms) * 73.0 * 90.0 * (q->low ? 128.0 : 1.0));
    for (size_t i = 0; i < part->first_count; i++) {
        q->weight[i] = (int8_t)((int)cxn_random_below(r, 255) - 127);
        if (q->low) q->low[i] = (int8_t)((int)cxn_random_below(r, 128) - 64);
    }
    for (size_t o = 0; o < part->out; o++) {
        q->m[o] = (float)(usual * random_between(r, 0.5, 1.5));
        q->b[o] = (float)random_between(r, -20.0, 140.0);
    }
}

static void fill_norm(struct cxn_quantized_part *q, const struct cxn_part *part,
                      struct cxn_random *r)
{
    for (size_t i = 0; i < part->out; i++) {
        const uint32_t sort = cxn_random_below(r, 8);
        q->flip[i] = cxn_random_below(r, 2) ? 255 : 0;
        q->knot[i] = (uint8_t)cxn_random_below(r, 200);
        if (sort == 0) q->knot[i] = 0;
        if (sort == 1) q->knot[i] = 255;
    }
}

static void fill_head(struct cxn_quantized_part *q, const struct cxn_part *part,
                      struct cxn_random *r)
{
    const double usual = 2.0 / (sqrt((double)part->in) * 60.0);
    for (size_t i = 0; i < part->first_count; i++)
        q->linear[i] = (float)random_between(r, -usual, usual);
    for (size_t o = 0; o < part->out; o++) q->b[o] = (float)random_between(r, -1.0, 1.0);
}

cxn_quantized *random_quantized(const cxn_fold *fold, bool put_back, uint64_t seed)
{
    cxn_quantized *q;
    bool *two_parts = calloc(fold->count, sizeof *two_parts);
    assert_non_null(two_parts);
    for (size_t i = 0; put_back && i < fold->count; i += 3) two_parts[i] = true;
    assert_int_equal(cxn_quantized_open(&q, fold, two_parts, NULL, NULL), CXN_OK);
    free(two_parts);
    for (size_t i = 0; i < fold->count; i++) {
        const struct cxn_part *part = &fold->parts[i];
        struct cxn_random r = cxn_random_make(seed, i);
        if (part->kind == CXN_PART_NORM) fill_norm(&q->parts[i], part, &r);
        else if (part->kind == CXN_PART_HEAD) fill_head(&q->parts[i], part, &r);
        else fill_conv(&q->parts[i], part, &r);
    }
    return q;
}

void assert_same_quantized(const cxn_quantized *a, const cxn_quantized *b)
{
    for (size_t i = 0; i < a->fold->count; i++) {
        const struct cxn_part *part = &a->fold->parts[i];
        const struct cxn_quantized_part *x = &a->parts[i], *y = &b->parts[i];
        const size_t out = part->out, first = part->first_count;
        assert_int_equal(x->low == NULL, y->low == NULL);
        if (x->weight) assert_memory_equal(x->weight, y->weight, first);
        if (x->low) assert_memory_equal(x->low, y->low, first);
        if (x->m) assert_memory_equal(x->m, y->m, out * sizeof *x->m);
        if (x->b) assert_memory_equal(x->b, y->b, out * sizeof *x->b);
        if (x->flip) assert_memory_equal(x->flip, y->flip, out);
        if (x->knot) assert_memory_equal(x->knot, y->knot, out);
        if (x->linear) assert_memory_equal(x->linear, y->linear, first * sizeof *x->linear);
    }
}

/* ---- the definition ----------------------------------------------------------------------- */

/* A map of bytes, [height][width][channels]; 0 beyond its sides. */
struct map {
    uint8_t *bytes;
    ptrdiff_t height, width, channels;
};

static struct map open_map(ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels)
{
    struct map m = { NULL, height, width, channels };
    m.bytes = calloc((size_t)(height * width * channels), 1);
    assert_non_null(m.bytes);
    return m;
}

static uint8_t *at(const struct map *m, ptrdiff_t y, ptrdiff_t x)
{
    return m->bytes + (y * m->width + x) * m->channels;
}

static int get(const struct map *m, ptrdiff_t y, ptrdiff_t x, ptrdiff_t c)
{
    if (y < 0 || y >= m->height || x < 0 || x >= m->width) return 0;
    return at(m, y, x)[c];
}

static uint8_t requantize(const struct cxn_quantized_part *q, ptrdiff_t o, int32_t hi, int32_t lo)
{
    float v;
    if (q->low) {
        const float high = (float)hi * (128.0f * q->m[o]), low = (float)lo * q->m[o];
        v = high + (low + q->b[o]);
    } else {
        const float product = (float)hi * q->m[o];
        v = product + q->b[o];
    }
    if (!(v > 0.0f)) return 0;
    return v >= 255.0f ? 255 : (uint8_t)lrintf(v); /* to nearest, ties to even */
}

/* Into the channels of dst from `first` on. */
static void convolve(const struct cxn_part *part, const struct cxn_quantized_part *q,
                     const struct map *src, int stride, const struct map *dst, ptrdiff_t first)
{
    const ptrdiff_t kernel = part->kernel, pad = kernel / 2, in = part->in, out = part->out;
    for (ptrdiff_t y = 0; y < dst->height; y++)
        for (ptrdiff_t x = 0; x < dst->width; x++)
            for (ptrdiff_t o = 0; o < out; o++) {
                int32_t hi = 0, lo = 0;
                for (ptrdiff_t tap = 0; tap < kernel * kernel; tap++)
                    for (ptrdiff_t i = 0; i < in; i++) {
                        const int u = get(src, y * stride + tap / kernel - pad,
                                          x * stride + tap % kernel - pad, i);
                        hi += u * q->weight[(tap * in + i) * out + o];
                        if (q->low) lo += u * q->low[(tap * in + i) * out + o];
                    }
                at(dst, y, x)[first + o] = requantize(q, o, hi, lo);
            }
}

static int hinge(const struct cxn_quantized_part *q, ptrdiff_t c, int value)
{
    const int u = (value ^ q->flip[c]) - q->knot[c];
    return u > 0 ? u : 0;
}

/* What a 1x1 reads of the first channels. */
static struct map open_hinged(const struct cxn_quantized_part *q, const struct map *src,
                              ptrdiff_t channels)
{
    const struct map m = open_map(src->height, src->width, channels);
    for (ptrdiff_t y = 0; y < m.height; y++)
        for (ptrdiff_t x = 0; x < m.width; x++)
            for (ptrdiff_t c = 0; c < channels; c++)
                at(&m, y, x)[c] = (uint8_t)hinge(q, c, get(src, y, x, c));
    return m;
}

static struct map open_pooled(const struct map *src)
{
    const struct map m = open_map(src->height / 2, src->width / 2, src->channels);
    for (ptrdiff_t y = 0; y < m.height; y++)
        for (ptrdiff_t x = 0; x < m.width; x++)
            for (ptrdiff_t c = 0; c < m.channels; c++) {
                const int sum = get(src, 2 * y, 2 * x, c) + get(src, 2 * y, 2 * x + 1, c) +
                                get(src, 2 * y + 1, 2 * x, c) + get(src, 2 * y + 1, 2 * x + 1, c);
                at(&m, y, x)[c] = (uint8_t)((sum + 2) >> 2);
            }
    return m;
}

static bool is_grey(const struct cxn_view *v)
{
    if (v->picture->channels == 1) return true;
    for (uint32_t y = v->y; y < v->y + v->height; y++)
        for (uint32_t x = v->x; x < v->x + v->width; x++) {
            const uint8_t *s = v->picture->pixels + y * v->picture->stride_bytes + (size_t)3 * x;
            if (s[0] != s[1] || s[0] != s[2]) return false;
        }
    return true;
}

static struct map open_planes(const struct cxn_view *v, bool grey)
{
    const struct map m = open_map(v->height, v->width, grey ? 2 : 4);
    for (uint32_t y = 0; y < v->height; y++)
        for (uint32_t x = 0; x < v->width; x++) {
            const uint32_t from = v->x + (v->mirror ? v->width - 1 - x : x);
            uint8_t *to = at(&m, y, x);
            memcpy(to, v->picture->pixels + (v->y + y) * v->picture->stride_bytes +
                           (size_t)from * v->picture->channels, (size_t)m.channels - 1);
            to[m.channels - 1] = 255;
        }
    return m;
}

static void pool_stem(const struct map *src, const struct map *dst)
{
    for (ptrdiff_t y = 0; y < dst->height; y++)
        for (ptrdiff_t x = 0; x < dst->width; x++)
            for (ptrdiff_t c = 0; c < src->channels; c++) {
                int most = 0;
                for (int tap = 0; tap < 9; tap++) {
                    const int q = get(src, 2 * y + tap / 3 - 1, 2 * x + tap % 3 - 1, c);
                    most = q > most ? q : most;
                }
                at(dst, y, x)[c] = (uint8_t)most;
            }
}

/* The first block's map with the stem's channels. */
static struct map open_stem(const cxn_quantized *q, const struct cxn_view *v)
{
    const struct cxn_net_config *config = &q->fold->net->config;
    const bool grey = is_grey(v);
    const size_t part = grey ? 0 : 1;
    const struct map planes = open_planes(v, grey);
    const struct map stem = open_map((v->height + 1) / 2, (v->width + 1) / 2, config->stem);
    const struct map block = open_map((stem.height + 1) / 2, (stem.width + 1) / 2,
                                      cxn_net_block_out(config, 0));
    convolve(&q->fold->parts[part], &q->parts[part], &planes, 2, &stem, 0);
    pool_stem(&stem, &block);
    free(planes.bytes);
    free(stem.bytes);
    return block;
}

/* Norm, 1x1 and 3x3 from part number i on. */
static void walk_layer(const cxn_quantized *q, size_t i, const struct map *block)
{
    const struct cxn_part *parts = &q->fold->parts[i];
    const struct cxn_quantized_part *numbers = &q->parts[i];
    const struct map hinged = open_hinged(&numbers[0], block, parts[0].out);
    const struct map middle = open_map(block->height, block->width, parts[1].out);
    convolve(&parts[1], &numbers[1], &hinged, 1, &middle, 0);
    convolve(&parts[2], &numbers[2], &middle, 1, block, parts[0].out);
    free(hinged.bytes);
    free(middle.bytes);
}

/* Norm and 1x1 from part number i on: the next block's map. */
static struct map open_next(const cxn_quantized *q, size_t i, const struct map *block,
                            ptrdiff_t channels)
{
    const struct map hinged = open_hinged(&q->parts[i], block, block->channels);
    const struct map pooled = open_pooled(&hinged);
    const struct map next = open_map(pooled.height, pooled.width, channels);
    convolve(&q->fold->parts[i + 1], &q->parts[i + 1], &pooled, 1, &next, 0);
    free(hinged.bytes);
    free(pooled.bytes);
    return next;
}

/* Norm and head from part number i on. */
static void walk_head(const cxn_quantized *q, size_t i, const struct map *block, float *prob)
{
    const struct cxn_part *head = &q->fold->parts[i + 1];
    const float share = 1.0f / (float)(block->height * block->width);
    float *mean = calloc(head->in, sizeof *mean);
    assert_non_null(mean);
    for (uint32_t c = 0; c < head->in; c++) {
        int32_t sum = 0;
        for (ptrdiff_t y = 0; y < block->height; y++)
            for (ptrdiff_t x = 0; x < block->width; x++)
                sum += hinge(&q->parts[i], c, get(block, y, x, c));
        mean[c] = (float)sum * share;
    }
    for (uint32_t o = 0; o < head->out; o++) {
        float logit = 0.0f;
        for (uint32_t c = 0; c < head->in; c++)
            logit += q->parts[i + 1].linear[(size_t)o * head->in + c] * mean[c];
        prob[o] = logit + q->parts[i + 1].b[o];
    }
    cxn_sigmoid_f32_pick(0)->run(prob, prob, head->out);
    free(mean);
}

void walk_quantized(const cxn_quantized *q, const struct cxn_view *view, float *prob)
{
    const struct cxn_net_config *config = &q->fold->net->config;
    struct map block = open_stem(q, view);
    size_t i = 2;
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        for (uint32_t k = 0; k < config->layers[b]; k++, i += 3) walk_layer(q, i, &block);
        if (b + 1 == CXN_NET_BLOCKS) break;
        const struct map next = open_next(q, i, &block, cxn_net_block_out(config, b + 1));
        free(block.bytes);
        block = next;
        i += 2;
    }
    walk_head(q, i, &block, prob);
    free(block.bytes);
}
