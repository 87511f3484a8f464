/* SPDX-License-Identifier: Apache-2.0 */
/* src/eval against scikit-learn and the textbook's formulas (tests/golden/make_eval.py). */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "eval/auc.h"
#include "unit/unit.h"

static const struct cxn_env env;
static const double tolerance = 1e-9;

/* One golden case as arrays of its own. */
struct sample {
    size_t images, findings;
    float *a, *b;
    uint16_t *labels;
};

static float *load_scores(const json_t *rows, size_t findings)
{
    float *scores = malloc(json_array_size(rows) * findings * sizeof *scores);
    assert_non_null(scores);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (size_t f = 0; f < findings; f++)
            scores[i * findings + f] =
                (float)json_number_value(json_array_get(json_array_get(rows, i), f));
    return scores;
}

static struct sample load_sample(const json_t *golden)
{
    const json_t *labels = json_object_get(golden, "labels");
    struct sample s = { .images = json_array_size(labels),
                        .findings = json_array_size(json_object_get(golden, "findings")) };
    s.a = load_scores(json_object_get(golden, "a"), s.findings);
    s.b = load_scores(json_object_get(golden, "b"), s.findings);
    s.labels = calloc(s.images, sizeof *s.labels);
    assert_non_null(s.labels);
    for (size_t i = 0; i < s.images; i++)
        for (size_t f = 0; f < s.findings; f++)
            if (json_integer_value(json_array_get(json_array_get(labels, i), f)))
                s.labels[i] = (uint16_t)(s.labels[i] | 1u << f);
    return s;
}

static void free_sample(struct sample *s)
{
    free(s->a);
    free(s->b);
    free(s->labels);
}

static struct cxn_eval_set set_of(const struct sample *s)
{
    return (struct cxn_eval_set){ .images = s->images, .findings = s->findings, .scores = s->a,
                                  .labels = s->labels };
}

static double number(const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void check_near(double got, double want)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, expected %.17g", got, want);
}

/* golden: [value, lo, hi] or NULL for a figure without interval. */
static void check_estimate(const struct cxn_eval_figure *e, const json_t *golden)
{
    assert_int_equal(e->bounded, golden != NULL);
    if (!golden) {
        assert_true(isnan(e->lo) && isnan(e->hi));
        return;
    }
    check_near(e->value, number(golden, 0));
    check_near(e->lo, number(golden, 1));
    check_near(e->hi, number(golden, 2));
}

static void check_difference(const struct cxn_eval_difference *d, const json_t *golden)
{
    const json_t *auc = json_object_get(golden, "auc");
    const json_t *difference = json_object_get(golden, "difference");
    assert_int_equal(d->difference.defined, auc != NULL);
    if (auc) {
        check_near(d->a, number(auc, 0));
        check_near(d->b, number(auc, 1));
    }
    check_estimate(&d->difference, difference);
    if (difference) {
        check_near(d->z, number(difference, 3));
        check_near(d->p, number(difference, 4));
    } else {
        assert_true(isnan(d->z) && isnan(d->p));
    }
}

static void check_case(const json_t *golden)
{
    struct sample s = load_sample(golden);
    const struct cxn_eval_set set = set_of(&s);
    const json_t *mean = json_object_get(golden, "mean");
    struct cxn_eval_table aucs;
    struct cxn_eval_comparison c;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, NULL), CXN_OK);
    assert_int_equal(cxn_auc_compare(&env, &set, s.b, &c, NULL), CXN_OK);
    for (size_t f = 0; f < s.findings; f++) {
        const json_t *want = json_array_get(json_object_get(golden, "findings"), f);
        const json_t *auc = json_object_get(want, "auc");
        const struct cxn_eval_auc *got = &aucs.finding[f];
        assert_int_equal(got->positives, json_integer_value(json_object_get(want, "positives")));
        assert_int_equal(got->auc.defined, auc != NULL);
        if (auc) {
            check_near(got->auc.value, number(auc, 0));
            check_near(got->threshold, json_number_value(json_object_get(want, "threshold")));
        } else {
            assert_true(isnan(got->auc.value) && isnan(got->threshold));
        }
        check_estimate(&got->auc, json_object_get(want, "interval"));
        check_difference(&c.finding[f], want);
    }
    check_near(aucs.mean.value, number(json_object_get(mean, "auc"), 0));
    check_estimate(&aucs.mean, json_object_get(mean, "interval"));
    check_difference(&c.mean, mean);
    assert_int_equal(aucs.mean_of, json_integer_value(json_object_get(mean, "of")));
    assert_int_equal(c.mean_of, aucs.mean_of);
    free_sample(&s);
}

