/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of trainers on the shrunken network: PyTorch's gradients and steps, the
 * same bits for any threads, slots, averages, a frozen backbone, no allocation, clean failure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "nn/train_view.h"
#include "small_net.h"
#include "train_replay.h"
#include "unit/unit.h"

struct fixture {
    struct small_net golden; /* pictures and answers of make_nn.py */
    struct train_net net;
};

static const struct cxn_trainer *trainer_of(const struct trainee *t)
{
    return t->setup->row->trainer;
}

static double *doubles(size_t count)
{
    double *p = calloc(count, sizeof *p);
    assert_non_null(p);
    return p;
}

/* The five views of make_nn.py. */
static void golden_batch(struct train_batch *b, const struct small_net *s)
{
    *b = (struct train_batch){ .loss = TRAIN_BCE, .count = SMALL_VIEWS, .images = SMALL_VIEWS };
    for (size_t i = 0; i < SMALL_VIEWS; i++)
        b->views[i] = (struct cxn_train_view){ .view = s->views[i], .gain = 1.0f };
    for (uint32_t i = 0; i < SMALL_VIEWS; i++)
        formula_labels(i, TRAIN_CLASSES, b->targets + (size_t)i * TRAIN_CLASSES);
}

/* golden: the slot, then float32's distance for each parameter tensor. Batch statistics have no
 * such distance: they are sums of one operation. */
static double slot_distance(const struct trainee *t, const double *slot, const double *golden)
{
    const cxn_net *net = t->net->net;
    const struct train_row *row = t->setup->row;
    const double *single = golden + net->float_count;
    double worst = 0.0;
    for (size_t i = 0; i < net->tensor_count; i++) {
        const struct cxn_net_tensor *tensor = &net->tensors[i];
        const double *want = golden + tensor->offset;
        const double allowed = tensor->offset < net->param_count ? row->factor * *single++ : 0.0;
        const double far = train_distance(slot + tensor->offset, want, tensor->count) /
                           train_norm(want, tensor->count);
        if (!(far <= fmax(allowed, row->gradient_floor)))
            fail_msg("%s: %s is %.3g from PyTorch's", t->setup->name, tensor->name, far);
        if (worst < far) worst = far;
    }
    return worst;
}

static void gradients_are_pytorchs(void **state)
{
    const struct fixture *f = *state;
    const cxn_net *net = f->net.net;
    enum { LOGITS = SMALL_VIEWS * TRAIN_CLASSES };
    const struct cxn_trainer_options options = { .views_max = SMALL_VIEWS, .side = SMALL_SIDE,
                                                 .slots = 2 };
    size_t params = 0;
    for (size_t i = 0; i < net->tensor_count; i++)
        params += net->tensors[i].offset < net->param_count ? 1 : 0;
    double *golden = train_golden("tests/golden/train_small.f64",
                                  LOGITS + 1 + net->float_count + params);
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct train_batch batch;
        struct trainee t;
        double logits[LOGITS];
        golden_batch(&batch, &f->golden);
        trainee_open(&t, &setup, &f->net, &options, 0);
        const double loss = train_passes(&t, &batch, 1, logits);
        assert_true(train_distance(logits, golden, LOGITS) <=
                    setup.row->gradient_floor * train_norm(golden, LOGITS));
        assert_true(fabs(loss - golden[LOGITS]) <= setup.row->loss * loss);
        double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 1);
        print_message("%s: gradients %.1e from PyTorch's in double\n", setup.name,
                      slot_distance(&t, slot, golden + LOGITS + 1));
        free(slot);
        trainee_close(&t);
    }
    free(golden);
}

/* Unlike numbers in [-1, 1), which every row's blocks hold without rounding. */
static double noise(size_t stream, size_t i)
{
    return (double)formula_sample(stream, i, 1 << 20) / (1 << 19) - 1.0;
}

