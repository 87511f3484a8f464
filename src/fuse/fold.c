/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/fold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kern/window_f32.h"

/* ---- table -------------------------------------------------------------------------------- */

/* Called twice: with parts NULL to count, then to fill. Tensors are met in state_dict order. */
struct builder {
    const struct cxn_net_tensor *next;
    struct cxn_part *parts;
    size_t count;
};

static const struct cxn_net_tensor *pass(struct builder *b, size_t count)
{
    const struct cxn_net_tensor *t = b->next;
    b->next += count;
    return t;
}

/* part->from is set. The name is that of the tensor's module, and `what` behind it. */
static void add(struct builder *b, struct cxn_part part, const char *what)
{
    struct cxn_part *p = b->parts ? &b->parts[b->count] : NULL;
    b->count++;
    if (!p) return;
    const int module = (int)(strrchr(part.from->name, '.') - part.from->name);
    *p = part;
    snprintf(p->name, sizeof p->name, "%.*s%s", module, part.from->name, what);
}

static void add_norm(struct builder *b)
{
    const struct cxn_net_tensor *t = pass(b, 4);
    add(b, (struct cxn_part){ .kind = CXN_PART_NORM, .out = t->dims[0], .first_count = t->count,
                              .second_count = t->count, .from = t }, "");
}

static void add_conv(struct builder *b, const struct cxn_net_tensor *t,
                     const struct cxn_net_tensor *norm)
{
    add(b, (struct cxn_part){ .kind = CXN_PART_CONV, .out = t->dims[0], .in = t->dims[1],
                              .kernel = t->dims[2], .first_count = t->count,
                              .second_count = norm ? t->dims[0] : 0, .from = t, .norm = norm },
        "");
}

static void add_stem(struct builder *b, const struct cxn_net_tensor *t, uint32_t samples,
                     const char *what)
{
    const uint32_t in = samples + 1;
    add(b, (struct cxn_part){ .kind = CXN_PART_STEM, .out = t->dims[0], .in = in,
                              .kernel = t->dims[2],
                              .first_count = (size_t)t->dims[0] * t->dims[2] * t->dims[3] * in,
                              .second_count = t->dims[0], .from = t, .norm = t + 1 }, what);
}

static void add_head(struct builder *b)
{
    const struct cxn_net_tensor *t = pass(b, 2);
    add(b, (struct cxn_part){ .kind = CXN_PART_HEAD, .out = t->dims[0], .in = t->dims[1],
                              .first_count = t[0].count, .second_count = t[1].count, .from = t },
        "");
}

static void add_layer(struct builder *b)
{
    add_norm(b);
    const struct cxn_net_tensor *t = pass(b, 5); /* conv1, norm2 */
    add_conv(b, t, t + 1);
    add_conv(b, pass(b, 1), NULL);
}

static void add_all(struct builder *b, const struct cxn_net_config *config)
{
    const struct cxn_net_tensor *t = pass(b, 5); /* conv0, norm0 */
    add_stem(b, t, 1, ".grey");
    add_stem(b, t, 3, ".colour");
    for (uint32_t i = 0; i < CXN_NET_BLOCKS; i++) {
        for (uint32_t k = 0; k < config->layers[i]; k++) add_layer(b);
        add_norm(b);
        if (i + 1 < CXN_NET_BLOCKS) add_conv(b, pass(b, 1), NULL);
    }
    add_head(b);
}

enum cxn_status cxn_fold_open(cxn_fold **out, const cxn_net *net, struct cxn_mem *mem,
                              struct cxn_error *err)
{
    struct builder count = { .next = net->tensors };
    add_all(&count, &net->config);
    const size_t bytes = sizeof **out + count.count * sizeof(struct cxn_part);
    cxn_fold *fold = *out = cxn_alloc_zero(mem, bytes, 1);
    if (!fold) return cxn_fail_nomem(err, mem, bytes, "the folded graph's table");
    struct builder fill = { .next = net->tensors, .parts = fold->parts };
    add_all(&fill, &net->config);
    fold->net = net;
    fold->count = count.count;
    return CXN_OK;
}

