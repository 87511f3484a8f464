/* SPDX-License-Identifier: Apache-2.0 */
/* One update, with a trainer of a few numbers whose gradients the test makes: what is added to what
 * and in which order, what is sent, what is refused. */
#include <math.h>
#include <stdlib.h>

#include "train/step.h"
#include "unit/unit.h"

enum { PARAMS = 3 << 20, STATISTICS = 64, NUMBERS = PARAMS + STATISTICS, CHECKED = 7 };

struct cxn_trainer_state {
    float *slots;
    unsigned slot_count, pass; /* pass: number of the forward pass, from 0 */
    struct cxn_update last;
    unsigned updates;
    bool poison; /* the next gradient is not a number */
    bool overflow; /* the next statistic is not finite */
};

/* Pass p's gradients, of magnitudes so unlike that every order of adding rounds differently. */
static float gradient(unsigned p, size_t i)
{
    return (float)(sin((double)(p * 31 + i % 101 + 1)) * pow(10, (double)((p * 7 + i) % 9)));
}

/* Some of the numbers: the first, the last and what stands around the pieces. */
static size_t checked(size_t i)
{
    static const size_t at[CHECKED] = { 0, 1, PARAMS / 3, PARAMS - (1 << 20), PARAMS - 1, PARAMS,
                                        NUMBERS - 1 };
    return at[i];
}

static float *slot_of(cxn_trainer_state *s, unsigned slot)
{
    assert_true(slot < s->slot_count);
    return s->slots + (size_t)slot * NUMBERS;
}

static enum cxn_status fake_forward(cxn_trainer_state *s, const struct cxn_train_view *views,
                                    size_t count, unsigned slot, double *logits,
                                    struct cxn_error *err)
{
    (void)views;
    (void)err;
    for (size_t i = 0; i < count * CXN_FINDING_COUNT; i++) logits[i] = s->pass + 0.1;
    for (size_t i = PARAMS; i < NUMBERS; i++) slot_of(s, slot)[i] = gradient(s->pass, i);
    if (s->overflow) slot_of(s, slot)[NUMBERS - 1] = INFINITY;
    return CXN_OK;
}

/* Three ranges, the middle two of them told in rising order, as a row may within a layer. */
static enum cxn_status fake_backward(cxn_trainer_state *s, const double *dlogits, unsigned slot,
                                     cxn_gradient_fn *ready, void *ctx, struct cxn_error *err)
{
    const size_t third = PARAMS / 3;
    float *to = slot_of(s, slot);
    (void)dlogits;
    (void)err;
    memset(to, 0, PARAMS * sizeof *to);
    for (size_t i = 0; checked(i) < PARAMS; i++)
        to[checked(i)] = s->poison ? NAN : gradient(s->pass, checked(i));
    s->pass++;
    if (ready(ctx, 2 * third, third / 2) != 0) return CXN_E_STOPPED;
    if (ready(ctx, 2 * third + third / 2, PARAMS - 2 * third - third / 2) != 0)
        return CXN_E_STOPPED;
    if (ready(ctx, third, third) != 0) return CXN_E_STOPPED;
    return ready(ctx, 0, third) == 0 ? CXN_OK : CXN_E_STOPPED;
}

static void fake_add(cxn_trainer_state *s, unsigned to, unsigned from, size_t first, size_t count)
{
    float *a = slot_of(s, to), *b = slot_of(s, from);
    for (size_t i = first; i < first + count; i++) a[i] += b[i];
}

static double fake_square_sum(cxn_trainer_state *s, unsigned slot)
{
    const float *g = slot_of(s, slot);
    double sum = 0;
    for (size_t i = 0; i < PARAMS; i++) sum += (double)g[i] * (double)g[i];
    return sum;
}

static void fake_update(cxn_trainer_state *s, unsigned slot, const struct cxn_update *update)
{
    assert_int_equal(slot, 0);
    s->last = *update;
    s->updates++;
}

static struct cxn_span fake_block(cxn_trainer_state *s, enum cxn_train_block block, unsigned which)
{
    assert_int_equal(block, CXN_BLOCK_GRADIENT);
    return (struct cxn_span){ .data = slot_of(s, which), .count = NUMBERS,
                              .number = CXN_NUMBER_F32 };
}

