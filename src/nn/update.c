/* SPDX-License-Identifier: Apache-2.0 */
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

/* Of one array; its pieces' sums. */
struct squares {
    const void *numbers;
    size_t count, piece;
    double sums[SUMS];
};

static double add_lanes(const double *lanes)
{
    double sum = 0.0;
    for (size_t k = 0; k < LANES; k++) sum += lanes[k];
    return sum;
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

#define NUMBER float
#define BLOCKS cxn_blocks_f32
#define ROOT(x) sqrtf(x)
#define OF(name) name##_f32
#include "nn/update_loops.h"
#undef NUMBER
#undef BLOCKS
#undef ROOT
#undef OF

#define NUMBER double
#define BLOCKS cxn_blocks_f64
#define ROOT(x) sqrt(x)
#define OF(name) name##_f64
#include "nn/update_loops.h"
