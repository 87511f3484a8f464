/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of trainers on the shrunken network: slots, rules, averages, what is told
 * while a pass runs, a frozen backbone, views of all sorts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "formula.h"
#include "nn/train_view.h"
#include "small_net.h"
#include "train_replay.h"
#include "unit/unit.h"

/* Rounded as the row's blocks are. */
static double stored(const struct trainee *t, double x)
{
    return trainer_of(t)->number == CXN_NUMBER_F64 ? x : (double)(float)x;
}

static void fill_slot(const struct trainee *t, unsigned slot)
{
    double *numbers = train_doubles(t->net->net->float_count);
    for (size_t i = 0; i < t->net->net->float_count; i++) numbers[i] = train_noise(slot + 1, i);
    trainee_write(t, CXN_BLOCK_GRADIENT, slot, numbers);
    free(numbers);
}

static void slots_are_added(void **state)
{
    const struct train_fixture *f = *state;
    const size_t all = f->net.net->float_count, first = 1001, count = all - 1001 - 17;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 3 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 2);
        for (unsigned slot = 0; slot < 3; slot++) fill_slot(&t, slot);
        trainer_of(&t)->add(t.state, 2, 1, first, count);
        double *to = trainee_read(&t, CXN_BLOCK_GRADIENT, 2);
        double *from = trainee_read(&t, CXN_BLOCK_GRADIENT, 1);
        double *other = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
        for (size_t i = 0; i < all; i++) {
            const bool added = i >= first && i < first + count;
            assert_true(to[i] == stored(&t, train_noise(3, i) + (added ? train_noise(2, i) : 0.0)));
            assert_true(from[i] == train_noise(2, i) && other[i] == train_noise(1, i));
        }
        free(to);
        free(from);
        free(other);
        trainee_close(&t);
    }
}

static void squares_are_summed(void **state)
{
    const struct train_fixture *f = *state;
    const size_t params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 2 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        double want = 0.0;
        trainee_open(&t, &setup, &f->net, &options, 2);
        fill_slot(&t, 1);
        for (size_t i = 0; i < params; i++) want += train_noise(2, i) * train_noise(2, i);
        const double got = trainer_of(&t)->square_sum(t.state, 1);
        assert_true(fabs(got - want) <= 1e-12 * want);
        double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 1);
        slot[params] = INFINITY; /* a statistic is no gradient */
        trainee_write(&t, CXN_BLOCK_GRADIENT, 1, slot);
        assert_true(trainer_of(&t)->square_sum(t.state, 1) == got);
        static const double bad[] = { INFINITY, -INFINITY, NAN };
        for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
            slot[params - 1 - i] = bad[i];
            trainee_write(&t, CXN_BLOCK_GRADIENT, 1, slot);
            assert_true(!isfinite(trainer_of(&t)->square_sum(t.state, 1)));
            slot[params - 1 - i] = 0.0;
        }
        free(slot);
        trainee_close(&t);
    }
}

/* Two steps of plain SGD from sums of two passes: weights, running statistics, average. */
static void sums_are_scaled_and_averaged(void **state)
{
    const struct train_fixture *f = *state;
    const size_t all = f->net.net->float_count, params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 1,
                                                 .keeps_average = true };
    struct cxn_update update = { .rule = CXN_RULE_SGD, .lr = 0.5, .gradient_scale = 0.25,
                                 .weight_decay = 0.125,
                                 .statistic_scale = 0.125, .average_decay = 0.75 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        const double near = setup.row->trainer->number == CXN_NUMBER_F64 ? 1e-15 : 1e-6;
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 2);
        fill_slot(&t, 0);
        for (update.step = 1; update.step <= 2; update.step++)
            trainer_of(&t)->update(t.state, 0, &update);
        double *weights = trainee_read(&t, CXN_BLOCK_WEIGHTS, 0);
        double *average = trainee_read(&t, CXN_BLOCK_AVERAGE, 0);
        for (size_t i = 0; i < all; i++) {
            double w = (double)f->net.block[i], mean = w;
            for (int step = 0; step < 2; step++) {
                w = i < params ? w - 0.5 * (0.25 * train_noise(1, i) + 0.125 * w)
                               : 0.9 * w + 0.1 * 0.125 * train_noise(1, i);
                mean = 0.75 * mean + 0.25 * w;
            }
            assert_true(fabs(weights[i] - w) <= near * (1.0 + fabs(w)));
            assert_true(fabs(average[i] - mean) <= near * (1.0 + fabs(mean)));
        }
        free(weights);
        free(average);
        trainee_close(&t);
    }
}