static json_t *load_golden(void)
{
    json_error_t error;
    json_t *golden = json_load_file("tests/golden/eval.json", 0, &error);
    if (!golden) fail_msg("tests/golden/eval.json: %s", error.text);
    return golden;
}

static void agrees_with_golden(void **state)
{
    (void)state;
    json_t *golden = load_golden();
    const json_t *cases = json_object_get(golden, "cases");
    assert_int_equal(json_array_size(cases), 4);
    for (size_t i = 0; i < json_array_size(cases); i++) check_case(json_array_get(cases, i));
    json_decref(golden);
}

/* By hand: one of two pairs in order, the other tied. */
static void small_by_hand(void **state)
{
    (void)state;
    const float scores[3] = { 0.5f, 0.5f, 0.25f };
    const uint16_t labels[3] = { 1, 0, 0 };
    const struct cxn_eval_set set = { .images = 3, .findings = 1, .scores = scores,
                                      .labels = labels };
    struct cxn_eval_table aucs;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, NULL), CXN_OK);
    assert_true(aucs.finding[0].auc.value == 0.75);
    assert_true(aucs.finding[0].threshold == 0.5);
    assert_false(aucs.finding[0].auc.bounded);
    assert_int_equal(aucs.mean_of, 1);
}

/* 0.875 finds half and alarms never, 0.625 finds all with half the alarms: the larger one wins. */
static void equal_thresholds(void **state)
{
    (void)state;
    const float scores[4] = { 0.625f, 0.75f, 0.125f, 0.875f };
    const uint16_t labels[4] = { 1, 0, 0, 1 };
    const struct cxn_eval_set set = { .images = 4, .findings = 1, .scores = scores,
                                      .labels = labels };
    struct cxn_eval_table aucs;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, NULL), CXN_OK);
    assert_true(aucs.finding[0].threshold == 0.875);
}

static void nothing_defined(void **state)
{
    (void)state;
    const float scores[2] = { 0.5f, 0.25f };
    const uint16_t labels[2] = { 0, 0 };
    const struct cxn_eval_set set = { .images = 2, .findings = 1, .scores = scores,
                                      .labels = labels };
    struct cxn_eval_table aucs;
    struct cxn_eval_comparison c;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, NULL), CXN_OK);
    assert_int_equal(cxn_auc_bootstrap(&env, &set, 10, 0, &aucs, NULL), CXN_OK);
    assert_false(aucs.mean.defined || aucs.mean.bounded || aucs.finding[0].auc.defined);
    assert_true(isnan(aucs.mean.value));
    assert_int_equal(aucs.mean_of, 0);
    assert_int_equal(cxn_auc_compare(&env, &set, scores, &c, NULL), CXN_OK);
    assert_false(c.mean.difference.defined || c.mean.difference.bounded);
}

/* The same scores twice differ by nothing, surely; a reversal of perfect order has no variance. */
static void degenerate_comparisons(void **state)
{
    (void)state;
    const float up[4] = { 1, 2, 3, 4 }, down[4] = { 4, 3, 2, 1 }, mixed[4] = { 1, 3, 2, 4 };
    const uint16_t labels[4] = { 0, 0, 1, 1 };
    struct cxn_eval_set set = { .images = 4, .findings = 1, .scores = mixed, .labels = labels };
    struct cxn_eval_comparison c;
    assert_int_equal(cxn_auc_compare(&env, &set, mixed, &c, NULL), CXN_OK);
    assert_true(c.finding[0].difference.bounded);
    assert_true(c.finding[0].difference.lo == 0 && c.finding[0].difference.hi == 0);
    assert_true(c.finding[0].z == 0 && c.finding[0].p == 1);
    set.scores = up;
    assert_int_equal(cxn_auc_compare(&env, &set, down, &c, NULL), CXN_OK);
    assert_true(c.finding[0].difference.value == -1);
    assert_false(c.finding[0].difference.bounded);
    assert_true(isnan(c.finding[0].p));
}

