/* SPDX-License-Identifier: Apache-2.0 */
/* The public view of a weights file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <chexnet/inspect.h>

#include "unit/unit.h"

static cxn_info *open_info(const char *path)
{
    cxn_info *info = NULL;
    struct cxn_error err = { "" };
    if (cxn_info_open(&info, NULL, path, &err) != CXN_OK) fail_msg("%s", err.text);
    return info;
}

static void test_safetensors(void **state)
{
    (void)state;
    cxn_info *info = open_info("tests/golden/model/tiny.safetensors");
    assert_string_equal(cxn_info_format(info), "safetensors");
    assert_int_equal(strlen(cxn_info_sha256(info)), 64);
    assert_int_equal(cxn_info_tensor_count(info), 79);
    assert_int_equal(cxn_info_metadata_count(info), 1);
    assert_string_equal(cxn_info_metadata_key(info, 0), "a");
    assert_string_equal(cxn_info_metadata_value(info, 0), "b");
    assert_null(cxn_info_metadata_key(info, 1));
    assert_null(cxn_info_metadata_value(info, 1));
    assert_null(cxn_info_tensor(info, 79));
    assert_string_equal(cxn_info_renamed(info), "");
    assert_non_null(strstr(cxn_info_misfit(info), "'features.denseblock1.denselayer2.norm1.weight'"
                                                  " [96] is missing"));
    cxn_info_close(&info);
    assert_null(info);
    cxn_info_close(&info);
}

static void test_names(void **state)
{
    (void)state;
    cxn_info *info = open_info("tests/golden/model/module.pth");
    size_t unused = 0;
    for (size_t i = 0; i < cxn_info_tensor_count(info); i++) {
        const struct cxn_info_tensor *t = cxn_info_tensor(info, i);
        if (strcmp(t->name, "module.features.conv0.weight") == 0) {
            assert_string_equal(t->understood, "features.conv0.weight");
            assert_string_equal(t->dtype, "F32");
            assert_int_equal(t->rank, 4);
            assert_int_equal(t->dims[0], 2);
            assert_int_equal(t->dims[3], 7);
        }
        unused += t->understood && t->understood[0] == '\0';
    }
    assert_int_equal(unused, 13); /* counters of batches */
    assert_string_equal(cxn_info_renamed(info), "prefix 'module.' removed from 79");
    cxn_info_close(&info);
}

static void test_errors(void **state)
{
    (void)state;
    cxn_info *info;
    cxn_context *ctx;
    struct cxn_error err = { "" };
    const struct cxn_options small = { .threads = 1, .memory_limit_bytes = 10000 };
    const char path[] = "tests/golden/model/whole_module.pth";
    assert_int_equal(cxn_info_open(&info, NULL, path, &err), CXN_E_FORMAT);
    assert_null(info);
    assert_memory_equal(err.text, path, sizeof path - 1);
    assert_int_equal(cxn_info_open(&info, NULL, "tests/golden/model/none", &err), CXN_E_IO);
    assert_int_equal(cxn_info_open(&info, NULL, NULL, &err), CXN_E_ARG);
    assert_int_equal(cxn_info_open(NULL, NULL, path, &err), CXN_E_ARG);
    assert_int_equal(cxn_context_open(&ctx, &small, &err), CXN_OK);
    assert_int_equal(cxn_info_open(&info, ctx, "tests/golden/model/tiny.pth", &err), CXN_E_NOMEM);
    assert_null(info);
    cxn_context_close(&ctx);
}

static void test_trained_weights(void **state)
{
    (void)state;
    static const char path[] = "../shared/weights/nih-sample.pth";
    if (access(path, R_OK) != 0) {
        printf("skipped: trained weights (no ../shared/weights)\n");
        skip();
    }
    cxn_info *info = open_info(path);
    assert_null(cxn_info_misfit(info));
    assert_string_equal(cxn_info_sha256(info),
                        "c31619ea719a9a852b93d7288c12e3112c9ca14498eb8787a0c4eb1ec6e0135c");
    assert_int_equal(cxn_info_file_bytes(info), 28443688);
    assert_string_equal(cxn_info_renamed(info), "classifier.0 read as classifier in 2");
    cxn_info_close(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_trained_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
