/* SPDX-License-Identifier: Apache-2.0 */
/* The trainers on the whole of DenseNet-121: PyTorch's gradients, losses and changes of weights. */
#include <math.h>
#include <stdlib.h>

#include "formula.h"
#include "train_replay.h"
#include "unit/unit.h"

enum { SAMPLES = 64, TENSOR_NUMBERS = 2 + SAMPLES, LOGITS = TRAIN_IMAGES * TRAIN_CLASSES };

struct fixture {
    struct train_net full;
    double *golden;   /* tests/golden/train_full.f64 */
    double *gradient; /* ref64's slot */
};

static bool is_param(const struct fixture *f, size_t tensor)
{
    return f->full.net->tensors[tensor].offset < f->full.net->param_count;
}

static double *slot_of(const struct fixture *f, const struct train_setup *setup, double *logits,
                       double *loss)
{
    const struct cxn_trainer_options options = { .views_max = TRAIN_IMAGES, .side = 224,
                                                 .slots = 1 };
    struct train_batch batch;
    struct trainee t;
    train_batch_full(&batch, &f->full);
    trainee_open(&t, setup, &f->full, &options, 0);
    *loss = train_passes(&t, &batch, 0, logits);
    double *slot = trainee_read(&t, CXN_BLOCK_GRADIENT, 0);
    trainee_close(&t);
    return slot;
}

/* Of samples of one tensor's gradient and of its norm, from PyTorch's. */
static double golden_distance(const double *gradient, size_t number, size_t count,
                              const double *golden)
{
    const size_t samples = count < SAMPLES ? count : SAMPLES;
    double got[SAMPLES];
    for (size_t j = 0; j < samples; j++)
        got[j] = gradient[count <= SAMPLES ? j : formula_sample(number, j, count)];
    const double norm = fabs(train_norm(gradient, count) - golden[0]) / golden[0];
    return fmax(norm, train_distance(got, golden + 2, samples) / train_norm(golden + 2, samples));
}

/* Every row but ref64 is held against ref64 itself below. */
static void ref64_is_pytorchs(void **state)
{
    struct fixture *f = *state;
    struct train_setup setup = { 0 };
    double logits[LOGITS], loss, worst = 0.0;
    while (train_setup_next(&setup) && setup.row->trainer != &cxn_trainer_ref64) continue;
    assert_ptr_equal(setup.row->trainer, &cxn_trainer_ref64);
    f->gradient = slot_of(f, &setup, logits, &loss);
    assert_true(train_distance(logits, f->golden, LOGITS) <
                1e-10 * train_norm(f->golden, LOGITS));
    assert_true(fabs(loss - f->golden[LOGITS]) < 1e-10 * loss);
    const double *golden = f->golden + LOGITS + 1;
    for (size_t i = 0, number = 0; i < f->full.net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &f->full.net->tensors[i];
        if (!is_param(f, i)) continue;
        const double far = golden_distance(f->gradient + t->offset, number, t->count,
                                           golden + number * TENSOR_NUMBERS);
        if (!(far <= setup.row->full.gradient)) fail_msg("%s: %.3g away", t->name, far);
        if (worst < far) worst = far;
        number++;
    }
    print_message("ref64: gradients %.1e from PyTorch's in double\n", worst);
}

static void check_row(const struct fixture *f, const struct train_setup *setup)
{
    const struct train_row *row = setup->row;
    double logits[LOGITS], loss, worst = 0.0;
    double *slot = slot_of(f, setup, logits, &loss);
    const double *golden = f->golden + LOGITS + 1;
    for (size_t i = 0; i < f->full.net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &f->full.net->tensors[i];
        if (!is_param(f, i)) continue;
        const double far = train_distance(slot + t->offset, f->gradient + t->offset, t->count) /
                           train_norm(f->gradient + t->offset, t->count);
        if (!(far <= fmax(row->full.gradient, row->factor * golden[1])))
            fail_msg("%s: gradient of %s %.3g from ref64's, PyTorch in float %.3g", setup->name,
                     t->name, far, golden[1]);
        if (worst < far / golden[1]) worst = far / golden[1];
        golden += TENSOR_NUMBERS;
    }
    print_message("%s: gradients at most %.2f times as far from ref64's as PyTorch's in float\n",
                  setup->name, worst);
    free(slot);
}

static void rows_are_near_ref64(void **state)
{
    const struct fixture *f = *state;
    size_t compared = 0;
    assert_non_null(f->gradient);
    for (struct train_setup t = { 0 }; train_setup_next(&t);) {
        if (t.row->trainer == &cxn_trainer_ref64) continue;
        check_row(f, &t);
        compared++;
    }
    if (compared > 0) return;
    print_message("skipped: rows beside ref64 (there is none)\n");
    skip();
}

static void steps_are_pytorchs(void **state)
{
    (void)state;
    for (struct train_setup t = { 0 }; train_setup_next(&t);)
        if (t.level == 0 || train_setup_is_best(&t)) train_replay(&t, true);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    train_net_full(&f->full);
    train_setup_say_skipped();
    size_t params = 0;
    for (size_t i = 0; i < f->full.net->tensor_count; i++) params += is_param(f, i) ? 1 : 0;
    f->golden = train_golden("tests/golden/train_full.f64",
                             LOGITS + 1 + params * TENSOR_NUMBERS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    train_net_close(&f->full);
    free(f->golden);
    free(f->gradient);
    free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref64_is_pytorchs),
        cmocka_unit_test(rows_are_near_ref64),
        cmocka_unit_test(steps_are_pytorchs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
