/* SPDX-License-Identifier: Apache-2.0 */
/* `--crops full` of pictures of several shapes against PyTorch, with trained weights and a real
 * X-ray from ../shared; skipped by name without that folder. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <chexnet/chexnet.h>

#include "image/image.h"
#include "unit/unit.h"

static const char weights[] = "../shared/weights/nih-sample.pth";
static const char original[] = "../shared/nih-sample/original/00000831_001.png";

struct shape_case {
    uint32_t width, height; /* of the window of the original */
    uint32_t resized_width, resized_height;
    double want[CXN_FINDINGS];
};

/* False at the end. */
static bool read_case(FILE *f, struct shape_case *c)
{
    const int read = fscanf(f, "%u %u %u %u", &c->width, &c->height, &c->resized_width,
                            &c->resized_height);
    if (read == EOF) return false;
    assert_int_equal(read, 4);
    for (size_t i = 0; i < CXN_FINDINGS; i++) assert_int_equal(fscanf(f, "%lf", &c->want[i]), 1);
    return true;
}

static void check_case(cxn_model *model, const struct cxn_picture *p, const struct shape_case *c,
                       double bound)
{
    const struct cxn_pixels window = { p->pixels, c->width, c->height, p->channels,
                                       p->stride_bytes };
    struct cxn_error err = { "" };
    float prob[CXN_FINDINGS];
    if (cxn_predict_pixels(model, &window, "full", prob, &err) != CXN_OK) fail_msg("%s", err.text);
    for (int i = 0; i < CXN_FINDINGS; i++)
        if (!(fabs((double)prob[i] - c->want[i]) <= bound))
            fail_msg("%s, %ux%u, %s: %.9g, PyTorch %.9g", cxn_model_mode(model), c->resized_width,
                     c->resized_height, cxn_finding_name(i), (double)prob[i], c->want[i]);
}

static void check_mode(const char *mode, double bound)
{
    char comment[128];
    const struct cxn_env env = { 0 };
    struct shape_case c;
    struct cxn_picture picture;
    struct cxn_error err = { "" };
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    size_t count = 0;
    FILE *f = fopen("tests/golden/shapes.txt", "r");
    assert_non_null(f);
    assert_non_null(fgets(comment, sizeof comment, f));
    assert_int_equal(cxn_context_open(&ctx, NULL, &err), CXN_OK);
    if (cxn_model_open(&model, ctx, weights, mode, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_image_load(&env, original, &picture, NULL, &err), CXN_OK);
    for (; read_case(f, &c); count++) check_case(model, &picture, &c, bound);
    assert_int_equal(count, 6);
    fclose(f);
    cxn_picture_close(&picture);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
}

static void reference_equals_pytorch(void **state)
{
    (void)state;
    check_mode("reference", 3e-6);
}

static void fp32_equals_pytorch(void **state)
{
    (void)state;
    check_mode("fp32", 1e-5);
}

static void bf16_is_close_to_pytorch(void **state)
{
    (void)state;
    check_mode("bf16", 2e-2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_equals_pytorch),
        cmocka_unit_test(fp32_equals_pytorch),
        cmocka_unit_test(bf16_is_close_to_pytorch),
    };
    if (access(weights, R_OK) != 0 || access(original, R_OK) != 0) {
        puts("skipped: whole pictures of real X-rays (no ../shared)");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
