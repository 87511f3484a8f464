/* SPDX-License-Identifier: Apache-2.0 */
/* The loops over floats come first; those over doubles are the same, line by line. */
#include "nn/update.h"

#include <math.h>

/* Numbers of one piece of work: small enough to share out, and to stay in a core's cache. */
enum { PIECE = 1 << 15 };

/* Pieces that a sum has at most; they get larger instead. */
enum { SUMS = 64, LANES = 8 };

#define RUNNING_MOMENTUM 0.1

struct cxn_trained cxn_trained_of(const cxn_net *net, bool head_only)
{
    struct cxn_trained all = { 0, net->param_count, net->param_count, net->float_count };
    if (!head_only) return all;
    all.statistic_first = all.statistic_end;
    for (size_t i = 0; i < net->tensor_count; i++)
        if (net->tensors[i].role == CXN_ROLE_HEAD_WEIGHT) all.param_first = net->tensors[i].offset;
    return all;
}

/* The factors of a step. */
struct factors {
    double gradient, decay; /* SGD: decay times the weight joins the gradient */
    double lr;
    double kept;      /* of the momentum buffer: 0 in the first step */
    double ahead;     /* nesterov: of the buffer, added to the gradient */
    bool buffered, nesterov;
    double shrunk;    /* AdamW: the weight is multiplied by it */
    double first, second, second_new; /* of the moments */
    double root, epsilon, step;
    double statistic, average;
};

/* base to the power of n by squaring: libm's pow() picks variants by CPU. */
static double power(double base, uint64_t n)
{
    double result = 1.0;
    for (; n > 0; n >>= 1, base *= base)
        if (n & 1) result *= base;
    return result;
}

static struct factors factors_of(const struct cxn_update *u)
{
    return (struct factors){
        .gradient = u->gradient_scale, .decay = u->weight_decay, .lr = u->lr,
        .kept = u->step > 1 ? u->momentum : 0.0, .ahead = u->momentum,
        .buffered = u->momentum > 0.0, .nesterov = u->nesterov,
        .shrunk = 1.0 - u->lr * u->weight_decay, .first = 1.0 - u->beta1, .second = u->beta2,
        .second_new = 1.0 - u->beta2, .root = sqrt(1.0 - power(u->beta2, u->step)),
        .epsilon = u->epsilon, .step = u->lr / (1.0 - power(u->beta1, u->step)),
        .statistic = RUNNING_MOMENTUM * u->statistic_scale, .average = 1.0 - u->average_decay
    };
}

/* Cut [first, end) at multiples of PIECE from first. */
struct range {
    size_t first, end;
};

static size_t piece_count(size_t count)
{
    return (count + PIECE - 1) / PIECE;
}

static struct range piece_of(size_t first, size_t end, size_t index)
{
    const size_t at = first + index * PIECE;
    return (struct range){ at, end - at < PIECE ? end : at + PIECE };
}

/* Piece `index` of the parameters or, behind them, of the statistics. */
static struct range trained_piece(const struct cxn_trained *t, size_t index)
{
    const size_t params = piece_count(t->param_end - t->param_first);
    if (index < params) return piece_of(t->param_first, t->param_end, index);
    return piece_of(t->statistic_first, t->statistic_end, index - params);
}

static size_t trained_pieces(const struct cxn_trained *t)
{
    return piece_count(t->param_end - t->param_first) +
           piece_count(t->statistic_end - t->statistic_first);
}

struct update_f32 {
    const struct cxn_blocks_f32 *blocks;
    const struct cxn_trained *trained;
    struct factors factors;
    enum cxn_rule rule;
};

static void sgd_f32(const struct cxn_blocks_f32 *b, const struct factors *f, struct range r)
{
    float *restrict weights = b->weights;
    const float *restrict gradient = b->gradient;
    const float scale = (float)f->gradient, decay = (float)f->decay, lr = (float)f->lr;
    for (size_t i = r.first; i < r.end; i++)
        weights[i] -= lr * (gradient[i] * scale + decay * weights[i]);
}

static void sgd_momentum_f32(const struct cxn_blocks_f32 *b, const struct factors *f,
                             struct range r)
{
    float *restrict weights = b->weights, *restrict buffer = b->moment[0];
    const float *restrict gradient = b->gradient;
    const float scale = (float)f->gradient, decay = (float)f->decay, lr = (float)f->lr;
    const float kept = (float)f->kept, ahead = (float)f->ahead;
    const bool nesterov = f->nesterov;
    for (size_t i = r.first; i < r.end; i++) {
        const float g = gradient[i] * scale + decay * weights[i];
        const float moved = kept * buffer[i] + g;
        buffer[i] = moved;
        weights[i] -= lr * (nesterov ? g + ahead * moved : moved);
    }
}

