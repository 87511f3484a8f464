/* SPDX-License-Identifier: Apache-2.0 */
/* include/chexnet/eval.h: what it adds to src/eval, and real predictions where they are at hand. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <chexnet/eval.h>

#include "api/context.h"
#include "data/predictions.h"
#include "unit/unit.h"

#define SAMPLE "../shared/nih-sample/test_list.txt"
#define SAMPLE_PREDICTIONS "../shared/weights/torch-test-ten.csv"

static const struct cxn_env env;

enum { IMAGES = 6 };

/* Every finding but Hernia has a positive; Mass has one alone. */
static void fill_input(float scores[IMAGES * CXN_FINDINGS], uint16_t labels[IMAGES])
{
    for (int i = 0; i < IMAGES; i++) {
        labels[i] = i < 2 ? 0x1fff : 0;
        for (int f = 0; f < CXN_FINDINGS; f++)
            scores[i * CXN_FINDINGS + f] = (float)((i * 5 + f * 3) % 7) / 8;
    }
    labels[1] &= (uint16_t)~(1u << 4);
}

static void mean_of_thirteen(void **state)
{
    (void)state;
    float scores[IMAGES * CXN_FINDINGS];
    uint16_t labels[IMAGES];
    fill_input(scores, labels);
    const struct cxn_auc_input input = { .images = IMAGES, .scores = scores, .labels = labels };
    struct cxn_auc_table table;
    assert_int_equal(cxn_auc_compute(NULL, &input, NULL, &table, NULL), CXN_OK);
    assert_int_equal(table.mean_of, 13);
    assert_int_equal(table.images, IMAGES);
    assert_false(table.finding[13].auc.defined);
    assert_true(isnan(table.finding[13].auc.value) && isnan(table.finding[13].threshold));
    assert_true(table.finding[4].auc.defined && !table.finding[4].auc.bounded);
    assert_true(table.finding[0].auc.bounded);
    assert_true(table.mean.defined && !table.mean.bounded);
    const struct cxn_auc_options options = { .ci = "patient-bootstrap", .resamples = 100 };
    assert_int_equal(cxn_auc_compute(NULL, &input, &options, &table, NULL), CXN_OK);
    assert_true(table.mean.bounded && !table.finding[4].auc.bounded);
}

static void wrong_calls(void **state)
{
    (void)state;
    float scores[IMAGES * CXN_FINDINGS];
    uint16_t labels[IMAGES];
    fill_input(scores, labels);
    struct cxn_auc_input input = { .images = IMAGES, .scores = scores, .labels = labels };
    struct cxn_auc_options options = { .ci = "wald" };
    struct cxn_auc_table table;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_auc_compute(NULL, &input, &options, &table, &err), CXN_E_ARG);
    assert_string_equal(err.text, "interval 'wald', expected delong or patient-bootstrap");
    options = (struct cxn_auc_options){ .ci = "patient-bootstrap", .resamples = 100001 };
    assert_int_equal(cxn_auc_compute(NULL, &input, &options, &table, &err), CXN_E_ARG);
    labels[0] = 0x4000;
    assert_int_equal(cxn_auc_compute(NULL, &input, NULL, &table, &err), CXN_E_ARG);
    input.labels = NULL;
    assert_int_equal(cxn_auc_compute(NULL, &input, NULL, &table, &err), CXN_E_ARG);
    struct cxn_stats stats;
    struct cxn_auc_comparison comparison;
    assert_int_equal(cxn_stats_compute(NULL, &(struct cxn_stats_files){ 0 }, &stats, &err),
                     CXN_E_ARG);
    assert_int_equal(cxn_compare(NULL, &(struct cxn_compare_files){ 0 }, &comparison, &err),
                     CXN_E_ARG);
}

/* ---- files -------------------------------------------------------------------------------- */

#define LABELS(first) " " first " 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
#define ZEROS13 ",0,0,0,0,0,0,0,0,0,0,0,0,0\n"
#define HEADER                                                                                 \
    "image,Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax," \
    "Consolidation,Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia\n"

static char folder[] = "/tmp/cxn-eval-XXXXXX";