/* Weights of no training, with running statistics that batch statistics must not use. */
static double *random_point(const struct trainee *t, size_t seed)
{
    const cxn_net *net = t->net->net;
    double *weights = trainee_read(t, CXN_BLOCK_WEIGHTS, 0);
    for (size_t i = 0; i < net->tensor_count; i++) {
        const struct cxn_net_tensor *tensor = &net->tensors[i];
        for (size_t k = 0; k < tensor->count; k++) {
            const double u = noise(100 * seed + i, k);
            weights[tensor->offset + k] = tensor->role == CXN_ROLE_NORM_WEIGHT ? 1.0 + u / 2.0
                                                                               : u / 2.0;
        }
    }
    trainee_write(t, CXN_BLOCK_WEIGHTS, 0, weights);
    return weights;
}

/* A loss that is a weighted sum of the logits: its gradient by them is the weights. */
static double weighted_sum(const struct trainee *t, const struct train_batch *b, double *dlogits)
{
    double logits[TRAIN_IMAGES * TRAIN_CLASSES], sum = 0.0;
    assert_int_equal(trainer_of(t)->forward(t->state, b->views, b->count, 0, logits, NULL),
                     CXN_OK);
    for (size_t i = 0; i < b->count * TRAIN_CLASSES; i++) {
        dlogits[i] = noise(7777, i);
        sum += dlogits[i] * logits[i];
    }
    return sum;
}

/* What differences are taken of. */
struct slope {
    const struct trainee *t;
    const struct train_batch *batch;
    double *weights;
};

/* (f(w + h) - f(w - h)) / 2h by number i of the weights. */
static double difference(const struct slope *s, size_t i, double h)
{
    double dlogits[TRAIN_IMAGES * TRAIN_CLASSES], value[2];
    const double old = s->weights[i];
    for (int side = 0; side < 2; side++) {
        s->weights[i] = side == 0 ? old + h : old - h;
        trainee_write(s->t, CXN_BLOCK_WEIGHTS, 0, s->weights);
        value[side] = weighted_sum(s->t, s->batch, dlogits);
    }
    s->weights[i] = old;
    return (value[0] - value[1]) / (2.0 * h);
}

/*
 * The derivative, with an error of h to the fourth power. Where ReLU or a maximum changes its mind
 * within 2h the loss is not smooth; then the two estimates that make it disagree, at most times,
 * and a smaller h is tried. False where none will do, or the derivative is 0. The gradient has no
 * part in that, so that a wrong one is not helped.
 */
static bool find_derivative(const struct slope *s, size_t i, double *out)
{
    for (double h = 0x1p-13; h > 0x1p-19; h /= 4.0) {
        const double far = difference(s, i, 2.0 * h), near = difference(s, i, h);
        const double nearer = difference(s, i, h / 2.0);
        const double first = (4.0 * near - far) / 3.0, second = (4.0 * nearer - near) / 3.0;
        *out = second;
        if (second != 0.0 && fabs(first - second) <= 1e-8 * fabs(second)) return true;
    }
    return false;
}

/* Some entries of a tensor, those with a derivative that can be found. */
static void check_derivatives(const struct slope *s, const double *slot, size_t tensor,
                              size_t seed)
{
    enum { ENTRIES = 2, TRIES = 12 };
    const struct cxn_net_tensor *t = &s->t->net->net->tensors[tensor];
    double got[ENTRIES], want[ENTRIES];
    size_t found = 0;
    for (size_t j = 0; j < TRIES && found < ENTRIES; j++) {
        const size_t k = formula_sample(seed + tensor, j, t->count);
        got[found] = slot[t->offset + k];
        if (find_derivative(s, t->offset + k, &want[found])) found++;
    }
    const double far = train_distance(got, want, found) / train_norm(want, found);
    if (found == 0 || !(far <= 1e-8))
        fail_msg("%s: %s is %.3g from differences", s->t->setup->name, t->name, far);
}

