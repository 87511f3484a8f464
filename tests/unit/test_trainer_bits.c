/* SPDX-License-Identifier: Apache-2.0 */
/* What a step leaves, of every row of the table of trainers, to the bit: the same for any number of
 * threads, and for a level by whatever name. */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "train_case.h"
#include "unit/unit.h"

static unsigned threads; /* what main() is told */

/* One step of AdamW with a moving average, in two slots; everything that it leaves, in one array:
 * logits, slot, weights, both moments, average. free(). */
static double *everything(const struct train_net *n, const struct train_setup *setup,
                          unsigned team, size_t *count)
{
    const size_t all = n->net->float_count, params = n->net->param_count;
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
    double *out = train_doubles(2 * LOGITS + 3 * all + 2 * params), *at = out;
    struct trainee t;
    trainee_open(&t, setup, n, &options, team);
    for (unsigned slot = 0; slot < 2; slot++, at += LOGITS) {
        struct train_batch batch;
        train_batch_run(&batch, n, TRAIN_BCE, slot);
        (void)train_passes(&t, &batch, slot, at);
    }
    trainer_of(&t)->add(t.state, 0, 1, 0, all);
    trainer_of(&t)->update(t.state, 0, &update);
    for (size_t i = 0; i < CXN_COUNTOF(blocks); i++) {
        double *block = trainee_read(&t, blocks[i].block, blocks[i].which);
        const size_t numbers = blocks[i].block == CXN_BLOCK_MOMENT ? params : all;
        memcpy(at, block, numbers * sizeof *at);
        at += numbers;
        free(block);
    }
    trainee_close(&t);
    *count = (size_t)(at - out);
    return out;
}

static void bits_do_not_depend_on_threads(void **state)
{
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
        size_t count, same;
        double *want = everything(n, &setup, 1, &count);
        double *got = everything(n, &setup, threads, &same);
        assert_int_equal(same, count);
        for (size_t i = 0; i < count; i++)
            if (memcmp(&got[i], &want[i], sizeof *got) != 0)
                fail_msg("%s: number %zu with %u threads: %.17g, with one %.17g", setup.name, i,
                         threads, got[i], want[i]);
        free(got);
        free(want);
    }
}

/* What a row calls one level has one arithmetic: a resume goes by that name. */
static void a_level_is_one_arithmetic(void **state)
{
    const struct train_fixture *f = *state;
    const struct train_net *n = &f->net;
    for (size_t i = 0; cxn_cpu_level_name(i); i++) {
        if (cxn_cpu_level_lacks(i, cxn_cpu_detect()) != 0) continue;
        for (struct train_setup setup = { 0 }; train_setup_next(&setup);) {
            if (setup.level > 0) continue; /* once a row */
            struct train_setup named = setup;
            const struct cxn_trainer *trainer = setup.row->trainer;
            const char *name;
            size_t count, same;
            assert_int_equal(cxn_cpu_limit(cxn_cpu_detect(), cxn_cpu_level_name(i), &setup.cpu,
                                           NULL), CXN_OK);
            name = trainer->level(setup.cpu, setup.row->precision);
            assert_int_equal(cxn_cpu_limit(setup.cpu, name, &named.cpu, NULL), CXN_OK);
            double *a = everything(n, &setup, 2, &count), *b = everything(n, &named, 2, &same);
            if (memcmp(a, b, count * sizeof *a) != 0)
                fail_msg("%s: level %s is not the arithmetic of its name, %s", setup.name,
                         cxn_cpu_level_name(i), name);
            free(a);
            free(b);
        }
    }
}

/* test_trainer_bits levels|THREADS */
int main(int argc, char **argv)
{
    const struct CMUnitTest levels[] = { cmocka_unit_test(a_level_is_one_arithmetic) };
    const struct CMUnitTest shared[] = { cmocka_unit_test(bits_do_not_depend_on_threads) };
    if (argc != 2) return 2;
    if (strcmp(argv[1], "levels") == 0)
        return cmocka_run_group_tests(levels, train_set_up, train_tear_down);
    threads = (unsigned)strtoul(argv[1], NULL, 10);
    return threads > 1 ? cmocka_run_group_tests(shared, train_set_up, train_tear_down) : 2;
}