static void adamw_f32(const struct cxn_blocks_f32 *b, const struct factors *f, struct range r)
{
    float *restrict weights = b->weights;
    float *restrict mean = b->moment[0], *restrict square = b->moment[1];
    const float *restrict gradient = b->gradient;
    const float scale = (float)f->gradient, shrunk = (float)f->shrunk;
    const float first = (float)f->first;
    const float second = (float)f->second, second_new = (float)f->second_new;
    const float root = (float)f->root, epsilon = (float)f->epsilon, step = (float)f->step;
    for (size_t i = r.first; i < r.end; i++) {
        const float g = gradient[i] * scale;
        const float m = mean[i] + first * (g - mean[i]);
        const float v = second * square[i] + second_new * g * g;
        mean[i] = m;
        square[i] = v;
        weights[i] = weights[i] * shrunk - step * m / (sqrtf(v) / root + epsilon);
    }
}

static void statistics_f32(const struct cxn_blocks_f32 *b, const struct factors *f, struct range r)
{
    for (size_t i = r.first; i < r.end; i++)
        b->weights[i] = (float)((1.0 - RUNNING_MOMENTUM) * (double)b->weights[i] +
                                f->statistic * (double)b->gradient[i]);
}

/* Written so that an average of equal numbers is that number. */
static void average_f32(const struct cxn_blocks_f32 *b, const struct factors *f, struct range r)
{
    float *restrict average = b->average;
    const float *restrict weights = b->weights;
    const float share = (float)f->average;
    for (size_t i = r.first; i < r.end; i++) average[i] += share * (weights[i] - average[i]);
}

static void update_piece_f32(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct update_f32 *u = ctx;
    const struct range r = trained_piece(u->trained, index);
    if (r.first >= u->trained->param_end) statistics_f32(u->blocks, &u->factors, r);
    else if (u->rule == CXN_RULE_ADAMW) adamw_f32(u->blocks, &u->factors, r);
    else if (u->factors.buffered) sgd_momentum_f32(u->blocks, &u->factors, r);
    else sgd_f32(u->blocks, &u->factors, r);
    if (u->blocks->average) average_f32(u->blocks, &u->factors, r);
}

void cxn_update_f32(const struct cxn_blocks_f32 *blocks, const struct cxn_trained *trained,
                    const struct cxn_update *update, cxn_pool *pool)
{
    struct update_f32 u = { .blocks = blocks, .trained = trained, .factors = factors_of(update),
                            .rule = update->rule };
    cxn_pool_run(pool, trained_pieces(trained), update_piece_f32, &u);
}

struct add_f32 {
    float *to;
    const float *from;
    size_t count;
};

static void add_piece_f32(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct add_f32 *a = ctx;
    float *restrict to = a->to;
    const float *restrict from = a->from;
    const struct range r = piece_of(0, a->count, index);
    for (size_t i = r.first; i < r.end; i++) to[i] += from[i];
}

void cxn_add_f32(float *to, const float *from, size_t count, cxn_pool *pool)
{
    struct add_f32 a = { to, from, count };
    cxn_pool_run(pool, piece_count(count), add_piece_f32, &a);
}

/* Of one array in one of the two types; its pieces' sums. */
struct squares {
    const float *f32;
    const double *f64;
    size_t count, piece;
    double sums[SUMS];
};

static double add_lanes(const double *lanes)
{
    double sum = 0.0;
    for (size_t k = 0; k < LANES; k++) sum += lanes[k];
    return sum;
}

static void square_piece_f32(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    struct squares *s = ctx;
    double lanes[LANES] = { 0.0 };
    const size_t first = index * s->piece;
    const size_t count = s->count - first < s->piece ? s->count - first : s->piece;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (double)s->f32[first + i + k] * (double)s->f32[first + i + k];
    for (; i < count; i++)
        lanes[i % LANES] += (double)s->f32[first + i] * (double)s->f32[first + i];
    s->sums[index] = add_lanes(lanes);
}

static double square_sum(struct squares *s, cxn_pool_fn *piece, cxn_pool *pool)
{
    double sum = 0.0;
    s->piece = s->count / SUMS + 1;
    const size_t pieces = (s->count + s->piece - 1) / s->piece;
    cxn_pool_run(pool, pieces, piece, s);
    for (size_t i = 0; i < pieces; i++) sum += s->sums[i];
    return sum;
}

double cxn_square_sum_f32(const float *numbers, size_t count, cxn_pool *pool)
{
    return square_sum(&(struct squares){ .f32 = numbers, .count = count }, square_piece_f32, pool);
}

