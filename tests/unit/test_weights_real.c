/* SPDX-License-Identifier: Apache-2.0 */
/* Trained weights as PyTorch saved them, in both forms of torch.save. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "model/weights.h"
#include "unit/unit.h"

static const char zip_form[] = "../shared/weights/nih-sample.pth";
static const char legacy_form[] = "../shared/weights/nih-sample-old.pth.tar";

/* Of the same floats put together by PyTorch 2.15: parameters in state_dict order, then running
 * means and variances. */
static const char block_sha256[] =
    "07dba578e6ebb0787d3093877a8ac9a84b1746725aa93c8751dcf254bd81e6b8";

static void need_shared(void)
{
    if (access(zip_form, R_OK) == 0 && access(legacy_form, R_OK) == 0) return;
    printf("skipped: trained weights (no ../shared/weights)\n");
    skip();
}

static void log_note(void *ctx, const char *text)
{
    snprintf(ctx, 512, "%s", text);
}

static void test_both_forms_give_the_same_block(void **state)
{
    (void)state;
    need_shared();
    struct cxn_mem mem;
    char note[512] = "";
    cxn_mem_init(&mem, 0);
    const struct cxn_log log = { log_note, note };
    const struct cxn_env env = { .mem = &mem, .log = &log };
    struct cxn_weights_report report;
    struct cxn_error err = { "" };
    cxn_net *net;
    float *a, *b;
    assert_int_equal(cxn_net_open(&net, &cxn_densenet121, NULL, &err), CXN_OK);
    assert_int_equal(cxn_weights_load(&env, zip_form, net, &a, &report, &err), CXN_OK);
    assert_string_equal(report.format, "pth (zip)");
    assert_int_equal(report.tensor_count, 727);
    assert_int_equal(report.head_count, 2);
    assert_int_equal(report.prefix_count, 0);
    assert_non_null(strstr(note, "classifier.0"));
    /* the block, what is known of the tensors, and one tensor at most */
    assert_true(mem.peak_bytes < net->float_count * sizeof *a + (2 << 20));

    assert_int_equal(cxn_weights_load(&env, legacy_form, net, &b, &report, &err), CXN_OK);
    assert_string_equal(report.format, "pth (legacy)");
    assert_int_equal(report.prefix_count, 606);
    assert_string_equal(report.prefix, "module.densenet121.");
    assert_int_equal(report.spelling_count, 580);
    assert_memory_equal(a, b, net->float_count * sizeof *a);
    char hex[CXN_SHA256_HEX_BYTES];
    cxn_sha256_hex(a, net->float_count * sizeof *a, hex);
    assert_string_equal(hex, block_sha256);
    cxn_free(a);
    cxn_free(b);
    cxn_net_close(&net);
    assert_int_equal(mem.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_forms_give_the_same_block) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