/* The first step sets the momentum buffer, whatever was in it; the second adds to it. */
static void a_first_step_sets_the_buffer(void **state)
{
    const struct train_fixture *f = *state;
    const size_t params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 1,
                                                 .moments = 1 };
    struct cxn_update update = { .rule = CXN_RULE_SGD, .lr = 0.5, .momentum = 0.5,
                                 .gradient_scale = 1.0, .statistic_scale = 1.0 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 2);
        fill_slot(&t, 0);
        double *buffer = train_doubles(params);
        for (size_t i = 0; i < params; i++) buffer[i] = 3.0;
        trainee_write(&t, CXN_BLOCK_MOMENT, 0, buffer);
        free(buffer);
        for (update.step = 1; update.step <= 2; update.step++) {
            trainer_of(&t)->update(t.state, 0, &update);
            buffer = trainee_read(&t, CXN_BLOCK_MOMENT, 0);
            const double times = update.step == 1 ? 1.0 : 1.5;
            for (size_t i = 0; i < params; i++)
                assert_true(buffer[i] == stored(&t, times * train_noise(1, i)));
            free(buffer);
        }
        trainee_close(&t);
    }
}

/* Two steps by one rule from unlike numbers in slot and moments: weights, moments, average. */
static double *updated(const struct train_setup *setup, const struct train_net *n,
                       const struct cxn_update *rule, size_t *count)
{
    const size_t all = n->net->float_count, params = n->net->param_count;
    const struct cxn_trainer_options options = { .views_max = 1, .side = TRAIN_SIDE, .slots = 1,
                                                 .moments = 2, .keeps_average = true };
    struct cxn_update update = *rule;
    struct trainee t;
    trainee_open(&t, setup, n, &options, 2);
    fill_slot(&t, 0);
    for (update.step = 1; update.step <= 2; update.step++)
        trainer_of(&t)->update(t.state, 0, &update);
    double *out = train_doubles(2 * all + 2 * params), *at = out;
    static const struct { enum cxn_train_block block; unsigned which; } blocks[] = {
        { CXN_BLOCK_WEIGHTS, 0 }, { CXN_BLOCK_AVERAGE, 0 }, { CXN_BLOCK_MOMENT, 0 },
        { CXN_BLOCK_MOMENT, 1 }
    };
    for (size_t i = 0; i < CXN_COUNTOF(blocks); i++) {
        double *block = trainee_read(&t, blocks[i].block, blocks[i].which);
        const size_t numbers = i < 2 ? all : params;
        memcpy(at, block, numbers * sizeof *at);
        at += numbers;
        free(block);
    }
    trainee_close(&t);
    *count = (size_t)(at - out);
    return out;
}

