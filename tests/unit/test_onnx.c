/* SPDX-License-Identifier: Apache-2.0 */
/* Models that PyTorch and we ourselves write (tests/golden/make_onnx.py), and what they become. */
#include "onnx_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnx/write.h"

static const char golden[] = "tests/golden/onnx/";
static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* The file's weights; fails the test where it is not read. */
static float *load_file(const char *path, const cxn_net *net)
{
    static const struct cxn_env env;
    struct cxn_onnx_file *file = calloc(1, sizeof *file);
    struct cxn_weights_report report;
    struct cxn_error err = { "" };
    float *block = NULL;
    assert_non_null(file);
    enum cxn_status status = cxn_onnx_file_open(file, NULL, path, &err);
    if (status == CXN_OK)
        status = cxn_onnx_file_load(&env, file, net, CXN_ONNX_HEAD_SAME, &block, &report, &err);
    if (status != CXN_OK) fail_msg("%s", err.text);
    assert_string_equal(report.format, "onnx");
    cxn_onnx_file_close(file);
    free(file);
    return block;
}

static float *load_golden(const char *name, const cxn_net *net)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", golden, name);
    return load_file(path, net);
}

static void test_not_folded(void **state)
{
    (void)state;
    static const char *const names[] = { "torchscript_17_unfolded.onnx", "half.onnx", "ours.onnx" };
    cxn_net *net = case_net(&case_tiny);
    float *want = case_block(net);
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        float *got = load_golden(names[i], net);
        assert_memory_equal(got, want, net->float_count * sizeof *want);
        cxn_free(got);
    }
    cxn_free(want);
    cxn_net_close(&net);
}

/* Gemm the other way round, with as many classes as it takes to see that. */
static void test_turned_head(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_small);
    float *want = case_block(net), *got = load_golden("turned_head.onnx", net);
    assert_memory_equal(got, want, net->float_count * sizeof *want);
    cxn_free(got);
    cxn_free(want);
    cxn_net_close(&net);
}

/* ---- folded ------------------------------------------------------------------------------- */

static double scale_of(const float *block, const struct cxn_net_tensor *t, size_t i)
{
    return (double)block[t[0].offset + i] /
           sqrt((double)block[t[3].offset + i] + CXN_NET_EPSILON);
}

static double shift_of(const float *block, const struct cxn_net_tensor *t, size_t i)
{
    return (double)block[t[1].offset + i] -
           (double)block[t[2].offset + i] * scale_of(block, t, i);
}

static void assert_near(const char *name, double got, double want)
{
    if (fabs(got - want) > 1e-6 * (1 + fabs(want))) fail_msg("%s: %.9g, not %.9g", name, got, want);
}

/* A norm, and the convolution in front of it where folding can have moved the scale there. */
static void compare_norm(const struct cxn_net_tensor *t, bool behind_conv, const float *got,
                         const float *want)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct cxn_net_tensor *conv = t - 1;
        const size_t each = behind_conv ? conv->count / t->count : 0;
        assert_near(t->name, shift_of(got, t, i), shift_of(want, t, i));
        if (!behind_conv) assert_near(t->name, scale_of(got, t, i), scale_of(want, t, i));
        for (size_t k = i * each; k < (i + 1) * each; k++)
            assert_near(conv->name, (double)got[conv->offset + k] * scale_of(got, t, i),
                        (double)want[conv->offset + k] * scale_of(want, t, i));
    }
}

static void compare_blocks(const cxn_net *net, const float *got, const float *want)
{
    for (size_t k = 0; k < net->tensor_count; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        const bool behind_conv = strstr(t->name, "norm0") || strstr(t->name, "norm2");
        if (t->role == CXN_ROLE_NORM_WEIGHT) compare_norm(t, behind_conv, got, want);
        if (t->role == CXN_ROLE_CONV && !strstr(t->name, "conv0") && !strstr(t->name, "conv1"))
            assert_memory_equal(got + t->offset, want + t->offset, t->count * sizeof *got);
        if (t->role == CXN_ROLE_HEAD_WEIGHT || t->role == CXN_ROLE_HEAD_BIAS)
            assert_memory_equal(got + t->offset, want + t->offset, t->count * sizeof *got);
    }
}

/* The norm left behind has to scale by exactly 1 in float arithmetic too. */
static void check_left_behind(const cxn_net *net, const float *block)
{
    const struct cxn_net_tensor *t = cxn_net_find(net, "features.norm0.weight");
    const float variance = block[t[3].offset];
    assert_true(block[t[0].offset] == 1.0f && block[t[2].offset] == 0.0f);
    assert_true(1.0f / sqrtf(variance + (float)CXN_NET_EPSILON) == 1.0f);
    assert_true((float)(1.0 / sqrt((double)variance + CXN_NET_EPSILON)) == 1.0f);
}

static void test_folded(void **state)
{
    (void)state;
    static const char *const names[] = { "torchscript_11.onnx", "torchscript_17.onnx",
                                         "torch_export_18.onnx", "torch_export_23.onnx",
                                         "other_spelling.onnx" };
    cxn_net *net = case_net(&case_tiny);
    float *want = case_block(net);
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        float *got = load_golden(names[i], net);
        compare_blocks(net, got, want);
        check_left_behind(net, got);
        cxn_free(got);
    }
    cxn_free(want);
    cxn_net_close(&net);
}

/* ---- ours --------------------------------------------------------------------------------- */

static void write_model(const char *path, const struct cxn_onnx_content *content)
{
    struct cxn_onnx_written written;
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    static const struct cxn_env env;
    if (cxn_onnx_write(&env, path, content, &written, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &bytes, &err), CXN_OK);
    assert_int_equal(bytes.size, written.bytes);
    assert_true(cxn_onnx_is(bytes.data, bytes.size));
    cxn_free(bytes.data);
}

