/* SPDX-License-Identifier: Apache-2.0 */
/* The AUC table as people and programs see it. */
#include <math.h>
#include <string.h>

#include "unit/unit.h"
#include "auc_table.h"

/* Atelectasis has everything, Hernia nothing, the others a value alone. */
static struct cxn_auc_table make_table(void)
{
    struct cxn_auc_table t = { .images = 150, .mean_of = 13 };
    for (int f = 0; f < CXN_FINDINGS; f++) {
        t.finding[f].auc = (struct cxn_estimate){ .value = 0.5, .lo = NAN, .hi = NAN,
                                                  .defined = 1 };
        t.finding[f].positives = 1;
        t.finding[f].threshold = 0.25;
    }
    t.finding[0] = (struct cxn_finding_auc){
        .auc = { .value = 0.70588, .lo = 0.6, .hi = 1, .defined = 1, .bounded = 1 },
        .threshold = 0.125, .positives = 17
    };
    t.finding[13] = (struct cxn_finding_auc){ .auc = { .value = NAN, .lo = NAN, .hi = NAN },
                                              .threshold = NAN };
    t.mean = (struct cxn_estimate){ .value = 0.515837, .lo = NAN, .hi = NAN, .defined = 1 };
    return t;
}

static void check_printed(const struct cxn_auc_table *table, const char *const *lines, size_t count)
{
    char text[4096];
    FILE *file = tmpfile();
    assert_non_null(file);
    print_auc_table(file, table);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < count; i++)
        if (!strstr(text, lines[i])) fail_msg("no line '%s' in:\n%s", lines[i], text);
}

static void table_for_people(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "finding                  AUC  95 % interval    positives\n",
        "\nAtelectasis           0.7059  0.6000 - 1.0000         17\n",
        "\nPleural_Thickening    0.5000  n/a                      1\n",
        "\nHernia                   n/a  n/a                      0\n",
        "\nmean of 13 findings   0.5158  n/a              of 150 images\n",
        "\nThe mean has no interval, for one of its findings has none.\n",
    };
    struct cxn_auc_table table = make_table();
    check_printed(&table, lines, sizeof lines / sizeof lines[0]);
    static const char *const bounded[] = {
        "\nmean of 13 findings   0.5158  0.4000 - 0.6000  of 150 images\n"
    };
    table.mean.lo = 0.4;
    table.mean.hi = 0.6;
    table.mean.bounded = 1;
    check_printed(&table, bounded, 1);
}

static void object_for_programs(void **state)
{
    (void)state;
    const struct cxn_auc_table table = make_table();
    json_t *object = json_object();
    json_error_t error;
    assert_int_equal(set_auc_json(object, &table), 0);
    json_t *findings = json_object_get(object, "findings");
    assert_int_equal(json_object_size(findings), CXN_FINDINGS);
    json_t *want[] = {
        json_pack_ex(&error, 0, "{s:f, s:[f, f], s:i, s:f}", "auc", 0.70588, "ci95", 0.6, 1.0,
                     "positives", 17, "threshold", 0.125),
        json_pack_ex(&error, 0, "{s:f, s:n, s:i, s:f}", "auc", 0.5, "ci95", "positives", 1,
                     "threshold", 0.25),
        json_pack_ex(&error, 0, "{s:n, s:n, s:i, s:n}", "auc", "ci95", "positives", 0,
                     "threshold"),
    };
    assert_true(json_equal(json_object_get(findings, "Atelectasis"), want[0]));
    assert_true(json_equal(json_object_get(findings, "Pleural_Thickening"), want[1]));
    assert_true(json_equal(json_object_get(findings, "Hernia"), want[2]));
    assert_true(json_real_value(json_object_get(object, "mean_auc")) == 0.515837);
    assert_true(json_is_null(json_object_get(object, "mean_ci95")));
    assert_int_equal(json_integer_value(json_object_get(object, "mean_of")), 13);
    for (size_t i = 0; i < 3; i++) json_decref(want[i]);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_for_people),
        cmocka_unit_test(object_for_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