void cxn_fold_close(cxn_fold **fold)
{
    if (!fold) return;
    cxn_free(*fold);
    *fold = NULL;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* (x - mean) / sqrt(var + epsilon) * weight + bias = x * (*scale) + (*shift) for channel i of the
 * norm whose four tensors begin at t. */
static void read_norm(const struct cxn_net_tensor *t, const float *block, size_t i, double *scale,
                      double *shift)
{
    const float *weight = block + t[0].offset, *bias = block + t[1].offset;
    const float *mean = block + t[2].offset, *var = block + t[3].offset;
    *scale = (double)weight[i] / sqrt((double)var[i] + CXN_NET_EPSILON);
    *shift = (double)bias[i] - (double)mean[i] * *scale;
}

static void fold_norm(const struct cxn_part *part, const float *block, float *scale, float *shift)
{
    for (size_t i = 0; i < part->out; i++) {
        double s, h;
        read_norm(part->from, block, i, &s, &h);
        scale[i] = (float)s;
        shift[i] = (float)h;
    }
}

enum { TILE = 16 }; /* floats of a line of the cache */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A row of a square; most are whole, and of those compilers make vectors. */
static void scale_row(float *dst, const float *w, double scale, size_t count)
{
    if (count == TILE)
        for (size_t k = 0; k < TILE; k++) dst[k] = (float)((double)w[k] * scale);
    else
        for (size_t k = 0; k < count; k++) dst[k] = (float)((double)w[k] * scale);
}

/* [out][in * taps] to [taps][in][out], the columns o.. of it, each times its scale; in squares, so
 * that lines of both are used whole. */
static void turn_columns(const struct cxn_part *part, const float *w, const double *scale,
                         size_t o, size_t columns, float *dst)
{
    const size_t taps = (size_t)part->kernel * part->kernel, terms = taps * part->in;
    for (size_t first = 0, rows; first < terms; first += rows) {
        float square[TILE][TILE], *row[TILE];
        rows = smaller(TILE, terms - first);
        for (size_t k = 0; k < rows; k++) {
            const size_t input = (first + k) / taps, tap = (first + k) % taps;
            row[k] = dst + (tap * part->in + input) * part->out + o;
        }
        for (size_t c = 0; c < columns; c++)
            scale_row(square[c], w + (o + c) * terms + first, scale[c], rows);
        for (size_t k = 0; k < rows; k++)
            for (size_t c = 0; c < columns; c++) row[k][c] = square[c][k];
    }
}

/* A convolution and, where it has one, the norm behind it. */
static void fold_conv(const struct cxn_part *part, const float *block, float *weight, float *bias)
{
    for (size_t o = 0, columns; o < part->out; o += columns) {
        double scale[TILE], shift;
        columns = smaller(TILE, part->out - o);
        for (size_t c = 0; c < columns; c++) {
            scale[c] = 1.0;
            if (!part->norm) continue;
            read_norm(part->norm, block, o + c, &scale[c], &shift);
            bias[o + c] = (float)shift;
        }
        turn_columns(part, block + part->from->offset, scale, o, columns, weight);
    }
}

/*
 * The stem on samples as they are: (sample / 255 - mean) / deviation is linear in the sample and in
 * the 1 of the plane behind it. With one sample a place, its weight is the sum over red, green and
 * blue, whose samples are equal.
 */
static void fold_stem(const struct cxn_part *part, const float *block, float *weight, float *bias)
{
    const size_t taps = (size_t)part->kernel * part->kernel, planes = part->in, ones = planes - 1;
    for (size_t o = 0; o < part->out; o++) {
        double scale, shift;
        read_norm(part->norm, block, o, &scale, &shift);
        bias[o] = (float)shift;
        for (size_t tap = 0; tap < taps; tap++) {
            double sum[4] = { 0 };
            for (size_t i = 0; i < 3; i++) {
                const double w = (double)block[part->from->offset + (o * 3 + i) * taps + tap] *
                                 scale / (double)cxn_window_deviation[i];
                sum[ones == 1 ? 0 : i] += w / 255.0;
                sum[ones] -= w * (double)cxn_window_mean[i];
            }
            for (size_t p = 0; p < planes; p++)
                weight[(tap * planes + p) * part->out + o] = (float)sum[p];
        }
    }
}

static void copy_head(const struct cxn_part *part, const float *block, float *weight, float *bias)
{
    memcpy(weight, block + part->from[0].offset, part->first_count * sizeof *weight);
    memcpy(bias, block + part->from[1].offset, part->second_count * sizeof *bias);
}

static enum cxn_status fold_part(const struct cxn_fold_source *source, const struct cxn_part *part,
                                 float *first, float *second, struct cxn_error *err)
{
    (void)err;
    switch (part->kind) {
    case CXN_PART_STEM: fold_stem(part, source->from, first, second); break;
    case CXN_PART_NORM: fold_norm(part, source->from, first, second); break;
    case CXN_PART_CONV: fold_conv(part, source->from, first, second); break;
    case CXN_PART_HEAD: copy_head(part, source->from, first, second); break;
    }
    return CXN_OK;
}

struct cxn_fold_source cxn_fold_source_block(const cxn_fold *fold, const float *block)
{
    return (struct cxn_fold_source){ .fold = fold, .from = block, .read = fold_part };
}
