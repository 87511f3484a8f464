/* SPDX-License-Identifier: Apache-2.0 */
#include "train_replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formula.h"
#include "unit/unit.h"

enum { STEPS_MAX = 20, SAMPLES = 8, TENSOR_NUMBERS = 2 + SAMPLES };

struct run {
    const char *name;
    bool full;
    enum train_loss loss;
    size_t steps;
    struct cxn_update update;
};

#define ADAM .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8

/* In the order of RUNS in make_train.py. */
static const struct run runs[] = {
    { "sgd", false, TRAIN_BCE, 20, { .rule = CXN_RULE_SGD, .lr = 1e-2 } },
    { "sgd momentum", false, TRAIN_BCE, 20,
      { .rule = CXN_RULE_SGD, .lr = 1e-2, .momentum = 0.9 } },
    { "sgd nesterov decay", false, TRAIN_BCE, 20,
      { .rule = CXN_RULE_SGD, .lr = 1e-2, .momentum = 0.9, .nesterov = true,
        .weight_decay = 1e-2 } },
    { "adamw", false, TRAIN_BCE, 20, { .rule = CXN_RULE_ADAMW, .lr = 1e-3, ADAM } },
    { "adamw decay", false, TRAIN_BCE, 20,
      { .rule = CXN_RULE_ADAMW, .lr = 1e-3, .weight_decay = 0.1, ADAM } },
    { "seed-ce", false, TRAIN_SEED_CE, 10,
      { .rule = CXN_RULE_SGD, .lr = 1e-4, .momentum = 0.9 } },
    { "sgd momentum", true, TRAIN_BCE, 20, { .rule = CXN_RULE_SGD, .lr = 1e-2, .momentum = 0.9 } },
    { "adamw decay", true, TRAIN_BCE, 20,
      { .rule = CXN_RULE_ADAMW, .lr = 1e-4, .weight_decay = 1e-2, ADAM } },
    { "seed-ce", true, TRAIN_SEED_CE, 10, { .rule = CXN_RULE_SGD, .lr = 1e-4, .momentum = 0.9 } },
};

static unsigned moments_of(const struct cxn_update *u)
{
    if (u->rule == CXN_RULE_ADAMW) return 2;
    return u->momentum > 0.0 ? 1 : 0;
}

static size_t golden_count(const struct run *run)
{
    const struct cxn_net_config *config = run->full ? &cxn_densenet121 : &small_config;
    cxn_net *net = NULL;
    assert_int_equal(cxn_net_open(&net, config, NULL, NULL), CXN_OK);
    const size_t count = 2 * run->steps + net->tensor_count * TENSOR_NUMBERS;
    cxn_net_close(&net);
    return count;
}

static const struct train_limits *limits_of(const struct trainee *t, const struct run *run)
{
    return run->full ? &t->setup->row->full : &t->setup->row->small;
}

/* The worst relative distance of a loss. */
static double take_steps(const struct trainee *t, const struct run *run, const double *want)
{
    struct cxn_update update = run->update;
    double logits[TRAIN_VIEWS_MAX * TRAIN_CLASSES], worst = 0.0;
    const struct train_limits *limits = limits_of(t, run);
    const double allowed = run->loss == TRAIN_SEED_CE ? limits->seed_ce_loss : limits->loss;
    update.gradient_scale = update.statistic_scale = 1.0;
    for (size_t step = 0; step < run->steps; step++) {
        struct train_batch batch;
        train_batch_run(&batch, t->net, run->loss, step);
        const double loss = train_passes(t, &batch, 0, logits);
        const double far = fabs(loss - want[step]) / want[step];
        if (!(far <= allowed))
            fail_msg("%s: %s, loss before step %zu: %.12g, PyTorch %.12g", t->setup->name,
                     run->name, step + 1, loss, want[step]);
        if (worst < far) worst = far;
        update.step = step + 1;
        t->setup->row->trainer->update(t->state, 0, &update);
    }
    return worst;
}