/* Of rows in double: others have no digits for it. */
static void differences_are_the_gradients(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = 48,
                                                 .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        if (setup.row->trainer->number != CXN_NUMBER_F64) continue;
        for (size_t seed = 1; seed <= 2; seed++) {
            struct trainee t;
            struct train_batch batch;
            double dlogits[TRAIN_IMAGES * TRAIN_CLASSES];
            train_batch_run(&batch, &f->net, TRAIN_BCE, seed);
            batch.count = 2 + seed; /* grey pictures, and one of colours */
            for (size_t i = 0; i < batch.count; i++)
                batch.views[i].view.width = batch.views[i].view.height = options.side;
            trainee_open(&t, &setup, &f->net, &options, 0);
            const struct slope slope = { &t, &batch, random_point(&t, seed) };
            (void)weighted_sum(&t, &batch, dlogits);
            assert_int_equal(trainer_of(&t)->backward(t.state, dlogits, 0, NULL, NULL, NULL),
                             CXN_OK);
            double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
            for (size_t i = 0; i < f->net.net->tensor_count; i++)
                if (cxn_role_is_param(f->net.net->tensors[i].role))
                    check_derivatives(&slope, slot, i, seed);
            free(slot);
            free(slope.weights);
            trainee_close(&t);
        }
    }
}

static void steps_are_pytorchs(void **state)
{
    (void)state;
    for (struct train_setup t = { 0 }; train_setup_next(&t);) train_replay(&t, false);
}

/* One step of AdamW with a moving average, in two slots; everything that it leaves, in one array:
 * logits, slot, weights, both moments, average. free(). */
static double *everything(const struct fixture *f, const struct train_setup *setup,
                          unsigned threads, size_t *count)
{
    const size_t all = f->net.net->float_count, params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 8, .side = TRAIN_SIDE, .slots = 2,
                                                 .moments = 2, .keeps_average = true };
    const struct cxn_update update = { .rule = CXN_RULE_ADAMW, .step = 1, .lr = 1e-3,
                                       .weight_decay = 0.1, .beta1 = 0.9, .beta2 = 0.999,
                                       .epsilon = 1e-8, .gradient_scale = 0.5,
                                       .statistic_scale = 0.5, .average_decay = 0.9 };
    static const struct { enum cxn_train_block block; unsigned which; } blocks[] = {
        { CXN_BLOCK_GRADIENT, 0 }, { CXN_BLOCK_WEIGHTS, 0 }, { CXN_BLOCK_MOMENT, 0 },
        { CXN_BLOCK_MOMENT, 1 }, { CXN_BLOCK_AVERAGE, 0 }
    };
    enum { LOGITS = TRAIN_IMAGES * TRAIN_CLASSES };
    double *out = doubles(2 * LOGITS + 3 * all + 2 * params), *at = out;
    struct trainee t;
    trainee_open(&t, setup, &f->net, &options, threads);
    for (unsigned slot = 0; slot < 2; slot++, at += LOGITS) {
        struct train_batch batch;
        train_batch_run(&batch, &f->net, TRAIN_BCE, slot);
        (void)train_passes(&t, &batch, slot, at);
    }
    trainer_of(&t)->add(t.state, 0, 1, 0, all);
    trainer_of(&t)->update(t.state, 0, &update);
    for (size_t i = 0; i < CXN_COUNTOF(blocks); i++) {
        double *block = trainee_read(&t, blocks[i].block, blocks[i].which);
        const size_t n = blocks[i].block == CXN_BLOCK_MOMENT ? params : all;
        memcpy(at, block, n * sizeof *at);
        at += n;
        free(block);
    }
    trainee_close(&t);
    *count = (size_t)(at - out);
    return out;
}

