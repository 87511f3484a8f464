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

static void check_crops(const char *mode, double allowed, const char *crops, int column,
                        uint32_t threads)
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
    if (cxn_model_open(&model, ctx, getenv("CXN_FORMULA_WEIGHTS"), mode, &err) != CXN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cxn_predict_pixels(model, &pixels, crops, prob, &err), CXN_OK);
    for (int i = 0; i < CXN_FINDINGS; i++)
        if (!(fabs((double)prob[i] - golden[i][column]) <= allowed))
            fail_msg("%s, %s, %s: %.9g, PyTorch %.9g", mode, crops, cxn_finding_name(i),
                     (double)prob[i], golden[i][column]);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
}

static void ten_crops_equal_pytorch(void **state)
{
    (void)state;
    check_crops("reference", 3e-6, "ten", 3, 0);
    check_crops("fp32", 1e-5, "ten", 3, 0);
    check_crops("bf16", 2e-2, "ten", 3, 0);
}

static void centre_crop_equals_pytorch(void **state)
{
    (void)state;
    check_crops("reference", 3e-6, "center", 4, 1);
    check_crops("fp32", 1e-5, "center", 4, 1);
    check_crops("bf16", 2e-2, "center", 4, 1);
}

/* 256x290 after resizing: three of the network's halvings meet an odd side. */
static void whole_picture_equals_pytorch(void **state)
{
    (void)state;
    check_crops("reference", 3e-6, "full", 5, 0);
    check_crops("fp32", 1e-5, "full", 5, 0);
    check_crops("bf16", 2e-2, "full", 5, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centre_crop_equals_pytorch),
        cmocka_unit_test(ten_crops_equal_pytorch),
        cmocka_unit_test(whole_picture_equals_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