/* Each number: a few roundings of it and of what it is made of, all of about 1 or less. */
static void updates_are_ref64s(void **state)
{
    static const struct cxn_update rules[] = {
        { .rule = CXN_RULE_SGD, .lr = 0.1, .weight_decay = 0.1, .momentum = 0.9, .nesterov = true,
          .gradient_scale = 0.5, .statistic_scale = 0.25, .average_decay = 0.9 },
        { .rule = CXN_RULE_ADAMW, .lr = 0.1, .weight_decay = 0.1, .beta1 = 0.9, .beta2 = 0.999,
          .epsilon = 1e-8, .gradient_scale = 0.5, .statistic_scale = 0.25, .average_decay = 0.9 }
    };
    const struct train_fixture *f = *state;
    struct train_setup ref64 = { 0 };
    assert_true(train_setup_next(&ref64) && ref64.row->trainer == &cxn_trainer_ref64);
    for (size_t i = 0; i < CXN_COUNTOF(rules); i++) {
        size_t count, same;
        double *want = updated(&ref64, &f->net, &rules[i], &count);
        for (struct train_setup setup = ref64; train_setup_next(&setup);) {
            double *got = updated(&setup, &f->net, &rules[i], &same);
            assert_int_equal(same, count);
            for (size_t k = 0; k < count; k++)
                if (!(fabs(got[k] - want[k]) <= 1e-6 * (1.0 + fabs(want[k]))))
                    fail_msg("%s: rule %zu, number %zu: %.9g, in double %.9g", setup.name, i, k,
                             got[k], want[k]);
            free(got);
        }
        free(want);
    }
}

/* What is told while a backward pass runs: whole, in falling order, and final. */
struct told {
    const struct trainee *t;
    double *numbers;     /* of each range, as it was told */
    unsigned char *seen; /* how often each number was */
    size_t lowest;       /* of the parameters told so far */
    size_t calls, stop_at;
};

static int note_ready(void *ctx, size_t first, size_t count)
{
    struct told *told = ctx;
    double *slot = trainee_read(told->t, CXN_BLOCK_GRADIENT, 0);
    const size_t params = told->t->net->net->param_count;
    assert_true(count > 0);
    if (first >= params) {
        assert_int_equal(told->lowest, params); /* before all parameters */
    } else {
        assert_int_equal(first + count, told->lowest);
        told->lowest = first;
    }
    memcpy(told->numbers + first, slot + first, count * sizeof *slot);
    for (size_t i = first; i < first + count; i++) told->seen[i]++;
    free(slot);
    return ++told->calls == told->stop_at;
}

static enum cxn_status back_with(struct told *told, struct trainee *t)
{
    double logits[TRAIN_IMAGES * TRAIN_CLASSES], dlogits[TRAIN_IMAGES * TRAIN_CLASSES];
    struct train_batch batch;
    train_batch_run(&batch, t->net, TRAIN_BCE, 0);
    assert_int_equal(trainer_of(t)->forward(t->state, batch.views, batch.count, 0, logits, NULL),
                     CXN_OK);
    (void)train_loss_of(&batch, logits, dlogits);
    told->t = t;
    told->lowest = t->net->net->param_count;
    return trainer_of(t)->backward(t->state, dlogits, 0, note_ready, told, NULL);
}

static struct told told_open(const struct train_net *n, size_t stop_at)
{
    struct told told = { .numbers = train_doubles(n->net->float_count), .stop_at = stop_at };
    told.seen = calloc(n->net->float_count, 1);
    assert_non_null(told.seen);
    return told;
}

static void told_close(struct told *told)
{
    free(told->numbers);
    free(told->seen);
}

static void gradients_are_told_as_they_come(void **state)
{
    const struct train_fixture *f = *state;
    const cxn_net *net = f->net.net;
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = TRAIN_SIDE,
                                                 .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct told told = told_open(&f->net, 0), stopped = told_open(&f->net, 3);
        trainee_open(&t, &setup, &f->net, &options, 2);
        assert_int_equal(back_with(&told, &t), CXN_OK);
        for (size_t i = 0; i < net->float_count; i++) assert_int_equal(told.seen[i], 1);
        assert_true(told.calls >= 8); /* or sums could hardly start early */
        double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
        assert_memory_equal(told.numbers, slot, net->float_count * sizeof *slot);
        assert_int_equal(back_with(&stopped, &t), CXN_E_STOPPED);
        assert_int_equal(stopped.calls, 3);
        free(slot);
        told_close(&told);
        told_close(&stopped);
        trainee_close(&t);
    }
}