static void bits_do_not_depend_on_threads(void **state)
{
    const struct fixture *f = *state;
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        size_t count, same;
        double *want = everything(f, &setup, 1, &count);
        for (unsigned threads = 2; threads <= 3; threads++) {
            double *got = everything(f, &setup, threads, &same);
            assert_int_equal(same, count);
            for (size_t i = 0; i < count; i++)
                if (memcmp(&got[i], &want[i], sizeof *got) != 0)
                    fail_msg("%s: number %zu with %u threads: %.17g, with one %.17g", setup.name,
                             i, threads, got[i], want[i]);
            free(got);
        }
        free(want);
    }
}

/* Rounded as the row's blocks are. */
static double stored(const struct trainee *t, double x)
{
    return trainer_of(t)->number == CXN_NUMBER_F64 ? x : (double)(float)x;
}

static void fill_slot(const struct trainee *t, unsigned slot)
{
    double *numbers = doubles(t->net->net->float_count);
    for (size_t i = 0; i < t->net->net->float_count; i++) numbers[i] = noise(slot + 1, i);
    trainee_write(t, CXN_BLOCK_GRADIENT, slot, numbers);
    free(numbers);
}

static void slots_are_added(void **state)
{
    const struct fixture *f = *state;
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
            assert_true(to[i] == stored(&t, noise(3, i) + (added ? noise(2, i) : 0.0)));
            assert_true(from[i] == noise(2, i) && other[i] == noise(1, i));
        }
        free(to);
        free(from);
        free(other);
        trainee_close(&t);
    }
}

static void squares_are_summed(void **state)
{
    const struct fixture *f = *state;
    const size_t params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 2 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        double want = 0.0;
        trainee_open(&t, &setup, &f->net, &options, 2);
        fill_slot(&t, 1);
        for (size_t i = 0; i < params; i++) want += noise(2, i) * noise(2, i);
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
    const struct fixture *f = *state;
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
                w = i < params ? w - 0.5 * (0.25 * noise(1, i) + 0.125 * w)
                               : 0.9 * w + 0.1 * 0.125 * noise(1, i);
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
    const struct fixture *f = *state;
    const size_t params = f->net.net->param_count;
    const struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 1,
                                                 .moments = 1 };
    struct cxn_update update = { .rule = CXN_RULE_SGD, .lr = 0.5, .momentum = 0.5,
                                 .gradient_scale = 1.0, .statistic_scale = 1.0 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 2);
        fill_slot(&t, 0);
        double *buffer = doubles(params);
        for (size_t i = 0; i < params; i++) buffer[i] = 3.0;
        trainee_write(&t, CXN_BLOCK_MOMENT, 0, buffer);
        free(buffer);
        for (update.step = 1; update.step <= 2; update.step++) {
            trainer_of(&t)->update(t.state, 0, &update);
            buffer = trainee_read(&t, CXN_BLOCK_MOMENT, 0);
            const double times = update.step == 1 ? 1.0 : 1.5;
            for (size_t i = 0; i < params; i++)
                assert_true(buffer[i] == stored(&t, times * noise(1, i)));
            free(buffer);
        }
        trainee_close(&t);
    }
}

/* What is told while a backward pass runs: whole, in falling order, and final. */
struct told {
    const struct trainee *t;
    double *numbers; /* of each range, as it was told */
    size_t lowest;   /* of the parameters told so far */
    size_t statistics, calls, stop_at;
};

