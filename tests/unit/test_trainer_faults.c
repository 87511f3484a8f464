/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of trainers on the shrunken network: memory, and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "train_case.h"
#include "unit/unit.h"

static void passing_allocates_nothing(void **state)
{
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_engine_source source = { .net = n->net, .block = n->block };
    struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 2,
                                           .moments = 1, .keeps_average = true };
    const struct cxn_update update = { .rule = CXN_RULE_SGD, .step = 1, .momentum = 0.9,
                                       .lr = 1e-2, .gradient_scale = 1.0, .statistic_scale = 1.0 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct cxn_mem mem;
        struct train_batch batch;
        double logits[TRAIN_IMAGES * TRAIN_CLASSES];
        cxn_mem_init(&mem, 0);
        struct trainee t = { .setup = &setup, .net = n,
                             .env = { .mem = &mem, .cpu = setup.cpu } };
        options.precision = setup.row->precision;
        assert_int_equal(cxn_pool_open(&t.env.pool, 2, NULL), CXN_OK);
        assert_int_equal(trainer_of(&t)->open(&t.state, &source, &options, &t.env, NULL), CXN_OK);
        const size_t calls = atomic_load(&mem.calls), used = atomic_load(&mem.used_bytes);
        assert_true(calls > 0);
        train_batch_run(&batch, n, TRAIN_BCE, 0);
        for (unsigned slot = 0; slot < 2; slot++) (void)train_passes(&t, &batch, slot, logits);
        trainer_of(&t)->add(t.state, 0, 1, 0, n->net->float_count);
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
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_engine_source source = { .net = n->net, .block = n->block };
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
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_engine_source source = { .net = n->net, .block = n->block };
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
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_trainer_options options = { .views_max = 3, .side = 63, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct train_batch good, b;
        train_batch_run(&good, n, TRAIN_BCE, 0);
        for (size_t i = 0; i < good.count; i++)
            good.views[i].view.width = good.views[i].view.height = 63;
        trainee_open(&t, &setup, n, &options, 1);
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
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct train_batch batch;
        struct cxn_error err = { "" };
        double logits[TRAIN_IMAGES * TRAIN_CLASSES] = { 0.0 };
        train_batch_run(&batch, n, TRAIN_BCE, 0);
        trainee_open(&t, &setup, n, &options, 1);
        double *weights = trainee_read(&t, CXN_BLOCK_WEIGHTS, 0);
        weights[cxn_net_find(n->net, "classifier.bias")->offset + 5] = INFINITY;
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

/* Wherever it stands: no kernel makes a number of it. */
static void not_a_number_is_an_error(void **state)
{
    static const char *const names[] = {
        "features.conv0.weight", "features.norm0.bias",
        "features.denseblock2.denselayer1.conv1.weight",
        "features.denseblock3.denselayer1.norm2.weight",
        "features.denseblock1.denselayer1.conv2.weight", "features.transition2.conv.weight",
        "features.norm5.weight", "classifier.weight"
    };
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_trainer_options options = { .views_max = 4, .side = TRAIN_SIDE, .slots = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        struct train_batch batch;
        double logits[TRAIN_IMAGES * TRAIN_CLASSES];
        train_batch_run(&batch, n, TRAIN_BCE, 0);
        trainee_open(&t, &setup, n, &options, 1);
        double *weights = trainee_read(&t, CXN_BLOCK_WEIGHTS, 0);
        for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
            double *number = weights + cxn_net_find(n->net, names[i])->offset;
            const double old = *number;
            *number = NAN;
            trainee_write(&t, CXN_BLOCK_WEIGHTS, 0, weights);
            if (trainer_of(&t)->forward(t.state, batch.views, batch.count, 0, logits, NULL) !=
                CXN_E_FORMAT)
                fail_msg("%s: %s", setup.name, names[i]);
            *number = old;
        }
        trainee_write(&t, CXN_BLOCK_WEIGHTS, 0, weights);
        (void)train_passes(&t, &batch, 0, logits); /* and leaves nothing behind */
        free(weights);
        trainee_close(&t);
    }
}

static void missing_blocks_are_empty(void **state)
{
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    const struct cxn_trainer_options options = { .views_max = 1, .side = TRAIN_SIDE, .slots = 2,
                                                 .moments = 1 };
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        struct trainee t;
        trainee_open(&t, &setup, n, &options, 1);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_AVERAGE, 0).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_MOMENT, 1).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_GRADIENT, 2).count, 0);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_GRADIENT, 1).count,
                         n->net->float_count);
        assert_int_equal(trainer_of(&t)->block(t.state, CXN_BLOCK_MOMENT, 0).count,
                         n->net->param_count);
        trainee_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passing_allocates_nothing),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(wrong_views_are_refused),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(not_a_number_is_an_error),
        cmocka_unit_test(missing_blocks_are_empty),
    };
    return cmocka_run_group_tests(tests, train_set_up, train_tear_down);
}
