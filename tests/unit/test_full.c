/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of DenseNet-121 against PyTorch, through the public API, without outside files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <chexnet/chexnet.h>

#include "unit/unit.h"
#include "formula.h"

enum { COLUMNS = 6 };

static void read_golden(double golden[CXN_FINDINGS][COLUMNS])
{
    char line[512];
    FILE *f = fopen("tests/golden/full.txt", "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f)); /* the comment */
    for (int i = 0; i < CXN_FINDINGS; i++) {
        double *g = golden[i];
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(sscanf(line, "%lf %lf %lf %lf %lf %lf", g, g + 1, g + 2, g + 3, g + 4,
                                g + 5), COLUMNS);
    }
    fclose(f);
}

static const struct mode {
    const char *name;
    double allowed; /* difference from PyTorch */
    uint32_t whole_threads;
} modes[] = { { "reference", 3e-6, 0 }, { "fp32", 1e-5, 0 }, { "bf16", 2e-2, 1 } };

static const struct mode *mode; /* what main() is told */

static void check_crops(const char *crops, int column, uint32_t threads)
{
    double golden[CXN_FINDINGS][COLUMNS];
    static uint8_t grey[FORMULA_WIDTH * FORMULA_HEIGHT];
    const struct cxn_options options = { .threads = threads };
    struct cxn_error err = { "" };
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    float prob[CXN_FINDINGS];

    read_golden(golden);
    formula_picture(grey);
    const struct cxn_pixels pixels = { grey, FORMULA_WIDTH, FORMULA_HEIGHT, 1, FORMULA_WIDTH };
    assert_int_equal(cxn_context_open(&ctx, &options, &err), CXN_OK);
    if (cxn_model_open(&model, ctx, getenv("CXN_FORMULA_WEIGHTS"), mode->name, &err) != CXN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cxn_predict_pixels(model, &pixels, crops, prob, &err), CXN_OK);
    for (int i = 0; i < CXN_FINDINGS; i++)
        if (!(fabs((double)prob[i] - golden[i][column]) <= mode->allowed))
            fail_msg("%s, %s, %s: %.9g, PyTorch %.9g", mode->name, crops, cxn_finding_name(i),
                     (double)prob[i], golden[i][column]);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
}

static void ten_crops_equal_pytorch(void **state)
{
    (void)state;
    check_crops("ten", 3, 0);
}

static void centre_crop_equals_pytorch(void **state)
{
    (void)state;
    check_crops("center", 4, 1);
}

/* 256x290 after resizing: three of the network's halvings meet an odd side. */
static void whole_picture_equals_pytorch(void **state)
{
    (void)state;
    check_crops("full", 5, mode->whole_threads);
}

/* test_full MODE */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centre_crop_equals_pytorch),
        cmocka_unit_test(ten_crops_equal_pytorch),
        cmocka_unit_test(whole_picture_equals_pytorch),
    };
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(argv[1], modes[i].name) == 0) mode = &modes[i];
    return mode ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
