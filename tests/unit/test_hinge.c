/* SPDX-License-Identifier: Apache-2.0 */
/* Norm and ReLU as hinges and other weights (fuse/hinge.h), against their definition in double. */
#include <math.h>

#include "fuse/hinge.h"
#include "kern/bf16.h"
#include "unit/unit.h"

enum { IN = 9, OUT = 3 };

/* Of either sign on both sides of 0; 0 with a shift on either side; and so small that x is nothing
 * beside the shift. */
static const float scale[IN] = { 1.5f, 0.7f, -2.0f, -0.3f, 0.0f, 0.0f, 1e-30f, -1e-30f, 1.0f };
static const float shift[IN] = { 0.4f, -1.1f, 0.9f, -0.2f, 2.0f, -2.0f, 3.0f, -3.0f, 0.0f };

static float weight_of(size_t i, size_t o)
{
    return cxn_bf16_value(cxn_bf16_round(0.1f * (float)(i + 1) - 0.3f * (float)o));
}

/* What the unsigned comparison of kern/hinge_conv_bf16.h gives. */
static float hinge(uint16_t x, uint16_t knot, uint16_t turn)
{
    const uint16_t turned = x ^ turn;
    return cxn_bf16_value((turned > knot ? turned : knot) ^ turn);
}

static double defined(const float *x, size_t o)
{
    double sum = 0.25 * (double)o;
    for (size_t i = 0; i < IN; i++)
        sum += fmax(0.0, (double)x[i] * (double)scale[i] + (double)shift[i]) *
               (double)weight_of(i, o);
    return sum;
}

static void sums_are_the_norms(void **state)
{
    (void)state;
    uint16_t knot[IN], turn[IN];
    float w[IN * OUT], bias[OUT];
    for (size_t o = 0; o < OUT; o++) bias[o] = 0.25f * (float)o;
    for (size_t i = 0; i < IN; i++)
        for (size_t o = 0; o < OUT; o++) w[i * OUT + o] = weight_of(i, o);
    cxn_hinge_knots(knot, turn, scale, shift, IN);
    cxn_hinge_weights(w, bias, scale, shift, IN, OUT);
    for (int step = -40; step <= 40; step++) {
        float x[IN];
        for (size_t i = 0; i < IN; i++) x[i] = 0.125f * (float)step * (i % 2 ? -1.0f : 1.0f);
        for (size_t o = 0; o < OUT; o++) {
            double sum = (double)bias[o];
            for (size_t i = 0; i < IN; i++)
                sum += (double)hinge(cxn_bf16_round(x[i]), knot[i], turn[i]) *
                       (double)w[i * OUT + o];
            /* Weights and knots are off by 2^-9 each; x is exact. */
            if (fabs(sum - defined(x, o)) > 0.04)
                fail_msg("x=%g o=%zu: %g, expected %g", (double)x[0], o, sum, defined(x, o));
        }
    }
}

/* Far below its knot a channel adds what 0 after ReLU would: nothing at all, however its weights
 * are rounded. */
static void what_is_cut_off_adds_nothing(void **state)
{
    (void)state;
    const float s = 0.37f, h = -123.4f;
    uint16_t knot, turn;
    float w = 0.777f, bias = 0.0f;
    cxn_hinge_knots(&knot, &turn, &s, &h, 1);
    cxn_hinge_weights(&w, &bias, &s, &h, 1, 1);
    assert_true(fabsf(bias) > 50.0f);
    assert_float_equal(hinge(cxn_bf16_round(-7.0f), knot, turn) * w + bias, 0.0f, 0.0f);
    assert_true(hinge(cxn_bf16_round(400.0f), knot, turn) * w + bias > 10.0f);
}

/* A norm that is no number makes sums that are none. */
static void a_nan_stays_one(void **state)
{
    (void)state;
    const float numbers[][2] = {
        { NAN, 1.0f }, { 1.0f, NAN }, { 0.0f, NAN }, { INFINITY, 0.0f }, { INFINITY, INFINITY }
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint16_t knot, turn;
        float w = 1.0f, bias = 0.0f;
        cxn_hinge_knots(&knot, &turn, &numbers[i][0], &numbers[i][1], 1);
        cxn_hinge_weights(&w, &bias, &numbers[i][0], &numbers[i][1], 1, 1);
        assert_true(isnan(bias));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_norms),
        cmocka_unit_test(what_is_cut_off_adds_nothing),
        cmocka_unit_test(a_nan_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