/* golden: norm and float32's distance of a tensor's change, and entries of it. Entries are held
 * against as many of an even change where they happen to be small. */
static double tensor_distance(const struct trainee *t, const double *after, size_t number,
                              const double *golden)
{
    const struct cxn_net_tensor *tensor = &t->net->net->tensors[number];
    const float *before = t->net->block + tensor->offset;
    const size_t samples = tensor->count < SAMPLES ? tensor->count : SAMPLES;
    double sum = 0.0, got[SAMPLES];
    for (size_t i = 0; i < tensor->count; i++) {
        const double d = after[tensor->offset + i] - (double)before[i];
        sum += d * d;
    }
    for (size_t j = 0; j < samples; j++) {
        const size_t i = tensor->count <= SAMPLES ? j : formula_sample(number, j, tensor->count);
        got[j] = after[tensor->offset + i] - (double)before[i];
    }
    const double norm = fabs(sqrt(sum) - golden[0]) / golden[0];
    const double scale = fmax(train_norm(golden + 2, samples),
                              golden[0] * sqrt((double)samples / (double)tensor->count));
    return fmax(norm, train_distance(got, golden + 2, samples) / scale);
}

/* The distance of all parameters together: running statistics change more, and learn nothing. */
static double check_change(const struct trainee *t, const struct run *run, const double *golden)
{
    const struct train_limits *limits = limits_of(t, run);
    const double floor_of_rule = limits->change[run->update.rule == CXN_RULE_ADAMW];
    double *after = trainee_read(t, CXN_BLOCK_WEIGHTS, 0), squares = 0.0, sum = 0.0;
    for (size_t i = 0; i < t->net->net->tensor_count; i++, golden += TENSOR_NUMBERS) {
        const double far = tensor_distance(t, after, i, golden);
        assert_true(golden[0] > 0.0);
        if (!(far <= fmax(floor_of_rule, t->setup->row->factor * golden[1])))
            fail_msg("%s: %s, change of %s: %.3g away, PyTorch in float %.3g", t->setup->name,
                     run->name, t->net->net->tensors[i].name, far, golden[1]);
        if (!cxn_role_is_param(t->net->net->tensors[i].role)) continue;
        squares += far * far * golden[0] * golden[0];
        sum += golden[0] * golden[0];
    }
    free(after);
    if (!(sqrt(squares / sum) <= limits->changes))
        fail_msg("%s: %s, change of the weights: %.3g away", t->setup->name, run->name,
                 sqrt(squares / sum));
    return sqrt(squares / sum);
}

static void replay(const struct train_setup *setup, const struct run *run,
                   const struct train_net *n, const double *golden)
{
    const struct cxn_trainer_options options = {
        .views_max = run->loss == TRAIN_SEED_CE ? TRAIN_VIEWS_MAX : TRAIN_IMAGES,
        .side = TRAIN_SIDE, .slots = 1, .moments = moments_of(&run->update)
    };
    struct trainee t;
    trainee_open(&t, setup, n, &options, 0);
    const double loss = take_steps(&t, run, golden);
    const double change = check_change(&t, run, golden + 2 * run->steps);
    print_message("%s, %s network, %s: losses %.1e from PyTorch's, changes %.1e\n", setup->name,
                  run->full ? "full" : "small", run->name, loss, change);
    trainee_close(&t);
}

void train_replay(const struct train_setup *setup, bool full)
{
    struct train_net n;
    size_t total = 0;
    if (full) train_net_calm(&n);
    else train_net_small(&n);
    for (size_t i = 0; i < CXN_COUNTOF(runs); i++) total += golden_count(&runs[i]);
    double *golden = train_golden("tests/golden/train_runs.f64", total), *at = golden;
    for (size_t i = 0; i < CXN_COUNTOF(runs); i++) {
        if (runs[i].full == full) replay(setup, &runs[i], &n, at);
        at += golden_count(&runs[i]);
    }
    free(golden);
    train_net_close(&n);
}