/* With a frozen backbone logits are those of the engines, and the head alone learns. */
static void check_frozen_passes(const struct train_fixture *f, struct trainee *t, size_t head)
{
    enum { LOGITS = SMALL_VIEWS * TRAIN_CLASSES };
    const cxn_net *net = f->net.net;
    const double near = t->setup->row->logits;
    const double rounding = trainer_of(t)->number == CXN_NUMBER_F64 ? 1e-3 : 1e-2; /* of steps */
    struct train_batch batch;
    double logits[LOGITS], unused[LOGITS];
    train_batch_golden(&batch, &f->golden);
    const double loss = train_passes(t, &batch, 0, logits);
    for (size_t i = 0; i < LOGITS; i++)
        assert_true(fabs(1.0 / (1.0 + exp(-logits[i])) - f->golden.want64[i]) <= near);
    double *slot = trainee_read(t, CXN_BLOCK_GRADIENT, 0);
    for (size_t i = 0; i < net->float_count; i++)
        if (i < head || i >= net->param_count) assert_true(slot[i] == 0.0);
    assert_true(train_norm(slot + head, net->param_count - head) > 0.0);
    /* Downhill by h, the loss falls by h times the square of the norm. */
    const double h = 1e-4, squares = trainer_of(t)->square_sum(t->state, 0);
    double *weights = trainee_read(t, CXN_BLOCK_WEIGHTS, 0);
    for (size_t i = head; i < net->param_count; i++) weights[i] -= h / sqrt(squares) * slot[i];
    trainee_write(t, CXN_BLOCK_WEIGHTS, 0, weights);
    const double fall = loss - train_passes(t, &batch, 0, unused);
    assert_true(fabs(fall - h * sqrt(squares)) <= rounding * fall);
    free(weights);
    free(slot);
}

static void a_frozen_backbone_stays(void **state)
{
    const struct train_fixture *f = *state;
    const cxn_net *net = f->net.net;
    const size_t head = cxn_net_find(net, "classifier.weight")->offset;
    const struct cxn_trainer_options options = { .views_max = SMALL_VIEWS, .side = SMALL_SIDE,
                                                 .slots = 1, .moments = 2, .keeps_average = true,
                                                 .head_only = true };
    const struct cxn_update update = { .rule = CXN_RULE_ADAMW, .step = 1, .lr = 1e-2,
                                       .weight_decay = 0.5, .beta1 = 0.9, .beta2 = 0.999,
                                       .epsilon = 1e-8, .gradient_scale = 1.0,
                                       .statistic_scale = 1.0, .average_decay = 0.9 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 2);
        check_frozen_passes(f, &t, head);
        trainer_of(&t)->update(t.state, 0, &update);
        double *weights = trainee_read(&t, CXN_BLOCK_WEIGHTS, 0);
        double *average = trainee_read(&t, CXN_BLOCK_AVERAGE, 0);
        for (size_t i = 0; i < net->float_count; i++) {
            const bool learns = i >= head && i < net->param_count;
            assert_true((weights[i] != (double)f->net.block[i]) == learns);
            assert_true((average[i] != (double)f->net.block[i]) == learns);
        }
        free(weights);
        free(average);
        trainee_close(&t);
    }
}

/* One view is enough for a frozen backbone, and what is told is the head. */
static void a_frozen_backbone_tells_the_head(void **state)
{
    const struct train_fixture *f = *state;
    const cxn_net *net = f->net.net;
    const size_t head = cxn_net_find(net, "classifier.weight")->offset;
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = TRAIN_SIDE,
                                                 .slots = 1, .head_only = true };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct told told = told_open(&f->net, 0);
        trainee_open(&t, &setup, &f->net, &options, 1);
        assert_int_equal(back_with(&told, &t), CXN_OK);
        for (size_t i = 0; i < net->float_count; i++)
            assert_int_equal(told.seen[i], i >= head && i < net->param_count);
        told_close(&told);
        trainee_close(&t);
    }
}