static void refused(void **state)
{
    (void)state;
    float scores[4] = { 0, 1, 2, NAN };
    uint16_t labels[2] = { 1, 2 };
    struct cxn_eval_set set = { .images = 2, .findings = 2, .scores = scores, .labels = labels };
    struct cxn_eval_table aucs;
    struct cxn_eval_comparison c;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, &err), CXN_E_FORMAT);
    assert_string_equal(err.text, "image 1, finding 1 (from 0): score is NaN");
    const float good[4] = { 0, 1, 2, 3 };
    set.scores = good;
    assert_int_equal(cxn_auc_compare(&env, &set, scores, &c, &err), CXN_E_FORMAT);
    assert_string_equal(err.text, "second scores: image 1, finding 1 (from 0): score is NaN");
    assert_int_equal(cxn_auc_bootstrap(&env, &set, 0, 0, &aucs, &err), CXN_E_ARG);
    labels[1] = 4;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, &err), CXN_E_ARG);
    set.images = 0;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, &err), CXN_E_ARG);
    set.images = 2;
    set.findings = CXN_EVAL_FINDINGS_MAX + 1;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, &err), CXN_E_ARG);
}

/* ---- bootstrap ---------------------------------------------------------------------------- */

enum { IMAGES = 400, COPIES = 3 };

/* IMAGES images of two findings, each COPIES times in a row under one patient's number. */
struct cohort {
    float scores[IMAGES * COPIES * 2];
    uint16_t labels[IMAGES * COPIES];
    uint32_t patients[IMAGES * COPIES];
};

static void draw_cohort(struct cohort *c, size_t copies)
{
    struct cxn_random random = cxn_random_make(5, 0);
    for (uint32_t i = 0; i < IMAGES; i++) {
        const uint16_t labels = (uint16_t)cxn_random_below(&random, 4);
        const double shared = cxn_random_normal(&random);
        float score[2];
        for (uint32_t f = 0; f < 2; f++)
            score[f] = (float)((labels >> f & 1) + shared + cxn_random_normal(&random));
        for (size_t k = i * copies; k < (i + 1) * copies; k++) {
            memcpy(c->scores + 2 * k, score, sizeof score);
            c->labels[k] = labels;
            c->patients[k] = 7 * i + 3;
        }
    }
}

static struct cxn_eval_table bootstrap_cohort(const struct cohort *c, size_t images,
                                           const struct cxn_env *e, uint64_t seed)
{
    const struct cxn_eval_set set = { .images = images, .findings = 2, .scores = c->scores,
                                      .labels = c->labels, .patients = c->patients };
    struct cxn_eval_table aucs;
    assert_int_equal(cxn_auc_delong(e, &set, &aucs, NULL), CXN_OK);
    assert_int_equal(cxn_auc_bootstrap(e, &set, 1000, seed, &aucs, NULL), CXN_OK);
    return aucs;
}

static bool same_intervals(const struct cxn_eval_table *a, const struct cxn_eval_table *b)
{
    bool same = a->mean.lo == b->mean.lo && a->mean.hi == b->mean.hi;
    for (size_t f = 0; f < 2; f++)
        same = same && a->finding[f].auc.lo == b->finding[f].auc.lo &&
               a->finding[f].auc.hi == b->finding[f].auc.hi;
    return same;
}

static void bootstrap_repeats(void **state)
{
    (void)state;
    static struct cohort c;
    draw_cohort(&c, 1);
    struct cxn_env threaded = { 0 };
    assert_int_equal(cxn_pool_open(&threaded.pool, 3, NULL), CXN_OK);
    const struct cxn_eval_table one = bootstrap_cohort(&c, IMAGES, &env, 1);
    const struct cxn_eval_table three = bootstrap_cohort(&c, IMAGES, &threaded, 1);
    const struct cxn_eval_table other = bootstrap_cohort(&c, IMAGES, &env, 2);
    cxn_pool_close(&threaded.pool);
    assert_true(one.mean.bounded && one.finding[0].auc.bounded);
    assert_true(same_intervals(&one, &three));
    assert_false(same_intervals(&one, &other));
}

/* Copies of an image under one patient say nothing new: the same bounds, to the bit. */
static void bootstrap_draws_patients(void **state)
{
    (void)state;
    static struct cohort c;
    draw_cohort(&c, 1);
    const struct cxn_eval_table single = bootstrap_cohort(&c, IMAGES, &env, 1);
    draw_cohort(&c, COPIES);
    const struct cxn_eval_table copied = bootstrap_cohort(&c, IMAGES * COPIES, &env, 1);
    assert_true(same_intervals(&single, &copied));
}