static int note_ready(void *ctx, size_t first, size_t count)
{
    struct told *told = ctx;
    double *slot = trainee_read(told->t, CXN_BLOCK_GRADIENT, 0);
    const size_t params = told->t->net->net->param_count;
    assert_true(count > 0);
    if (first >= params) {
        assert_int_equal(told->lowest, params); /* before all parameters */
        told->statistics += count;
    } else {
        assert_int_equal(first + count, told->lowest);
        told->lowest = first;
    }
    memcpy(told->numbers + first, slot + first, count * sizeof *slot);
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

static void gradients_are_told_as_they_come(void **state)
{
    const struct fixture *f = *state;
    const cxn_net *net = f->net.net;
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = TRAIN_SIDE,
                                                 .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct told told = { .numbers = doubles(net->float_count) };
        struct told stopped = { .numbers = doubles(net->float_count), .stop_at = 3 };
        trainee_open(&t, &setup, &f->net, &options, 2);
        assert_int_equal(back_with(&told, &t), CXN_OK);
        assert_int_equal(told.lowest, 0);
        assert_int_equal(told.statistics, net->float_count - net->param_count);
        assert_true(told.calls >= 8); /* or sums could hardly start early */
        double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
        assert_memory_equal(told.numbers, slot, net->float_count * sizeof *slot);
        assert_int_equal(back_with(&stopped, &t), CXN_E_STOPPED);
        assert_int_equal(stopped.calls, 3);
        free(slot);
        free(told.numbers);
        free(stopped.numbers);
        trainee_close(&t);
    }
}

/* With a frozen backbone logits are those of the engines, and the head alone learns. */
static void check_frozen_passes(const struct fixture *f, struct trainee *t, size_t head)
{
    enum { LOGITS = SMALL_VIEWS * TRAIN_CLASSES };
    const cxn_net *net = f->net.net;
    const double near = fmax(1e-12, t->setup->row->gradient_floor);
    struct train_batch batch;
    double logits[LOGITS], unused[LOGITS];
    golden_batch(&batch, &f->golden);
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
    assert_true(fabs(fall - h * sqrt(squares)) <= fmax(1e-3, 1e3 * near) * fall);
    free(weights);
    free(slot);
}

static void a_frozen_backbone_stays(void **state)
{
    const struct fixture *f = *state;
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
    const struct fixture *f = *state;
    const cxn_net *net = f->net.net;
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = TRAIN_SIDE,
                                                 .slots = 1, .head_only = true };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct told told = { .numbers = doubles(net->float_count) };
        trainee_open(&t, &setup, &f->net, &options, 1);
        assert_int_equal(back_with(&told, &t), CXN_OK);
        assert_int_equal(told.lowest, cxn_net_find(net, "classifier.weight")->offset);
        assert_int_equal(told.statistics, 0);
        free(told.numbers);
        trainee_close(&t);
    }
}