static const char *write_text(const char *name, const char *text, char path[256])
{
    snprintf(path, 256, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "train", "val", "test", "a", "b", "l" };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* Patients by number; where it is unknown, the same file is the same patient. */
static void shared_patients(void **state)
{
    (void)state;
    char paths[CXN_SPLITS][256];
    const struct cxn_stats_files files = { .list = {
        write_text("train", "00000001_000.png" LABELS("1") "00000001_001.png" LABELS("0")
                   "x.png" LABELS("1") "y.png" LABELS("0"), paths[0]),
        write_text("val", "y.png" LABELS("0") "00000007_000.png" LABELS("0")
                   "00000001_002.png" LABELS("0") "00000001_003.png" LABELS("0"), paths[1]),
        write_text("test", "z.png" LABELS("0") "00000007_001.png" LABELS("0"), paths[2]) } };
    struct cxn_stats stats;
    assert_int_equal(cxn_stats_compute(NULL, &files, &stats, NULL), CXN_OK);
    assert_int_equal(stats.split[0].images, 4);
    assert_int_equal(stats.split[0].patients, 3);
    assert_int_equal(stats.split[0].no_finding, 2);
    assert_int_equal(stats.split[0].positives[0], 2);
    assert_int_equal(stats.split[1].patients, 3);
    assert_int_equal(stats.split[2].patients, 2);
    assert_int_equal(stats.shared_patients[CXN_PAIR_TRAIN_VAL], 2);
    assert_string_equal(stats.shared_image[CXN_PAIR_TRAIN_VAL], "00000001_002.png");
    assert_int_equal(stats.shared_patients[CXN_PAIR_TRAIN_TEST], 0);
    assert_string_equal(stats.shared_image[CXN_PAIR_TRAIN_TEST], "");
    assert_int_equal(stats.shared_patients[CXN_PAIR_VAL_TEST], 1);
    assert_string_equal(stats.shared_image[CXN_PAIR_VAL_TEST], "00000007_001.png");
}

static enum cxn_status compare_texts(cxn_context *ctx, const char *a, const char *b,
                                     const char *list, struct cxn_auc_comparison *out,
                                     struct cxn_error *err)
{
    char paths[3][256];
    const struct cxn_compare_files files = { .a = write_text("a", a, paths[0]),
                                             .b = write_text("b", b, paths[1]),
                                             .list = write_text("l", list, paths[2]) };
    return cxn_compare(ctx, &files, out, err);
}

#define LIST "p.png" LABELS("1") "q.png" LABELS("1") "n.png" LABELS("0") "m.png" LABELS("0")
#define SCORES(p, q, n, m) \
    "p.png," p ZEROS13 "q.png," q ZEROS13 "n.png," n ZEROS13 "m.png," m ZEROS13

/* Rows in another order, and one that the list leaves out. */
static void compares_by_name(void **state)
{
    (void)state;
    struct cxn_auc_comparison c;
    struct cxn_error err = { "" };
    assert_int_equal(compare_texts(NULL, HEADER SCORES(".9", ".8", ".2", ".1") "o.png,1" ZEROS13,
                                   HEADER "o.png,0" ZEROS13 "m.png,.5" ZEROS13 "n.png,.7" ZEROS13
                                          "q.png,.6" ZEROS13 "p.png,.4" ZEROS13,
                                   LIST, &c, &err), CXN_OK);
    assert_true(c.finding[0].a == 1 && c.finding[0].b == 0.25);
    assert_true(c.finding[0].difference.value == -0.75);
    assert_int_equal(c.images, 4);
    assert_int_equal(c.left_out, 1);
    assert_int_equal(c.mean_of, 1);
    assert_int_equal(c.finding[0].positives, 2);
}

static void missing_image_is_named(void **state)
{
    (void)state;
    struct cxn_auc_comparison c;
    struct cxn_error err = { "" };
    char want[1024];
    const char *whole = HEADER SCORES("1", "1", "0", "0"), *part = HEADER "p.png,1" ZEROS13;
    assert_int_equal(compare_texts(NULL, whole, part, LIST, &c, &err), CXN_E_FORMAT);
    snprintf(want, sizeof want, "%s/b: no image 'q.png', which is in %s/a", folder, folder);
    assert_string_equal(err.text, want);
    assert_int_equal(compare_texts(NULL, part, whole, LIST, &c, &err), CXN_E_FORMAT);
    snprintf(want, sizeof want, "%s/a: no image 'q.png', which is in %s/b", folder, folder);
    assert_string_equal(err.text, want);
    assert_int_equal(compare_texts(NULL, part, part, LIST, &c, &err), CXN_E_FORMAT);
    snprintf(want, sizeof want, "%s/a: no image 'q.png', which is in %s/l", folder, folder);
    assert_string_equal(err.text, want);
    assert_int_equal(compare_texts(NULL, whole, whole, "p.png\n", &c, &err), CXN_E_FORMAT);
    snprintf(want, sizeof want,
             "%s/l: names without labels, expected 14 labels a line or an entry table", folder);
    assert_string_equal(err.text, want);
}

/* Each allocation behind the two calls fails once; nothing stays allocated. */
static void allocation_failures(void **state)
{
    (void)state;
    const char *scores = HEADER SCORES("1", "1", "0", "0");
    enum cxn_status status = CXN_E_NOMEM;
    size_t failures = 0;
    for (size_t at = 1; status == CXN_E_NOMEM; at++) {
        cxn_context *ctx = NULL;
        struct cxn_auc_comparison c;
        struct cxn_stats stats;
        char path[256];
        assert_int_equal(cxn_context_open(&ctx, NULL, NULL), CXN_OK);
        ctx->mem.fail_at = at;
        status = compare_texts(ctx, scores, scores, LIST, &c, NULL);
        const struct cxn_stats_files files = { .list = { write_text("train", LIST, path) } };
        if (status == CXN_OK) status = cxn_stats_compute(ctx, &files, &stats, NULL);
        assert_int_equal(ctx->mem.blocks, 0);
        failures += status == CXN_E_NOMEM;
        cxn_context_close(&ctx);
    }
    assert_int_equal(status, CXN_OK);
    assert_true(failures >= 10);
}

/* ---- real predictions --------------------------------------------------------------------- */

static struct cxn_auc_table compute_sample(void)
{
    cxn_list *list = NULL;
    cxn_predictions *p = NULL;
    struct cxn_auc_table table;
    assert_int_equal(cxn_list_open(&list, &env, SAMPLE, NULL, NULL), CXN_OK);
    assert_int_equal(cxn_predictions_open(&p, &env, SAMPLE_PREDICTIONS, NULL), CXN_OK);
    assert_int_equal(list->count, p->count);
    uint16_t *labels = calloc(list->count, sizeof *labels);
    assert_non_null(labels);
    for (size_t i = 0; i < list->count; i++) {
        assert_string_equal(list->items[i].name, p->names[i]);
        labels[i] = list->items[i].labels;
    }
    const struct cxn_auc_input input = { .images = p->count, .scores = p->scores,
                                         .labels = labels };
    assert_int_equal(cxn_auc_compute(NULL, &input, NULL, &table, NULL), CXN_OK);
    free(labels);
    cxn_predictions_close(&p);
    cxn_list_close(&list);
    return table;
}

static void sample_agrees_with_sklearn(void **state)
{
    (void)state;
    if (access(SAMPLE, R_OK) != 0 || access(SAMPLE_PREDICTIONS, R_OK) != 0) {
        print_message("skipped: AUC of real predictions (no ../shared/weights)\n");
        skip();
    }
    json_t *golden = json_load_file("tests/golden/nih_sample_auc.json", 0, NULL);
    assert_non_null(golden);
    const json_t *aucs = json_object_get(golden, "auc");
    assert_int_equal(json_array_size(aucs), CXN_FINDINGS);
    const struct cxn_auc_table table = compute_sample();
    for (size_t f = 0; f < CXN_FINDINGS; f++) {
        const json_t *want = json_array_get(aucs, f);
        assert_int_equal(table.finding[f].auc.defined, !json_is_null(want));
        if (!json_is_null(want))
            assert_true(fabs(table.finding[f].auc.value - json_real_value(want)) <= 1e-9);
    }
    assert_true(fabs(table.mean.value - json_real_value(json_object_get(golden, "mean"))) <= 1e-9);
    assert_int_equal(table.mean_of, 13);
    json_decref(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_of_thirteen),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(shared_patients),
        cmocka_unit_test(compares_by_name),
        cmocka_unit_test(missing_image_is_named),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(sample_agrees_with_sklearn),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