/* Its views have nothing to do with each other: forty at once are ten times four. */
static void a_frozen_backbone_takes_many(void **state)
{
    const struct train_fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = TRAIN_VIEWS_MAX, .side = TRAIN_SIDE,
                                                 .slots = 1, .head_only = true };
    enum { FEW = 4, NUMBERS = FEW * TRAIN_CLASSES };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        double many[TRAIN_VIEWS_MAX * TRAIN_CLASSES], few[NUMBERS];
        struct train_batch batch;
        struct trainee t;
        train_batch_run(&batch, &f->net, TRAIN_SEED_CE, 0);
        assert_int_equal(batch.count, TRAIN_VIEWS_MAX);
        trainee_open(&t, &setup, &f->net, &options, 2);
        (void)train_passes(&t, &batch, 0, many);
        for (size_t i = 0; i < batch.count; i += FEW) {
            assert_int_equal(trainer_of(&t)->forward(t.state, batch.views + i, FEW, 0, few, NULL),
                             CXN_OK);
            assert_true(train_distance(few, many + i * TRAIN_CLASSES, NUMBERS) <=
                        setup.row->logits * train_norm(few, NUMBERS));
        }
        trainee_close(&t);
    }
}

/* A view that is turned, moved and brightened is computed as the picture of its samples. */
static void resampled_views_are_their_samples(void **state)
{
    const struct train_fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        uint8_t samples[TRAIN_IMAGES][TRAIN_SIDE * TRAIN_SIDE * 3];
        double want[TRAIN_IMAGES * TRAIN_CLASSES], got[TRAIN_IMAGES * TRAIN_CLASSES];
        struct cxn_picture cut[TRAIN_IMAGES];
        struct train_batch batch, plain;
        struct trainee t;
        train_batch_run(&batch, &f->net, TRAIN_BCE, 0);
        plain = batch;
        for (size_t i = 0; i < batch.count; i++) {
            struct cxn_train_view *v = &batch.views[i];
            v->resampled = true;
            v->matrix[0][0] = v->matrix[1][1] = 0.9f;
            v->matrix[0][1] = 0.2f;
            v->matrix[1][0] = -0.2f;
            v->shift[0] = 1.5f;
            v->gain = 1.25f;
            plain.views[i].view = cxn_train_view_cut(v, samples[i], &cut[i]);
        }
        trainee_open(&t, &setup, &f->net, &options, 2);
        (void)train_passes(&t, &batch, 0, got);
        (void)train_passes(&t, &plain, 0, want);
        assert_memory_equal(got, want, sizeof got);
        train_batch_run(&plain, &f->net, TRAIN_BCE, 0);
        (void)train_passes(&t, &plain, 0, want);
        assert_memory_not_equal(got, want, sizeof got);
        trainee_close(&t);
    }
}

/* Mirrored, turned and brightened windows of grey pictures and of one of colours. */
static void vary_batch(struct train_batch *b, const struct train_net *n, size_t count)
{
    train_batch_run(b, n, TRAIN_BCE, 0);
    assert_int_equal(b->views[3].view.picture->channels, 3);
    if (count == 1) b->views[0] = b->views[3];
    b->count = b->images = count;
    for (size_t i = 0; i < count; i++) {
        struct cxn_train_view *v = &b->views[i];
        v->view.mirror = i % 2 == 0;
        v->gain = 0.75f + 0.25f * (float)i;
        if (i < 2) continue;
        v->resampled = true;
        v->matrix[0][0] = v->matrix[1][1] = 0.9f;
        v->matrix[0][1] = 0.2f;
        v->matrix[1][0] = -0.2f;
        v->shift[1] = 2.25f;
    }
}

/* The gradients of all parameters. */
static double *calm_gradient(const struct train_setup *setup, const struct train_net *n,
                             size_t count)
{
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = TRAIN_SIDE,
                                                 .slots = 1 };
    double logits[TRAIN_IMAGES * TRAIN_CLASSES];
    struct train_batch batch;
    struct trainee t;
    vary_batch(&batch, n, count);
    trainee_open(&t, setup, n, &options, 2);
    (void)train_passes(&t, &batch, 0, logits);
    double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
    trainee_close(&t);
    return slot;
}