static const struct cxn_trainer fake_trainer = {
    .name = "fake", .number = CXN_NUMBER_F32, .forward = fake_forward, .backward = fake_backward,
    .add = fake_add, .square_sum = fake_square_sum, .update = fake_update, .block = fake_block
};

/* ---- a comm that watches ------------------------------------------------------------------ */

struct cxn_comm_state {
    const float *base;
    unsigned char *sent; /* [NUMBERS], how often each number was */
    unsigned sums, finishes, before_finish, moves, gathers;
    bool refuse, lose; /* a sum; to move what has arrived */
};

static unsigned one_rank(const cxn_comm_state *s)
{
    (void)s;
    return 1;
}

static unsigned rank_zero(const cxn_comm_state *s)
{
    (void)s;
    return 0;
}

static enum cxn_status watch_sum(cxn_comm_state *s, const struct cxn_span *span,
                                 struct cxn_error *err)
{
    const size_t first = (size_t)((const float *)span->data - s->base);
    if (s->refuse) return cxn_fail(err, CXN_E_PEER, "rank 1 is gone");
    for (size_t i = first; i < first + span->count; i++) s->sent[i]++;
    s->sums++;
    return CXN_OK;
}

static enum cxn_status watch_progress(cxn_comm_state *s, struct cxn_error *err)
{
    s->moves++;
    return s->lose ? cxn_fail(err, CXN_E_PEER, "rank 2 is gone") : CXN_OK;
}

static enum cxn_status watch_finish(cxn_comm_state *s, struct cxn_error *err)
{
    (void)err;
    s->finishes++;
    s->before_finish = s->sums;
    return CXN_OK;
}

static enum cxn_status copy_gather(cxn_comm_state *s, const void *own, void *all, size_t bytes,
                                   struct cxn_error *err)
{
    (void)err;
    s->gathers++;
    memcpy(all, own, bytes);
    return CXN_OK;
}

static const struct cxn_comm watching_comm = {
    .name = "watching", .rank = rank_zero, .ranks = one_rank, .start_sum = watch_sum,
    .progress = watch_progress, .finish = watch_finish, .gather = copy_gather
};

static void assert_near(double got, double want, double most)
{
    if (!(fabs(got - want) <= most)) fail_msg("%.17g, expected %.17g", got, want);
}

/* ---- a step ------------------------------------------------------------------------------- */

struct bench {
    cxn_net *net;
    struct cxn_settings settings;
    struct cxn_loss loss;
    cxn_trainer_state trainer;
    cxn_comm_state comm;
    unsigned fetched, fail_at; /* passes; fail_at 0: never */
    cxn_train_step *step;
    struct cxn_train_step_call call;
    struct cxn_error err;
};

static enum cxn_status next_pass(void *ctx, struct cxn_train_view *views, uint16_t *labels,
                                 struct cxn_error *err)
{
    struct bench *b = ctx;
    (void)views;
    if (++b->fetched == b->fail_at) return cxn_fail(err, CXN_E_IO, "x.png: gone");
    labels[0] = labels[1] = 0x3fff;
    return CXN_OK;
}

static uint64_t two_skipped(void *ctx)
{
    (void)ctx;
    return 2;
}

static void bench_open(struct bench *b, uint64_t shards, uint64_t accumulate)
{
    static const struct cxn_env env;
    struct cxn_item item = { .labels = 0 };
    const cxn_list list = { .count = 1, .items = &item };
    *b = (struct bench){ .net = calloc(1, sizeof *b->net) };
    assert_non_null(b->net);
    b->net->config.classes = CXN_FINDING_COUNT;
    b->net->param_count = PARAMS;
    b->net->float_count = NUMBERS;
    cxn_settings_init(&b->settings);
    b->settings.batch = 2 * shards;
    b->settings.shards = shards;
    b->settings.accumulate = accumulate;
    cxn_loss_init(&b->loss, CXN_LOSS_BCE, 0, CXN_FINDING_COUNT, &list);
    b->trainer.slot_count = cxn_train_step_slots(&b->settings, 1);
    b->trainer.slots = calloc(b->trainer.slot_count, NUMBERS * sizeof(float));
    b->comm.sent = calloc(NUMBERS, 1);
    assert_true(b->trainer.slots && b->comm.sent);
    b->comm.base = b->trainer.slots;
    const struct cxn_worker worker = { &fake_trainer, &b->trainer, &watching_comm, &b->comm };
    const struct cxn_train_step_options options = { .settings = &b->settings, .loss = &b->loss,
                                                    .net = b->net,
                                                    .source = { next_pass, two_skipped, b } };
    assert_int_equal(cxn_train_step_open(&b->step, &worker, &options, &env, NULL), CXN_OK);
    b->call = (struct cxn_train_step_call){ .number = 3, .lr = 0.5 };
}