struct update_f64 {
    const struct cxn_blocks_f64 *blocks;
    const struct cxn_trained *trained;
    struct factors factors;
    enum cxn_rule rule;
};

static void sgd_f64(const struct cxn_blocks_f64 *b, const struct factors *f, struct range r)
{
    double *restrict weights = b->weights;
    const double *restrict gradient = b->gradient;
    for (size_t i = r.first; i < r.end; i++)
        weights[i] -= f->lr * (gradient[i] * f->gradient + f->decay * weights[i]);
}

static void sgd_momentum_f64(const struct cxn_blocks_f64 *b, const struct factors *f,
                             struct range r)
{
    double *restrict weights = b->weights, *restrict buffer = b->moment[0];
    const double *restrict gradient = b->gradient;
    for (size_t i = r.first; i < r.end; i++) {
        const double g = gradient[i] * f->gradient + f->decay * weights[i];
        const double moved = f->kept * buffer[i] + g;
        buffer[i] = moved;
        weights[i] -= f->lr * (f->nesterov ? g + f->ahead * moved : moved);
    }
}

static void adamw_f64(const struct cxn_blocks_f64 *b, const struct factors *f, struct range r)
{
    double *restrict weights = b->weights;
    double *restrict mean = b->moment[0], *restrict square = b->moment[1];
    const double *restrict gradient = b->gradient;
    for (size_t i = r.first; i < r.end; i++) {
        const double g = gradient[i] * f->gradient;
        const double m = mean[i] + f->first * (g - mean[i]);
        const double v = f->second * square[i] + f->second_new * g * g;
        mean[i] = m;
        square[i] = v;
        weights[i] = weights[i] * f->shrunk - f->step * m / (sqrt(v) / f->root + f->epsilon);
    }
}

static void statistics_f64(const struct cxn_blocks_f64 *b, const struct factors *f, struct range r)
{
    for (size_t i = r.first; i < r.end; i++)
        b->weights[i] = (1.0 - RUNNING_MOMENTUM) * b->weights[i] + f->statistic * b->gradient[i];
}

static void average_f64(const struct cxn_blocks_f64 *b, const struct factors *f, struct range r)
{
    double *restrict average = b->average;
    const double *restrict weights = b->weights;
    for (size_t i = r.first; i < r.end; i++)
        average[i] += f->average * (weights[i] - average[i]);
}

static void update_piece_f64(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct update_f64 *u = ctx;
    const struct range r = trained_piece(u->trained, index);
    if (r.first >= u->trained->param_end) statistics_f64(u->blocks, &u->factors, r);
    else if (u->rule == CXN_RULE_ADAMW) adamw_f64(u->blocks, &u->factors, r);
    else if (u->factors.buffered) sgd_momentum_f64(u->blocks, &u->factors, r);
    else sgd_f64(u->blocks, &u->factors, r);
    if (u->blocks->average) average_f64(u->blocks, &u->factors, r);
}

void cxn_update_f64(const struct cxn_blocks_f64 *blocks, const struct cxn_trained *trained,
                    const struct cxn_update *update, cxn_pool *pool)
{
    struct update_f64 u = { .blocks = blocks, .trained = trained, .factors = factors_of(update),
                            .rule = update->rule };
    cxn_pool_run(pool, trained_pieces(trained), update_piece_f64, &u);
}

struct add_f64 {
    double *to;
    const double *from;
    size_t count;
};

static void add_piece_f64(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct add_f64 *a = ctx;
    double *restrict to = a->to;
    const double *restrict from = a->from;
    const struct range r = piece_of(0, a->count, index);
    for (size_t i = r.first; i < r.end; i++) to[i] += from[i];
}

void cxn_add_f64(double *to, const double *from, size_t count, cxn_pool *pool)
{
    struct add_f64 a = { to, from, count };
    cxn_pool_run(pool, piece_count(count), add_piece_f64, &a);
}

static void square_piece_f64(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    struct squares *s = ctx;
    double lanes[LANES] = { 0.0 };
    const size_t first = index * s->piece;
    const size_t count = s->count - first < s->piece ? s->count - first : s->piece;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += s->f64[first + i + k] * s->f64[first + i + k];
    for (; i < count; i++) lanes[i % LANES] += s->f64[first + i] * s->f64[first + i];
    s->sums[index] = add_lanes(lanes);
}

double cxn_square_sum_f64(const double *numbers, size_t count, cxn_pool *pool)
{
    return square_sum(&(struct squares){ .f64 = numbers, .count = count }, square_piece_f64, pool);
}