static void assert_same_files(const char *a, const char *b)
{
    struct cxn_bytes x, y;
    assert_int_equal(cxn_file_read(NULL, a, 1 << 20, &x, NULL), CXN_OK);
    assert_int_equal(cxn_file_read(NULL, b, 1 << 20, &y, NULL), CXN_OK);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    cxn_free(x.data);
    cxn_free(y.data);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char once[] = "/tmp/cxn-test-onnx-once", twice[] = "/tmp/cxn-test-onnx-twice";
    cxn_net *net = case_net(&case_tiny);
    float *want = case_block(net);
    for (int variant = 0; variant < 4; variant++) {
        char first[64], second[64];
        snprintf(first, sizeof first, "%s-%ld", once, (long)getpid());
        snprintf(second, sizeof second, "%s-%ld", twice, (long)getpid());
        struct cxn_onnx_content content = { .net = net, .block = want, .version = "1.2.3",
                                            .batch = variant & 1 ? 3 : 0,
                                            .preprocessing = (variant & 2) != 0,
                                            .source_name = "w.pth", .source_sha256 = hash };
        write_model(first, &content);
        if (variant == 0) assert_same_files(first, "tests/golden/onnx/ours.onnx");
        float *got = load_file(first, net);
        assert_memory_equal(got, want, net->float_count * sizeof *want);
        content.block = got;
        write_model(second, &content);
        assert_same_files(first, second);
        cxn_free(got);
        unlink(first);
        unlink(second);
    }
    cxn_free(want);
    cxn_net_close(&net);
}

static void test_source(void **state)
{
    (void)state;
    char name[CXN_ONNX_SOURCE_NAME_BYTES], sha256[CXN_SHA256_HEX_BYTES];
    struct cxn_onnx_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    assert_int_equal(cxn_onnx_file_open(file, NULL, "tests/golden/onnx/ours.onnx", NULL), CXN_OK);
    assert_true(cxn_onnx_find_source(&file->model, name, sha256));
    assert_string_equal(name, "w.pth");
    assert_string_equal(sha256, hash);
    file->model.is_ours = false;
    assert_false(cxn_onnx_find_source(&file->model, name, sha256));
    cxn_onnx_file_close(file);
    free(file);
}

/* ---- hash --------------------------------------------------------------------------------- */

/* Other values in external data are another model. */
static void test_hash(void **state)
{
    (void)state;
    static const char *const parts[] = { "tests/golden/onnx/torch_export_18.onnx",
                                         "tests/golden/onnx/torch_export_18.onnx.data" };
    char hex[2 * CXN_SHA256_HEX_BYTES], want[CXN_SHA256_HEX_BYTES], got[CXN_SHA256_HEX_BYTES];
    struct cxn_onnx_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    for (size_t i = 0; i < CXN_COUNTOF(parts); i++) {
        struct cxn_bytes bytes;
        assert_int_equal(cxn_file_read(NULL, parts[i], 1 << 20, &bytes, NULL), CXN_OK);
        cxn_sha256_hex(bytes.data, bytes.size, hex + i * (CXN_SHA256_HEX_BYTES - 1));
        cxn_free(bytes.data);
    }
    cxn_sha256_hex(hex, 2 * (CXN_SHA256_HEX_BYTES - 1), want);
    assert_int_equal(cxn_onnx_file_open(file, NULL, parts[0], NULL), CXN_OK);
    assert_int_equal(cxn_onnx_file_sha256(file, got, NULL), CXN_OK);
    assert_string_equal(got, want);
    cxn_onnx_file_close(file);
    free(file);
}

/* ---- another head ------------------------------------------------------------------------- */

static void test_other_head(void **state)
{
    (void)state;
    static const struct cxn_env env;
    struct cxn_net_config config = case_tiny;
    config.classes = 14;
    cxn_net *net = case_net(&config);
    for (int any = 0; any < 2; any++) {
        struct cxn_onnx_file *file = calloc(1, sizeof *file);
        struct cxn_weights_report report;
        struct cxn_error err = { "" };
        float *block = NULL;
        assert_non_null(file);
        assert_int_equal(cxn_onnx_file_open(file, NULL, "tests/golden/onnx/ours.onnx", &err),
                         CXN_OK);
        const enum cxn_status status =
            cxn_onnx_file_load(&env, file, net, any ? CXN_ONNX_HEAD_ANY : CXN_ONNX_HEAD_SAME,
                               &block, &report, &err);
        assert_int_equal(status, any ? CXN_OK : CXN_E_FORMAT);
        if (any) assert_int_equal(report.head_classes, 1);
        else assert_non_null(strstr(err.text, "'classifier' (Gemm): 1 classes, expected 14"));
        cxn_free(block);
        cxn_onnx_file_close(file);
        free(file);
    }
    cxn_net_close(&net);
}

/* A larger network of the same kind. */
static void test_other_network(void **state)
{
    (void)state;
    struct cxn_mem mem;
    struct cxn_error err;
    struct cxn_bytes bytes;
    float *block;
    cxn_net *net = case_net(&case_small);
    cxn_mem_init(&mem, 0);
    assert_int_equal(cxn_file_read(NULL, "tests/golden/onnx/ours.onnx", 1 << 20, &bytes, &err),
                     CXN_OK);
    assert_int_equal(onnx_load_bytes(bytes.data, bytes.size, net, &mem, &block, &err),
                     CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "node 0 'features.conv0' (Conv): input 1 is F32 [2][3][7][7], "
                                     "expected [8][3][7][7]"));
    cxn_free(bytes.data);
    cxn_net_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_folded), cmocka_unit_test(test_turned_head),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_source),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_other_head), cmocka_unit_test(test_other_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
