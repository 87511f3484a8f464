/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of trainers on the shrunken network: gradients are PyTorch's and those of
 * differences, steps are PyTorch's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "train_case.h"
#include "train_replay.h"
#include "unit/unit.h"

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
        const bool is_param = tensor->offset < net->param_count;
        const double allowed = is_param ? fmax(row->factor * *single++, row->small.gradient)
                                        : row->logits;
        const double far = train_distance(slot + tensor->offset, want, tensor->count) /
                           train_norm(want, tensor->count);
        if (!(far <= allowed))
            fail_msg("%s: %s is %.3g from PyTorch's", t->setup->name, tensor->name, far);
        if (worst < far) worst = far;
    }
    return worst;
}

static void gradients_are_pytorchs(void **state)
{
    const struct train_fixture *f = *state;
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
        train_batch_golden(&batch, &f->golden);
        trainee_open(&t, &setup, &f->net, &options, 0);
        const double loss = train_passes(&t, &batch, 1, logits);
        assert_true(train_distance(logits, golden, LOGITS) <=
                    setup.row->logits * train_norm(golden, LOGITS));
        assert_true(fabs(loss - golden[LOGITS]) <= setup.row->small.loss * loss);
        double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 1);
        print_message("%s: gradients %.1e from PyTorch's in double\n", setup.name,
                      slot_distance(&t, slot, golden + LOGITS + 1));
        free(slot);
        trainee_close(&t);
    }
    free(golden);
}

/* Weights of no training, with running statistics that batch statistics must not use. */
static double *random_point(const struct trainee *t, size_t seed)
{
    const cxn_net *net = t->net->net;
    double *weights = trainee_read(t, CXN_BLOCK_WEIGHTS, 0);
    for (size_t i = 0; i < net->tensor_count; i++) {
        const struct cxn_net_tensor *tensor = &net->tensors[i];
        for (size_t k = 0; k < tensor->count; k++) {
            const double u = train_noise(100 * seed + i, k);
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
        dlogits[i] = train_noise(7777, i);
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
    const struct train_fixture *f = *state;
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

/* Those of one precision. */
static void replay_steps(enum cxn_precision precision)
{
    for (struct train_setup t = { 0 }; train_setup_next(&t);)
        if (t.row->precision == precision) train_replay(&t, false);
}

static void f32_steps_are_pytorchs(void **state)
{
    (void)state;
    replay_steps(CXN_PRECISION_F32);
}

static void bf16_steps_are_pytorchs(void **state)
{
    (void)state;
    replay_steps(CXN_PRECISION_BF16);
}

/* test_trainer_steps gradients|f32|bf16 */
int main(int argc, char **argv)
{
    const struct CMUnitTest gradients[] = {
        cmocka_unit_test(gradients_are_pytorchs),
        cmocka_unit_test(differences_are_the_gradients),
    };
    const struct CMUnitTest f32[] = { cmocka_unit_test(f32_steps_are_pytorchs) };
    const struct CMUnitTest bf16[] = { cmocka_unit_test(bf16_steps_are_pytorchs) };
    const char *part = argc == 2 ? argv[1] : "";
    if (strcmp(part, "gradients") == 0)
        return cmocka_run_group_tests(gradients, train_set_up, train_tear_down);
    if (strcmp(part, "f32") == 0) return cmocka_run_group_tests(f32, train_set_up, train_tear_down);
    if (strcmp(part, "bf16") == 0)
        return cmocka_run_group_tests(bf16, train_set_up, train_tear_down);
    return 2;
}