/* A view that is turned, moved and brightened is computed as the picture of its samples. */
static void resampled_views_are_their_samples(void **state)
{
    const struct fixture *f = *state;
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

/* Weights written from outside count from the next pass on, as if a trainer had opened with them;
 * gradients are overwritten, and passes leave no traces. */
static void written_weights_count(void **state)
{
    const struct fixture *f = *state;
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
            other.block[i] = f->net.block[i] * (float)(1.0 + 0.25 * noise(5, i));
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

static void passing_allocates_nothing(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_engine_source source = { .net = f->net.net, .block = f->net.block };
    struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 2,
                                           .moments = 1, .keeps_average = true };
    const struct cxn_update update = { .rule = CXN_RULE_SGD, .step = 1, .momentum = 0.9,
                                       .lr = 1e-2, .gradient_scale = 1.0, .statistic_scale = 1.0 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct cxn_mem mem;
        struct train_batch batch;
        double logits[TRAIN_IMAGES * TRAIN_CLASSES];
        cxn_mem_init(&mem, 0);
        struct trainee t = { .setup = &setup, .net = &f->net,
                             .env = { .mem = &mem, .cpu = setup.cpu } };
        options.precision = setup.row->precision;
        assert_int_equal(cxn_pool_open(&t.env.pool, 2, NULL), CXN_OK);
        assert_int_equal(trainer_of(&t)->open(&t.state, &source, &options, &t.env, NULL), CXN_OK);
        const size_t calls = atomic_load(&mem.calls), used = atomic_load(&mem.used_bytes);
        assert_true(calls > 0);
        train_batch_run(&batch, &f->net, TRAIN_BCE, 0);
        for (unsigned slot = 0; slot < 2; slot++) (void)train_passes(&t, &batch, slot, logits);
        trainer_of(&t)->add(t.state, 0, 1, 0, f->net.net->float_count);
        (void)trainer_of(&t)->square_sum(t.state, 0);
        trainer_of(&t)->update(t.state, 0, &update);
        assert_int_equal(atomic_load(&mem.calls), calls);
        assert_int_equal(atomic_load(&mem.used_bytes), used);
        trainee_close(&t);
        assert_int_equal(atomic_load(&mem.blocks), 0);
    }
}

static void failing_allocations_leave_nothing(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_engine_source source = { .net = f->net.net, .block = f->net.block };
    struct cxn_trainer_options options = { .views_max = 2, .side = TRAIN_SIDE, .slots = 1,
                                           .moments = 1, .keeps_average = true };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        size_t failures = 0;
        options.precision = setup.row->precision;
        for (size_t k = 1;; k++) {
            struct cxn_mem mem;
            struct cxn_error err = { "" };
            cxn_trainer_state *trainer = NULL;
            cxn_mem_init(&mem, 0);
            mem.fail_at = k;
            const struct cxn_env env = { .mem = &mem, .cpu = setup.cpu };
            const enum cxn_status status = setup.row->trainer->open(&trainer, &source, &options,
                                                                    &env, &err);
            if (status == CXN_OK) {
                setup.row->trainer->close(&trainer);
                break;
            }
            assert_int_equal(status, CXN_E_NOMEM);
            assert_null(trainer);
            assert_non_null(strstr(err.text, "no memory for"));
            assert_int_equal(atomic_load(&mem.blocks), 0);
            failures++;
        }
        assert_true(failures >= 5);
    }
}

static void wrong_options_are_refused(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_engine_source source = { .net = f->net.net, .block = f->net.block };
    static const struct { struct cxn_trainer_options options; enum cxn_status status; } bad[] = {
        { { .views_max = 0, .side = 64, .slots = 1 }, CXN_E_ARG },
        { { .views_max = 1, .side = 64, .slots = 0 }, CXN_E_ARG },
        { { .views_max = 1, .side = 31, .slots = 1 }, CXN_E_ARG },
        { { .views_max = 1, .side = 64, .slots = 1, .moments = 3 }, CXN_E_ARG },
        { { .views_max = SIZE_MAX / 4, .side = 64, .slots = 1 }, CXN_E_NOMEM },
        { { .views_max = 1, .side = UINT32_MAX, .slots = 1 }, CXN_E_NOMEM },
        { { .views_max = 1 << 20, .side = 1 << 14, .slots = 1 }, CXN_E_NOMEM },
        { { .views_max = 1, .side = 64, .slots = UINT32_MAX }, CXN_E_NOMEM },
    };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);)
        for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
            struct cxn_mem mem;
            struct cxn_error err = { "" };
            struct cxn_trainer_options options = bad[i].options;
            cxn_trainer_state *trainer = NULL;
            cxn_mem_init(&mem, 64 << 20);
            const struct cxn_env env = { .mem = &mem, .cpu = setup.cpu };
            options.precision = setup.row->precision;
            assert_int_equal(setup.row->trainer->open(&trainer, &source, &options, &env, &err),
                             bad[i].status);
            assert_null(trainer);
            assert_true(strlen(err.text) > 0);
            assert_int_equal(atomic_load(&mem.blocks), 0);
        }
}

static void refuse(const struct trainee *t, const struct train_batch *b, size_t count,
                   const char *word)
{
    double logits[TRAIN_VIEWS_MAX * TRAIN_CLASSES] = { 0.0 };
    struct cxn_error err = { "" };
    assert_int_equal(trainer_of(t)->forward(t->state, b->views, count, 0, logits, &err),
                     CXN_E_ARG);
    if (!strstr(err.text, word)) fail_msg("%s: '%s', not '%s'", t->setup->name, err.text, word);
    assert_int_equal(trainer_of(t)->backward(t->state, logits, 0, NULL, NULL, &err), CXN_E_ARG);
}