static void bench_close(struct bench *b)
{
    cxn_train_step_close(&b->step);
    free(b->trainer.slots);
    free(b->comm.sent);
    free(b->net);
}

static enum cxn_status run(struct bench *b)
{
    return cxn_train_step_run(b->step, &b->call, &b->err);
}

/* `count` shards as the balanced tree adds them; a shard's own passes one by one. */
static float tree(size_t first, size_t count, size_t passes, size_t i)
{
    if (count > 1)
        return tree(first, count / 2, passes, i) + tree(first + count / 2, count / 2, passes, i);
    float sum = gradient((unsigned)(first * passes), i);
    for (size_t p = 1; p < passes; p++) sum += gradient((unsigned)(first * passes + p), i);
    return sum;
}

static void sums_are_a_balanced_tree(void **state)
{
    (void)state;
    for (size_t shards = 1; shards <= 8; shards *= 2) {
        for (size_t passes = 1; passes <= 3; passes++) {
            struct bench b;
            bench_open(&b, shards, passes);
            assert_int_equal(run(&b), CXN_OK);
            for (size_t i = 0; i < CHECKED; i++)
                if (b.trainer.slots[checked(i)] != tree(0, shards, passes, checked(i)))
                    fail_msg("%zu shards, %zu passes, number %zu", shards, passes, checked(i));
            for (size_t i = 0; i < NUMBERS; i++) assert_int_equal(b.comm.sent[i], 1);
            assert_true(b.comm.sums >= 2 && b.comm.before_finish == b.comm.sums);
            assert_int_equal(b.comm.finishes, 1);
            assert_int_equal(b.fetched, shards * passes);
            const double scale = 1 / (double)(shards * passes);
            assert_true(b.trainer.last.gradient_scale == scale);
            assert_true(b.trainer.last.statistic_scale == scale);
            assert_int_equal(b.trainer.last.step, 3);
            assert_true(b.trainer.last.lr == 0.5);
            bench_close(&b);
        }
    }
}

/* Pass p has all logits p + 0.1 and all labels 1. */
static void loss_is_the_mean_of_all_passes(void **state)
{
    (void)state;
    struct bench b;
    double want = 0;
    bench_open(&b, 4, 2);
    assert_int_equal(run(&b), CXN_OK);
    for (int p = 0; p < 8; p++) want += log1p(exp(-(p + 0.1))) / 8;
    assert_near(b.call.loss, want, 1e-14);
    assert_int_equal(b.call.skipped, 2);
    assert_false(b.call.stop);
    bench_close(&b);
}

static void clipping_bounds_the_norm(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, 1);
    assert_int_equal(run(&b), CXN_OK);
    const double norm = sqrt(fake_square_sum(&b.trainer, 0));
    assert_true(b.call.norm == norm);
    b.settings.clip = norm / 4;
    b.trainer.pass = 0;
    assert_int_equal(run(&b), CXN_OK);
    assert_near(b.trainer.last.gradient_scale, 0.25, 1e-9);
    b.settings.clip = 2 * norm;
    b.trainer.pass = 0;
    assert_int_equal(run(&b), CXN_OK);
    assert_true(b.trainer.last.gradient_scale == 1);
    bench_close(&b);
}

