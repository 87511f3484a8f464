/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of nn/update.c over one type of numbers, included once a type: NUMBER is the type,
 * BLOCKS the record of its blocks, ROOT() its square root, and OF(name) the name for this type. No
 * guard, for it is to be read twice.
 */

struct OF(update) {
    const struct BLOCKS *blocks;
    const struct cxn_trained *trained;
    struct factors factors;
    enum cxn_rule rule;
};

static void OF(sgd)(const struct BLOCKS *b, const struct factors *f, struct range r)
{
    NUMBER *restrict weights = b->weights;
    const NUMBER *restrict gradient = b->gradient;
    const NUMBER scale = (NUMBER)f->gradient, decay = (NUMBER)f->decay, lr = (NUMBER)f->lr;
    for (size_t i = r.first; i < r.end; i++)
        weights[i] -= lr * (gradient[i] * scale + decay * weights[i]);
}

static void OF(sgd_momentum)(const struct BLOCKS *b, const struct factors *f, struct range r)
{
    NUMBER *restrict weights = b->weights, *restrict buffer = b->moment[0];
    const NUMBER *restrict gradient = b->gradient;
    const NUMBER scale = (NUMBER)f->gradient, decay = (NUMBER)f->decay, lr = (NUMBER)f->lr;
    const NUMBER kept = (NUMBER)f->kept, ahead = (NUMBER)f->ahead;
    const bool nesterov = f->nesterov;
    for (size_t i = r.first; i < r.end; i++) {
        const NUMBER g = gradient[i] * scale + decay * weights[i];
        const NUMBER moved = kept * buffer[i] + g;
        buffer[i] = moved;
        weights[i] -= lr * (nesterov ? g + ahead * moved : moved);
    }
}

static void OF(adamw)(const struct BLOCKS *b, const struct factors *f, struct range r)
{
    NUMBER *restrict weights = b->weights;
    NUMBER *restrict mean = b->moment[0], *restrict square = b->moment[1];
    const NUMBER *restrict gradient = b->gradient;
    const NUMBER scale = (NUMBER)f->gradient, shrunk = (NUMBER)f->shrunk;
    const NUMBER first = (NUMBER)f->first;
    const NUMBER second = (NUMBER)f->second, second_new = (NUMBER)f->second_new;
    const NUMBER root = (NUMBER)f->root, epsilon = (NUMBER)f->epsilon, step = (NUMBER)f->step;
    for (size_t i = r.first; i < r.end; i++) {
        const NUMBER g = gradient[i] * scale;
        const NUMBER m = mean[i] + first * (g - mean[i]);
        const NUMBER v = second * square[i] + second_new * g * g;
        mean[i] = m;
        square[i] = v;
        weights[i] = weights[i] * shrunk - step * m / (ROOT(v) / root + epsilon);
    }
}

static void OF(statistics)(const struct BLOCKS *b, const struct factors *f, struct range r)
{
    for (size_t i = r.first; i < r.end; i++)
        b->weights[i] = (NUMBER)((1.0 - RUNNING_MOMENTUM) * (double)b->weights[i] +
                                 f->statistic * (double)b->gradient[i]);
}

/* Written so that an average of equal numbers is that number. */
static void OF(average)(const struct BLOCKS *b, const struct factors *f, struct range r)
{
    NUMBER *restrict average = b->average;
    const NUMBER *restrict weights = b->weights;
    const NUMBER share = (NUMBER)f->average;
    for (size_t i = r.first; i < r.end; i++) average[i] += share * (weights[i] - average[i]);
}

static void OF(update_piece)(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct OF(update) *u = ctx;
    const struct range r = trained_piece(u->trained, index);
    if (r.first >= u->trained->param_end) OF(statistics)(u->blocks, &u->factors, r);
    else if (u->rule == CXN_RULE_ADAMW) OF(adamw)(u->blocks, &u->factors, r);
    else if (u->factors.buffered) OF(sgd_momentum)(u->blocks, &u->factors, r);
    else OF(sgd)(u->blocks, &u->factors, r);
    if (u->blocks->average) OF(average)(u->blocks, &u->factors, r);
}

void OF(cxn_update)(const struct BLOCKS *blocks, const struct cxn_trained *trained,
                    const struct cxn_update *update, cxn_pool *pool)
{
    struct OF(update) u = { .blocks = blocks, .trained = trained, .factors = factors_of(update),
                            .rule = update->rule };
    cxn_pool_run(pool, trained_pieces(trained), OF(update_piece), &u);
}

struct OF(add) {
    NUMBER *to;
    const NUMBER *from;
    size_t count;
};

static void OF(add_piece)(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    const struct OF(add) *a = ctx;
    NUMBER *restrict to = a->to;
    const NUMBER *restrict from = a->from;
    const struct range r = piece_of(0, a->count, index);
    for (size_t i = r.first; i < r.end; i++) to[i] += from[i];
}

void OF(cxn_add)(NUMBER *to, const NUMBER *from, size_t count, cxn_pool *pool)
{
    struct OF(add) a = { to, from, count };
    cxn_pool_run(pool, piece_count(count), OF(add_piece), &a);
}

static void OF(square_piece)(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    struct squares *s = ctx;
    const NUMBER *numbers = s->numbers;
    double lanes[LANES] = { 0.0 };
    const size_t first = index * s->piece;
    const size_t count = s->count - first < s->piece ? s->count - first : s->piece;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (double)numbers[first + i + k] * (double)numbers[first + i + k];
    for (; i < count; i++)
        lanes[i % LANES] += (double)numbers[first + i] * (double)numbers[first + i];
    s->sums[index] = add_lanes(lanes);
}

double OF(cxn_square_sum)(const NUMBER *numbers, size_t count, cxn_pool *pool)
{
    return square_sum(&(struct squares){ .numbers = numbers, .count = count }, OF(square_piece),
                      pool);
}
