/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trainers on the whole of DenseNet-121: PyTorch's gradients, losses and changes of weights.
 *
 * Gradients are those of a settled network (make_train.py). With ordinary random weights they are
 * no function that float could follow: ref64's own gradients changed by up to 1e-2 of their length
 * where each weight was moved by one unit in the last place of a float, in some tensors 580 times
 * as far as PyTorch's in float happened to be. Calm weights change them by 1e-6, but some of 125
 * million values that ReLU sees are within rounding of its corner still, and which of them fall on
 * the other side is the luck of an order of adding: one such value is 3e-4 of a tensor's gradient.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "train_replay.h"
#include "unit/unit.h"

/* Of a tensor in the golden file. */
enum { NORM, FAR_F32, FAR_BF16, FIRST_SAMPLE, SAMPLES = 64,
       TENSOR_NUMBERS = FIRST_SAMPLE + SAMPLES };

enum { LOGITS = TRAIN_IMAGES * TRAIN_CLASSES };

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
    const double *want = golden + FIRST_SAMPLE;
    const double norm = fabs(train_norm(gradient, count) - golden[NORM]) / golden[NORM];
    return fmax(norm, train_distance(got, want, samples) / train_norm(want, samples));
}

static struct train_setup ref64_setup(void)
{
    struct train_setup setup = { 0 };
    while (train_setup_next(&setup) && setup.row->trainer != &cxn_trainer_ref64) continue;
    assert_ptr_equal(setup.row->trainer, &cxn_trainer_ref64);
    return setup;
}

/* Every row but ref64 is held against ref64 itself below. */
static void ref64_is_pytorchs(void **state)
{
    struct fixture *f = *state;
    const struct train_setup setup = ref64_setup();
    double logits[LOGITS], loss, worst = 0.0;
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

/* Each tensor of a slot against ref64's: at most `factor` times PyTorch's distance that the golden
 * file has at `single`, or the floor. The worst, in such distances. */
static double check_slot(const struct fixture *f, const char *name, const double *slot,
                         double factor, double floor, size_t single)
{
    const double *golden = f->golden + LOGITS + 1;
    double worst = 0.0;
    for (size_t i = 0; i < f->full.net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &f->full.net->tensors[i];
        if (!is_param(f, i)) continue;
        const double far = train_distance(slot + t->offset, f->gradient + t->offset, t->count) /
                           train_norm(f->gradient + t->offset, t->count);
        if (!(far <= fmax(floor, factor * golden[single])))
            fail_msg("%s: gradient of %s %.3g from ref64's, PyTorch's %.3g", name, t->name, far,
                     golden[single]);
        worst = fmax(worst, far / golden[single]);
        golden += TENSOR_NUMBERS;
    }
    return worst;
}

/* bfloat16 is held to four times autocast's distance. It moves values across ReLU's corner, there
 * as here, and in the last maps, of 196 places a channel, one is much. */
static void check_row(const struct fixture *f, const struct train_setup *setup)
{
    double logits[LOGITS], loss;
    double *slot = slot_of(f, setup, logits, &loss);
    const bool half = setup->row->precision == CXN_PRECISION_BF16;
    const double worst = check_slot(f, setup->name, slot, half ? 4.0 : setup->row->factor,
                                    setup->row->full.gradient, half ? FAR_BF16 : FAR_F32);
    print_message("%s: gradients at most %.2f times as far from ref64's as PyTorch's\n",
                  setup->name, worst);
    free(slot);
}

/* The golden is a test of rows only where the last bits of the weights do not decide. */
static void last_bits_decide_nothing(void **state)
{
    struct fixture *f = *state;
    const struct train_setup setup = ref64_setup();
    const size_t params = f->full.net->param_count;
    float *exact = malloc(params * sizeof *exact);
    double logits[LOGITS], loss;
    assert_non_null(exact);
    assert_non_null(f->gradient);
    memcpy(exact, f->full.block, params * sizeof *exact);
    for (size_t i = 0; i < params; i++)
        f->full.block[i] = nextafterf(exact[i], formula_sample(i, 0, 2) == 0 ? 9.0f : -9.0f);
    double *slot = slot_of(f, &setup, logits, &loss);
    print_message("ref64, weights moved by a bit: gradients at most %.2f times as far as PyTorch's "
                  "in float\n", check_slot(f, "ref64 moved", slot, 3.0, 1e-5, FAR_F32));
    memcpy(f->full.block, exact, params * sizeof *exact);
    free(exact);
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
    train_net_settled(&f->full);
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
        cmocka_unit_test(last_bits_decide_nothing),
        cmocka_unit_test(rows_are_near_ref64),
        cmocka_unit_test(steps_are_pytorchs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