/* With one image a patient it estimates what DeLong's interval does. */
static void bootstrap_agrees_with_delong(void **state)
{
    (void)state;
    static struct cohort c;
    draw_cohort(&c, 1);
    const struct cxn_eval_set set = { .images = IMAGES, .findings = 2, .scores = c.scores,
                                      .labels = c.labels };
    struct cxn_eval_table delong;
    assert_int_equal(cxn_auc_delong(&env, &set, &delong, NULL), CXN_OK);
    const struct cxn_eval_table drawn = bootstrap_cohort(&c, IMAGES, &env, 1);
    const struct cxn_eval_figure *pairs[3][2] = {
        { &delong.finding[0].auc, &drawn.finding[0].auc },
        { &delong.finding[1].auc, &drawn.finding[1].auc },
        { &delong.mean, &drawn.mean },
    };
    for (size_t i = 0; i < 3; i++) {
        const double width = pairs[i][0]->hi - pairs[i][0]->lo;
        assert_true(width > 0.02);
        assert_true(pairs[i][0]->value == pairs[i][1]->value);
        assert_true(fabs(pairs[i][0]->lo - pairs[i][1]->lo) < 0.05 * width);
        assert_true(fabs(pairs[i][0]->hi - pairs[i][1]->hi) < 0.05 * width);
    }
}

/* Positives of one patient alone bound nothing, however many they are. */
static void bootstrap_needs_two_patients(void **state)
{
    (void)state;
    const float scores[6] = { 0.9f, 0.2f, 0.4f, 0.3f, 0.1f, 0.8f };
    const uint16_t labels[6] = { 1, 1, 0, 0, 0, 0 };
    uint32_t patients[6] = { 4, 4, 5, 6, 6, 7 };
    const struct cxn_eval_set set = { .images = 6, .findings = 1, .scores = scores,
                                      .labels = labels, .patients = patients };
    struct cxn_eval_table aucs;
    assert_int_equal(cxn_auc_delong(&env, &set, &aucs, NULL), CXN_OK);
    assert_true(aucs.finding[0].auc.bounded);
    assert_int_equal(cxn_auc_bootstrap(&env, &set, 50, 1, &aucs, NULL), CXN_OK);
    assert_true(aucs.finding[0].auc.defined && aucs.mean.defined);
    assert_false(aucs.finding[0].auc.bounded || aucs.mean.bounded);
    patients[1] = 8;
    assert_int_equal(cxn_auc_bootstrap(&env, &set, 50, 1, &aucs, NULL), CXN_OK);
    assert_true(aucs.finding[0].auc.bounded && aucs.mean.bounded);
}

static void allocation_failures(void **state)
{
    (void)state;
    static struct cohort c;
    draw_cohort(&c, 1);
    const struct cxn_eval_set set = { .images = 20, .findings = 2, .scores = c.scores,
                                      .labels = c.labels };
    enum cxn_status status = CXN_E_NOMEM;
    size_t failures = 0;
    for (size_t at = 1; status == CXN_E_NOMEM; at++) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        mem.fail_at = at;
        const struct cxn_env e = { .mem = &mem };
        struct cxn_eval_table aucs;
        struct cxn_eval_comparison comparison;
        status = cxn_auc_delong(&e, &set, &aucs, NULL);
        if (status == CXN_OK) status = cxn_auc_compare(&e, &set, c.scores, &comparison, NULL);
        if (status == CXN_OK) status = cxn_auc_bootstrap(&e, &set, 5, 0, &aucs, NULL);
        assert_int_equal(mem.blocks, 0);
        failures += status == CXN_E_NOMEM;
    }
    assert_int_equal(status, CXN_OK);
    assert_int_equal(failures, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_golden),
        cmocka_unit_test(small_by_hand),
        cmocka_unit_test(equal_thresholds),
        cmocka_unit_test(nothing_defined),
        cmocka_unit_test(degenerate_comparisons),
        cmocka_unit_test(refused),
        cmocka_unit_test(bootstrap_repeats),
        cmocka_unit_test(bootstrap_draws_patients),
        cmocka_unit_test(bootstrap_agrees_with_delong),
        cmocka_unit_test(bootstrap_needs_two_patients),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
