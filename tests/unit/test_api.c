/* SPDX-License-Identifier: Apache-2.0 */
/* The public API on wrong arguments, and with every allocation failing once and from then on. */
#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#include <chexnet/chexnet.h>
#include <chexnet/infer.h>

#include "api/context.h"
#include "unit/unit.h"

static const char *weights(void)
{
    const char *path = getenv("CXN_FORMULA_WEIGHTS");
    assert_non_null(path);
    return path;
}

static void names_and_codes(void **state)
{
    (void)state;
    assert_string_equal(cxn_finding_name(0), "Atelectasis");
    assert_string_equal(cxn_finding_name(13), "Hernia");
    assert_null(cxn_finding_name(14));
    assert_null(cxn_finding_name(-1));
    assert_int_equal(cxn_status_exit(CXN_OK), 0);
    assert_int_equal(cxn_status_exit(CXN_E_LIMIT), 3);
    assert_int_equal(cxn_status_exit(CXN_E_PEER), 6);
    assert_int_equal(cxn_status_exit((enum cxn_status)99), 1);
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    cxn_scores *scores = NULL;
    cxn_context_close(&ctx);
    cxn_model_close(&model);
    cxn_scores_close(&scores);
    cxn_context_close(NULL);
    cxn_model_close(NULL);
    cxn_scores_close(NULL);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    cxn_context *ctx = NULL;
    const struct cxn_options many = { .threads = 257 }, level = { .cpu = "turbo" };
    assert_int_equal(cxn_context_open(&ctx, &many, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "257"));
    assert_null(ctx);
    assert_int_equal(cxn_context_open(&ctx, &level, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "turbo"));
    assert_int_equal(cxn_context_open(NULL, NULL, &err), CXN_E_ARG);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    float prob[CXN_FINDINGS];
    uint8_t grey[4] = { 0 };
    struct cxn_pixels pixels = { grey, 2, 2, 1, 2 };
    assert_int_equal(cxn_context_open(&ctx, NULL, &err), CXN_OK);
    assert_int_equal(cxn_model_open(&model, ctx, NULL, "auto", &err), CXN_E_ARG);
    assert_int_equal(cxn_model_open(&model, ctx, weights(), "fast", &err), CXN_E_ARG);
    assert_int_equal(cxn_model_open(&model, ctx, "/none", "auto", &err), CXN_E_IO);
    assert_null(model);
    assert_int_equal(cxn_model_open(&model, ctx, weights(), "auto", &err), CXN_OK);
    assert_string_not_equal(cxn_model_mode(model), "auto");
    assert_string_not_equal(cxn_model_mode(model), "reference"); /* never the fastest */
    assert_int_equal(cxn_predict_pixels(model, &pixels, "nine", prob, &err), CXN_E_ARG);
    assert_int_equal(cxn_predict_pixels(model, &pixels, NULL, prob, &err), CXN_E_ARG);
    pixels.channels = 2;
    assert_int_equal(cxn_predict_pixels(model, &pixels, "ten", prob, &err), CXN_E_ARG);
    pixels = (struct cxn_pixels){ grey, 0, 2, 1, 2 };
    assert_int_equal(cxn_predict_pixels(model, &pixels, "ten", prob, &err), CXN_E_ARG);
    pixels = (struct cxn_pixels){ grey, 2, 2, 1, 1 };
    assert_int_equal(cxn_predict_pixels(model, &pixels, "ten", prob, &err), CXN_E_ARG);
    assert_int_equal(cxn_predict_file(model, "/none.png", "ten", prob, NULL), CXN_E_IO);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
}

static void grey_and_equal_colours_give_the_same_bits(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    static uint8_t grey[64 * 64], colour[64 * 64 * 3];
    float a[CXN_FINDINGS], b[CXN_FINDINGS];
    for (size_t i = 0; i < sizeof grey; i++) {
        grey[i] = (uint8_t)(i * 7);
        memset(colour + 3 * i, grey[i], 3);
    }
    const struct cxn_pixels one = { grey, 64, 64, 1, 64 }, three = { colour, 64, 64, 3, 192 };
    assert_int_equal(cxn_context_open(&ctx, NULL, &err), CXN_OK);
    assert_int_equal(cxn_model_open(&model, ctx, weights(), "auto", &err), CXN_OK);
    assert_int_equal(cxn_predict_pixels(model, &one, "center", a, &err), CXN_OK);
    assert_int_equal(cxn_predict_pixels(model, &three, "center", b, &err), CXN_OK);
    assert_memory_equal(a, b, sizeof a);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
}

static void predict_center(cxn_model *model, float prob[CXN_FINDINGS])
{
    struct cxn_error err = { "" };
    static uint8_t grey[300 * 280];
    for (size_t i = 0; i < sizeof grey; i++) grey[i] = (uint8_t)(i * i / 97);
    const struct cxn_pixels pixels = { grey, 300, 280, 1, 300 };
    assert_int_equal(cxn_predict_pixels(model, &pixels, "center", prob, &err), CXN_OK);
}

static void the_hosts_rounding_changes_nothing(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    float want[CXN_FINDINGS], got[CXN_FINDINGS];
    static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    for (size_t i = 0; i < CXN_COUNTOF(modes); i++) {
        cxn_context *ctx = NULL;
        cxn_model *model = NULL;
        assert_int_equal(fesetround(modes[i]), 0);
        assert_int_equal(cxn_context_open(&ctx, NULL, &err), CXN_OK);
        assert_int_equal(cxn_model_open(&model, ctx, weights(), "auto", &err), CXN_OK);
        predict_center(model, i == 0 ? want : got);
        assert_int_equal(fegetround(), modes[i]);
        if (i > 0) assert_memory_equal(got, want, sizeof want);
        cxn_model_close(&model);
        cxn_context_close(&ctx);
    }
    fesetround(FE_TONEAREST);
}

/* Open a model and score a picture; 0 blocks must be left whatever happened. */
static enum cxn_status open_and_predict(cxn_context *ctx)
{
    struct cxn_error err = { "" };
    cxn_model *model = NULL;
    static const uint8_t grey[32 * 32];
    const struct cxn_pixels pixels = { grey, 32, 32, 1, 32 };
    float prob[CXN_FINDINGS];
    enum cxn_status status = cxn_model_open(&model, ctx, weights(), "auto", &err);
    if (status == CXN_OK) status = cxn_predict_pixels(model, &pixels, "center", prob, &err);
    if (status != CXN_OK && err.text[0] == '\0') fail_msg("no text for status %d", (int)status);
    cxn_model_close(&model);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int after = 0; after <= 1; after++) {
        enum cxn_status status = CXN_E_NOMEM;
        size_t n = 0;
        while (status != CXN_OK) {
            cxn_context *ctx = NULL;
            assert_int_equal(cxn_context_open(&ctx, NULL, NULL), CXN_OK);
            ctx->mem.fail_at = ++n;
            ctx->mem.fail_after = after == 1;
            status = open_and_predict(ctx);
            if (status != CXN_OK) assert_int_equal(status, CXN_E_NOMEM);
            assert_int_equal(ctx->mem.blocks, 0);
            assert_int_equal(ctx->mem.used_bytes, 0);
            cxn_context_close(&ctx);
        }
        assert_true(n > 5); /* it did fail some times */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_codes),
        cmocka_unit_test(closing_nothing_is_fine),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(grey_and_equal_colours_give_the_same_bits),
        cmocka_unit_test(the_hosts_rounding_changes_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