static void settings_reach_the_optimiser(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, 1);
    b.settings.optimizer = CXN_RULE_SGD;
    b.settings.momentum = 0.8;
    b.settings.nesterov = true;
    b.settings.weight_decay = 0.01;
    b.settings.beta1 = 0.7;
    b.settings.beta2 = 0.95;
    b.settings.ema = 0.6;
    assert_int_equal(run(&b), CXN_OK);
    const struct cxn_update *u = &b.trainer.last;
    assert_int_equal(u->rule, CXN_RULE_SGD);
    assert_true(u->momentum == 0.8 && u->nesterov && u->weight_decay == 0.01);
    assert_true(u->beta1 == 0.7 && u->beta2 == 0.95 && u->average_decay == 0.6);
    assert_true(u->epsilon == 1e-8);
    assert_int_equal(cxn_settings_moments(&b.settings), 1);
    b.settings.optimizer = CXN_RULE_ADAMW;
    b.trainer.pass = 0;
    assert_int_equal(run(&b), CXN_OK);
    assert_int_equal(b.trainer.last.rule, CXN_RULE_ADAMW);
    assert_int_equal(cxn_settings_moments(&b.settings), 2);
    bench_close(&b);
}

static void what_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 2, 1);
    b.trainer.poison = true;
    assert_int_equal(run(&b), CXN_E_FORMAT);
    assert_string_equal(b.err.text, "step 3: the gradient is not finite");
    b.trainer.poison = false;
    b.trainer.overflow = true;
    assert_int_equal(run(&b), CXN_E_FORMAT);
    assert_string_equal(b.err.text, "step 3: the statistics of a norm are not finite");
    b.trainer.pass = 0;
    b.loss.kind = CXN_LOSS_WEIGHTED_BCE;
    b.loss.positive[4] = NAN;
    assert_int_equal(run(&b), CXN_E_FORMAT);
    assert_string_equal(b.err.text, "step 3: the loss is not finite");
    assert_int_equal(b.trainer.updates, 0);
    bench_close(&b);
}

static void errors_come_before_any_sum(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 4, 1);
    b.fail_at = 3;
    assert_int_equal(run(&b), CXN_E_IO);
    assert_string_equal(b.err.text, "x.png: gone");
    b.call.status = cxn_fail(&b.err, CXN_E_NOMEM, "no memory for the log");
    b.fetched = 0;
    assert_int_equal(run(&b), CXN_E_NOMEM);
    assert_string_equal(b.err.text, "no memory for the log");
    assert_int_equal(b.fetched, 0);
    assert_int_equal(b.comm.sums + b.trainer.updates, 0);
    bench_close(&b);
}

static void lost_peers_end_the_pass(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, 1);
    b.comm.refuse = true;
    assert_int_equal(run(&b), CXN_E_PEER);
    assert_string_equal(b.err.text, "rank 1 is gone");
    assert_int_equal(b.trainer.updates, 0);
    bench_close(&b);
}

/* And nobody is told of it: only close() is left to be called. */
static void lost_peers_are_asked_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1, 3);
    b.comm.lose = true;
    assert_int_equal(run(&b), CXN_E_PEER);
    assert_string_equal(b.err.text, "rank 2 is gone");
    assert_int_equal(b.comm.moves, 1);
    assert_int_equal(b.comm.gathers, 0);
    bench_close(&b);
}

/* A peer that asks meanwhile is answered after each pass, whatever makes a step. */
static void every_pass_is_followed_by_an_answer(void **state)
{
    (void)state;
    unsigned moves[2];
    for (unsigned i = 0; i < 2; i++) {
        struct bench b;
        bench_open(&b, 2, i == 0 ? 1 : 3);
        assert_int_equal(run(&b), CXN_OK);
        moves[i] = b.comm.moves;
        bench_close(&b);
    }
    assert_int_equal(moves[1] - moves[0], 2 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_a_balanced_tree),
        cmocka_unit_test(loss_is_the_mean_of_all_passes),
        cmocka_unit_test(clipping_bounds_the_norm),
        cmocka_unit_test(settings_reach_the_optimiser),
        cmocka_unit_test(what_is_not_finite_changes_nothing),
        cmocka_unit_test(errors_come_before_any_sum),
        cmocka_unit_test(lost_peers_end_the_pass),
        cmocka_unit_test(lost_peers_are_asked_nothing),
        cmocka_unit_test(every_pass_is_followed_by_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
