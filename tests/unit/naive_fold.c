/* SPDX-License-Identifier: Apache-2.0 */
#include "naive_fold.h"

#include <math.h>

#include "unit/unit.h"

/* A map [side][side][channels]; bytes are kept as doubles too. */
struct map {
    size_t side, channels;
    double *x;
};

static struct map map_new(size_t side, size_t channels)
{
    struct map m = { side, channels, calloc(side * side * channels, sizeof(double)) };
    assert_non_null(m.x);
    return m;
}

static void replace(struct map *old, struct map new)
{
    free(old->x);
    *old = new;
}

static double at(const struct map *m, size_t y, size_t x, size_t c)
{
    return m->x[(y * m->side + x) * m->channels + c];
}

/* A pass over the parts, in double or, with `bytes`, in integers. */
struct pass {
    const cxn_fold *fold;
    const struct cxn_fold_source *source;
    const cxn_quantized *bytes;
    struct naive_stats *stats;
    float *first, *second;
};

/* ---- what is collected -------------------------------------------------------------------- */

void naive_stats_open(struct naive_stats *s, const cxn_fold *fold)
{
    assert_int_equal(cxn_calibration_open(&s->calibration, fold, NULL, NULL), CXN_OK);
    s->counts = calloc(fold->count, sizeof *s->counts);
    assert_non_null(s->counts);
}

static void see(const struct pass *p, size_t part, const struct map *m)
{
    if (!p->stats) return;
    const struct cxn_calibration_part *c = &p->stats->calibration->parts[part];
    for (size_t i = 0; i < m->side * m->side; i++)
        for (size_t k = 0; k < m->channels; k++) {
            const double x = m->x[i * m->channels + k];
            const bool begin = p->stats->counts[part] + i == 0;
            if (c->lo && (begin || x < c->lo[k])) c->lo[k] = x;
            if (c->hi && (begin || x > c->hi[k])) c->hi[k] = x;
            if (c->mean) c->mean[k] += x;
            if (c->share) c->share[k] += x > 0.0;
        }
    p->stats->counts[part] += m->side * m->side;
}

void naive_stats_finish(struct naive_stats *s)
{
    const cxn_fold *fold = s->calibration->fold;
    s->calibration->images = 1;
    for (size_t i = 0; i < fold->count; i++) {
        const struct cxn_calibration_part *c = &s->calibration->parts[i];
        for (size_t k = 0; k < fold->parts[i].out; k++) {
            if (c->mean) c->mean[k] /= (double)s->counts[i];
            if (c->share) c->share[k] /= (double)s->counts[i];
        }
    }
}

void naive_stats_close(struct naive_stats *s)
{
    cxn_calibration_close(&s->calibration);
    free(s->counts);
}

/* ---- operations --------------------------------------------------------------------------- */

static double byte_of(double v)
{
    return rint(v < 0.0 ? 0.0 : v > 255.0 ? 255.0 : v);
}

static double weight_at(const struct pass *p, size_t part, size_t i)
{
    if (!p->bytes) return (double)p->first[i];
    const struct cxn_quantized_part *q = &p->bytes->parts[part];
    return q->low ? 128.0 * q->weight[i] + q->low[i] : q->weight[i];
}

/* The weights times what they cover, at one place of the result. part: its number. */
static double products(const struct pass *p, size_t part, const struct map *m, long y, long x,
                       size_t o)
{
    const struct cxn_part *c = &p->fold->parts[part];
    double sum = 0.0;
    for (long ky = 0; ky < (long)c->kernel; ky++)
        for (long kx = 0; kx < (long)c->kernel; kx++)
            for (size_t i = 0; i < c->in; i++) {
                const long side = (long)m->side, sy = y + ky, sx = x + kx;
                if (sy < 0 || sy >= side || sx < 0 || sx >= side) continue;
                const size_t w = (((size_t)ky * c->kernel + (size_t)kx) * c->in + i) * c->out + o;
                sum += weight_at(p, part, w) * at(m, (size_t)sy, (size_t)sx, i);
            }
    return sum;
}

static struct map conv(const struct pass *p, size_t part, const struct map *m, size_t stride)
{
    const struct cxn_part *c = &p->fold->parts[part];
    struct map out = map_new(m->side / stride, c->out);
    const long border = (long)c->kernel / 2;
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t o = i % out.channels, place = i / out.channels;
        const long y = (long)(place / out.side * stride), x = (long)(place % out.side * stride);
        const double sum = products(p, part, m, y - border, x - border, o);
        out.x[i] = p->bytes ? byte_of(sum * (double)p->bytes->parts[part].m[o] +
                                      (double)p->bytes->parts[part].b[o])
                            : sum + (c->second_count > 0 ? (double)p->second[o] : 0.0);
    }
    return out;
}

static void relu(const struct pass *p, struct map *m)
{
    for (size_t i = 0; i < m->side * m->side * m->channels && !p->bytes; i++)
        if (m->x[i] < 0.0) m->x[i] = 0.0;
}

static double normed(const struct pass *p, size_t part, double x, size_t c)
{
    if (!p->bytes) return x * (double)p->first[c] + (double)p->second[c];
    const struct cxn_quantized_part *q = &p->bytes->parts[part];
    return (double)((uint8_t)x ^ q->flip[c]) - q->knot[c];
}