static void wrong_views_are_refused(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = 3, .side = 63, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct train_batch good, b;
        train_batch_run(&good, &f->net, TRAIN_BCE, 0);
        for (size_t i = 0; i < good.count; i++)
            good.views[i].view.width = good.views[i].view.height = 63;
        trainee_open(&t, &setup, &f->net, &options, 1);
        double logits[TRAIN_IMAGES * TRAIN_CLASSES];
        b = good;
        b.count = b.images = 3;
        (void)train_passes(&t, &b, 0, logits); /* which a refused pass undoes */
        refuse(&t, &good, 0, "0 views");
        refuse(&t, &good, 4, "4 views");
        refuse(&t, &good, 1, "variance"); /* of the one place of its last maps */
        b = good;
        b.views[1].view.width = 64;
        refuse(&t, &b, 2, "view 1");
        b = good;
        b.views[1].view.height = 62;
        refuse(&t, &b, 2, "view 1");
        b = good;
        b.views[1].view.x = FORMULA_TRAIN_SIDE - 62;
        refuse(&t, &b, 2, "view 1");
        b = good;
        b.views[1].gain = NAN;
        refuse(&t, &b, 2, "view 1");
        trainee_close(&t);
    }
}

static void overflow_is_an_error(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct train_batch batch;
        struct cxn_error err = { "" };
        double logits[TRAIN_IMAGES * TRAIN_CLASSES] = { 0.0 };
        train_batch_run(&batch, &f->net, TRAIN_BCE, 0);
        trainee_open(&t, &setup, &f->net, &options, 1);
        double *weights = trainee_read(&t, CXN_BLOCK_WEIGHTS, 0);
        weights[cxn_net_find(f->net.net, "classifier.bias")->offset + 5] = INFINITY;
        trainee_write(&t, CXN_BLOCK_WEIGHTS, 0, weights);
        assert_int_equal(trainer_of(&t)->forward(t.state, batch.views, batch.count, 0, logits,
                                                 &err), CXN_E_FORMAT);
        assert_non_null(strstr(err.text, "view 0"));
        assert_int_equal(trainer_of(&t)->backward(t.state, logits, 0, NULL, NULL, &err),
                         CXN_E_ARG);
        free(weights);
        trainee_close(&t);
    }
}

static void missing_blocks_are_empty(void **state)
{
    const struct fixture *f = *state;
    const struct cxn_trainer_options options = { .views_max = 1, .side = TRAIN_SIDE, .slots = 2,
                                                 .moments = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, &f->net, &options, 1);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_AVERAGE, 0).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_MOMENT, 1).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_GRADIENT, 2).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_GRADIENT, 1).count,
                         f->net.net->float_count);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_MOMENT, 0).count,
                         f->net.net->param_count);
        trainee_close(&t);
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    small_net_open(&f->golden);
    train_net_small(&f->net);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    small_net_close(&f->golden);
    train_net_close(&f->net);
    free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_pytorchs),
        cmocka_unit_test(differences_are_the_gradients),
        cmocka_unit_test(steps_are_pytorchs),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(slots_are_added),
        cmocka_unit_test(squares_are_summed),
        cmocka_unit_test(sums_are_scaled_and_averaged),
        cmocka_unit_test(a_first_step_sets_the_buffer),
        cmocka_unit_test(gradients_are_told_as_they_come),
        cmocka_unit_test(a_frozen_backbone_stays),
        cmocka_unit_test(a_frozen_backbone_tells_the_head),
        cmocka_unit_test(resampled_views_are_their_samples),
        cmocka_unit_test(written_weights_count),
        cmocka_unit_test(passing_allocates_nothing),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(wrong_views_are_refused),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(missing_blocks_are_empty),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