/* Where ReLU lets most pass, precision says much of what is right. Shards of one view, too, which
 * a colour or a turn has for itself. */
static void any_views_are_ref64s(void **state)
{
    static const size_t counts[] = { 4, 3, 1 };
    struct train_setup ref64 = { 0 };
    struct train_net calm;
    (void)state;
    assert_true(train_setup_next(&ref64) && ref64.row->trainer == &cxn_trainer_ref64);
    train_net_small_calm(&calm);
    const size_t params = calm.net->param_count;
    for (size_t i = 0; i < CXN_COUNTOF(counts); i++) {
        double *want = calm_gradient(&ref64, &calm, counts[i]);
        for (struct train_setup setup = ref64; train_setup_next(&setup);) {
            double *got = calm_gradient(&setup, &calm, counts[i]);
            const double far = train_distance(got, want, params) / train_norm(want, params);
            print_message("%s, %zu views: gradients %.1e from ref64's\n", setup.name, counts[i],
                          far);
            if (!(far <= setup.row->calm)) fail_msg("%s: %.3g away", setup.name, far);
            free(got);
        }
        free(want);
    }
    train_net_close(&calm);
}

/* Weights written from outside count from the next pass on, as if a trainer had opened with them;
 * gradients are overwritten, and passes leave no traces. */
static void written_weights_count(void **state)
{
    const struct train_fixture *f = *state;
    const size_t all = f->net.net->float_count;
    const struct cxn_trainer_options options = { .views_max = 8, .side = TRAIN_SIDE, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee old, fresh;
        struct train_batch batch;
        double want[TRAIN_IMAGES * TRAIN_CLASSES], got[TRAIN_IMAGES * TRAIN_CLASSES];
        struct train_net other = f->net;
        other.block = malloc(all * sizeof *other.block);
        assert_non_null(other.block);
        for (size_t i = 0; i < all; i++)
            other.block[i] = f->net.block[i] * (float)(1.0 + 0.25 * train_noise(5, i));
        trainee_open(&old, &setup, &f->net, &options, 2);
        trainee_open(&fresh, &setup, &other, &options, 2);
        train_batch_run(&batch, &f->net, TRAIN_BCE, 3);
        (void)train_passes(&old, &batch, 0, got);
        double *weights = trainee_read(&fresh, CXN_BLOCK_WEIGHTS, 0);
        trainee_write(&old, CXN_BLOCK_WEIGHTS, 0, weights);
        train_batch_run(&batch, &f->net, TRAIN_BCE, 4);
        batch.count = batch.images = 3;
        (void)train_passes(&old, &batch, 0, got);
        (void)train_passes(&fresh, &batch, 0, want);
        assert_memory_equal(got, want, 3 * TRAIN_CLASSES * sizeof *got);
        double *old_slot = trainee_read(&old, CXN_BLOCK_GRADIENT, 0);
        double *new_slot = trainee_read(&fresh, CXN_BLOCK_GRADIENT, 0);
        assert_memory_equal(old_slot, new_slot, all * sizeof *old_slot);
        free(old_slot);
        free(new_slot);
        free(weights);
        free(other.block);
        trainee_close(&old);
        trainee_close(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_added),
        cmocka_unit_test(squares_are_summed),
        cmocka_unit_test(sums_are_scaled_and_averaged),
        cmocka_unit_test(a_first_step_sets_the_buffer),
        cmocka_unit_test(updates_are_ref64s),
        cmocka_unit_test(gradients_are_told_as_they_come),
        cmocka_unit_test(a_frozen_backbone_stays),
        cmocka_unit_test(a_frozen_backbone_tells_the_head),
        cmocka_unit_test(a_frozen_backbone_takes_many),
        cmocka_unit_test(resampled_views_are_their_samples),
        cmocka_unit_test(any_views_are_ref64s),
        cmocka_unit_test(written_weights_count),
    };
    return cmocka_run_group_tests(tests, train_set_up, train_tear_down);
}