static struct map norm(const struct pass *p, size_t part, const struct map *m)
{
    struct map out = map_new(m->side, m->channels);
    for (size_t i = 0; i < m->side * m->side * m->channels; i++) {
        const size_t c = i % m->channels;
        const double x = normed(p, part, m->x[i], c);
        out.x[i] = x > 0.0 ? x : 0.0;
    }
    see(p, part, &out);
    return out;
}

static struct map max_pool(const struct map *m)
{
    struct map out = map_new(m->side / 2, m->channels);
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t c = i % out.channels, place = i / out.channels;
        for (size_t k = 0; k < 9; k++) {
            const size_t y = 2 * (place / out.side) + k / 3, x = 2 * (place % out.side) + k % 3;
            if (y < 1 || x < 1 || y > m->side || x > m->side) continue;
            const double v = at(m, y - 1, x - 1, c);
            if (v > out.x[i]) out.x[i] = v;
        }
    }
    return out;
}

static struct map mean_pool(const struct pass *p, const struct map *m)
{
    struct map out = map_new(m->side / 2, m->channels);
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t c = i % out.channels, place = i / out.channels;
        const size_t y = 2 * (place / out.side), x = 2 * (place % out.side);
        const double sum = at(m, y, x, c) + at(m, y, x + 1, c) + at(m, y + 1, x, c) +
                           at(m, y + 1, x + 1, c);
        out.x[i] = p->bytes ? floor((sum + 2.0) / 4.0) : sum / 4.0;
    }
    return out;
}

static void append(struct map *m, const struct map *more)
{
    struct map out = map_new(m->side, m->channels + more->channels);
    for (size_t i = 0; i < m->side * m->side; i++) {
        memcpy(out.x + i * out.channels, m->x + i * m->channels, m->channels * sizeof(double));
        memcpy(out.x + i * out.channels + m->channels, more->x + i * more->channels,
               more->channels * sizeof(double));
    }
    replace(m, out);
}

/* ---- the pass ----------------------------------------------------------------------------- */

static void load(const struct pass *p, size_t part)
{
    if (p->source)
        assert_int_equal(p->source->read(p->source, &p->fold->parts[part], p->first, p->second,
                                         NULL), CXN_OK);
}

static struct map stem(const struct pass *p, const uint8_t *pixels)
{
    struct map planes = map_new(NAIVE_SIDE, 2);
    for (size_t i = 0; i < (size_t)NAIVE_SIDE * NAIVE_SIDE; i++) {
        planes.x[2 * i] = pixels[i];
        planes.x[2 * i + 1] = p->bytes ? 255.0 : 1.0;
    }
    load(p, 0);
    struct map m = conv(p, 0, &planes, 2);
    relu(p, &m);
    see(p, 0, &m);
    replace(&m, max_pool(&m));
    free(planes.x);
    return m;
}

/* A dense layer of parts i, i + 1, i + 2. */
static void layer(const struct pass *p, size_t i, struct map *m)
{
    load(p, i);
    struct map u = norm(p, i, m);
    load(p, i + 1);
    replace(&u, conv(p, i + 1, &u, 1));
    relu(p, &u);
    see(p, i + 1, &u);
    load(p, i + 2);
    replace(&u, conv(p, i + 2, &u, 1));
    see(p, i + 2, &u);
    append(m, &u);
    free(u.x);
}

static void transition(const struct pass *p, size_t i, struct map *m)
{
    load(p, i);
    replace(m, norm(p, i, m));
    replace(m, mean_pool(p, m));
    load(p, i + 1);
    replace(m, conv(p, i + 1, m, 1));
    see(p, i + 1, m);
}

static void head(const struct pass *p, size_t i, struct map *m, double *logits)
{
    load(p, i);
    replace(m, norm(p, i, m));
    load(p, i + 1);
    const double places = (double)(m->side * m->side);
    for (size_t j = 0; j < NAIVE_CLASSES; j++) {
        logits[j] = (double)(p->bytes ? p->bytes->parts[i + 1].b[j] : p->second[j]);
        for (size_t k = 0; k < m->side * m->side * m->channels; k++) {
            const size_t w = j * m->channels + k % m->channels;
            logits[j] += m->x[k] / places *
                         (double)(p->bytes ? p->bytes->parts[i + 1].linear[w] : p->first[w]);
        }
    }
}

static void run(const struct pass *p, const uint8_t *pixels, double *logits)
{
    const struct cxn_net_config *config = &p->fold->net->config;
    struct map m = stem(p, pixels);
    size_t i = 2;
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        for (uint32_t k = 0; k < config->layers[b]; k++, i += 3) layer(p, i, &m);
        if (b + 1 == CXN_NET_BLOCKS) break;
        transition(p, i, &m);
        i += 2;
    }
    head(p, i, &m, logits);
    free(m.x);
}

void naive_float(const struct cxn_fold_source *source, const uint8_t *pixels,
                 struct naive_stats *stats, double *logits)
{
    struct pass p = { .fold = source->fold, .source = source, .stats = stats };
    p.first = calloc(source->fold->net->float_count, sizeof(float));
    p.second = calloc(source->fold->net->float_count, sizeof(float));
    assert_non_null(p.first);
    assert_non_null(p.second);
    run(&p, pixels, logits);
    free(p.first);
    free(p.second);
}

void naive_bytes(const cxn_quantized *quantized, const uint8_t *pixels, double *logits)
{
    const struct pass p = { .fold = quantized->fold, .bytes = quantized };
    run(&p, pixels, logits);
}
