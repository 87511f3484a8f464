/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trainer of device cpu in bfloat16. Its gradients are noisy, as PyTorch's are: they may be no
 * further from those in double than PyTorch's autocast is, give or take what chance does. Losses of
 * DenseNet-121 over some steps follow PyTorch's in double to 2 %.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "formula.h"
#include "train_replay.h"
#include "unit/unit.h"

static const struct train_row row = {
    .trainer = &cxn_trainer_cpu, .precision = CXN_PRECISION_BF16, .loss = 2e-2,
    .seed_ce_loss = 2e-2, .change = 0.5, /* of all weights together: AdamW divides the noise of */
    .change_floor = INFINITY             /* single tensors by itself */
};
static const struct train_row exact = { .trainer = &cxn_trainer_ref64 };

struct fixture {
    double *autocast; /* distances, tensor by tensor */
    struct train_setup setups[2]; /* plain C, and this CPU's best */
    size_t setup_count;
};

static size_t count_params(const cxn_net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < net->tensor_count; i++)
        count += cxn_role_is_param(net->tensors[i].role) ? 1 : 0;
    return count;
}

static double *gradients_of(const struct train_setup *setup, const struct train_net *net,
                            const struct train_batch *batch)
{
    const struct cxn_trainer_options options = {
        .views_max = batch->count, .side = batch->views[0].view.width, .slots = 1
    };
    double logits[TRAIN_VIEWS_MAX * TRAIN_CLASSES];
    struct trainee t;
    trainee_open(&t, setup, net, &options, 0);
    train_passes(&t, batch, 0, logits);
    double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
    trainee_close(&t);
    return slot;
}

/* How far from those in double, as times of autocast's distance: of a tensor at most, and of the
 * root of the mean of the squares over all tensors. */
struct factors {
    double tensor, mean;
};

static void check_gradients(const struct train_setup *setup, const struct train_net *net,
                            const struct train_batch *batch, const double *autocast,
                            struct factors allowed)
{
    const struct train_setup ref64 = { .row = &exact, .name = "ref64" };
    double *want = gradients_of(&ref64, net, batch), *got = gradients_of(setup, net, batch);
    double squares = 0.0, autocast_squares = 0.0, worst = 0.0;
    for (size_t i = 0; i < net->net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &net->net->tensors[i];
        if (!cxn_role_is_param(t->role)) continue;
        const double far = train_distance(got + t->offset, want + t->offset, t->count) /
                           train_norm(want + t->offset, t->count);
        if (!(far <= allowed.tensor * *autocast))
            fail_msg("%s: gradient of %s %.3g away, PyTorch's %.3g", setup->name, t->name, far,
                     *autocast);
        worst = fmax(worst, far / *autocast);
        squares += far * far;
        autocast_squares += *autocast * *autocast;
        autocast++;
    }
    print_message("%s: gradients %.2f times as far as PyTorch's, a tensor's at most %.2f\n",
                  setup->name, sqrt(squares / autocast_squares), worst);
    assert_true(squares <= allowed.mean * allowed.mean * autocast_squares);
    free(want);
    free(got);
}

static void gradients_are_as_near_as_autocasts(void **state)
{
    const struct fixture *f = *state;
    struct train_net net;
    struct train_batch batch;
    train_net_full(&net);
    train_batch_full(&batch, &net);
    for (size_t i = 0; i < f->setup_count; i++)
        check_gradients(&f->setups[i], &net, &batch, f->autocast,
                        (struct factors){ .tensor = 1.5, .mean = 1.1 });
    train_net_close(&net);
}

static void losses_are_pytorchs(void **state)
{
    const struct fixture *f = *state;
    train_replay(&f->setups[f->setup_count - 1], true);
}

static void bits_do_not_depend_on_threads(void **state)
{
    const struct fixture *f = *state;
    struct train_net net;
    struct train_batch batch;
    train_net_small(&net);
    train_batch_run(&batch, &net, TRAIN_SEED_CE, 0);
    for (size_t i = 0; i < f->setup_count; i++) {
        const struct cxn_trainer_options options = { .views_max = batch.count,
                                                     .side = TRAIN_SIDE, .slots = 1 };
        double *slots[2], logits[TRAIN_VIEWS_MAX * TRAIN_CLASSES];
        for (unsigned k = 0; k < 2; k++) {
            struct trainee t;
            trainee_open(&t, &f->setups[i], &net, &options, 1 + 2 * k);
            train_passes(&t, &batch, 0, logits);
            slots[k] = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
            trainee_close(&t);
        }
        assert_memory_equal(slots[0], slots[1], net.net->float_count * sizeof *slots[0]);
        free(slots[0]);
        free(slots[1]);
    }
    train_net_close(&net);
}

static struct train_setup setup_of(uint32_t cpu)
{
    struct train_setup setup = { .row = &row, .cpu = cpu };
    snprintf(setup.name, sizeof setup.name, "cpu bf16 %s", row.trainer->level(cpu, row.precision));
    return setup;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct train_net full;
    assert_non_null(f);
    train_net_full(&full);
    f->autocast = train_golden("tests/golden/train_bf16.f64", count_params(full.net));
    train_net_close(&full);
    f->setups[f->setup_count++] = setup_of(0);
    f->setups[f->setup_count] = setup_of(cxn_cpu_detect());
    if (strcmp(f->setups[0].name, f->setups[1].name) != 0) f->setup_count++;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->autocast);
    free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_as_near_as_autocasts),
        cmocka_unit_test(losses_are_pytorchs),
        cmocka_unit_test(bits_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
