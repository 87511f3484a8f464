/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tests/golden/make_model.py: every form and spelling gives the same values. */
#include "weights_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/safetensors.h"

struct golden {
    const char *name;
    const struct cxn_net_config *config;
    const char *format;
    const char *prefix;
    size_t prefix_count, spelling_count, head_count;
};

static const struct golden goldens[] = {
    { "plain.pth", &case_small, "pth (zip)", "", 0, 0, 0 },
    { "legacy.pth", &case_small, "pth (legacy)", "", 0, 0, 0 },
    { "plain.safetensors", &case_small, "safetensors", "", 0, 0, 0 },
    { "channels_last.pth", &case_small, "pth (zip)", "", 0, 0, 0 },
    { "tiny.pth", &case_tiny, "pth (zip)", "", 0, 0, 0 },
    { "tiny_legacy.pth", &case_tiny, "pth (legacy)", "", 0, 0, 0 },
    { "tiny.safetensors", &case_tiny, "safetensors", "", 0, 0, 0 },
    { "module.pth", &case_tiny, "pth (zip)", "module.", 79, 0, 0 },
    { "wrapped.pth", &case_tiny, "pth (zip)", "module.densenet121.", 66, 40, 2 },
    { "nested.pth", &case_tiny, "pth (zip)", "model.module.model.", 66, 0, 0 },
    { "half.pth", &case_tiny, "pth (zip)", "", 0, 0, 0 },
    { "bfloat16.pth", &case_tiny, "pth (zip)", "", 0, 0, 0 },
    { "double.pth", &case_tiny, "pth (legacy)", "", 0, 0, 0 },
    { "one_storage.pth", &case_tiny, "pth (zip)", "", 0, 0, 0 },
    { "old_gpu.pth", &case_tiny, "pth (legacy)", "", 0, 40, 2 },
};

static enum cxn_status load(const struct cxn_bytes *bytes, const struct cxn_net_config *config,
                            struct cxn_mem *mem, float **block, struct cxn_weights_report *report,
                            struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    const struct cxn_source source = cxn_source_memory(bytes->data, bytes->size);
    cxn_net *net = case_net(config);
    const enum cxn_status status =
        cxn_weights_load_source(&env, &source, net, block, report, err);
    cxn_net_close(&net);
    return status;
}

static void check_golden(const struct golden *g)
{
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    struct cxn_weights_report report;
    struct cxn_bytes bytes = case_golden(g->name);
    cxn_net *net = case_net(g->config);
    float *want = case_block(net), *got;
    cxn_mem_init(&mem, 0);
    if (load(&bytes, g->config, &mem, &got, &report, &err) != CXN_OK)
        fail_msg("%s: %s", g->name, err.text);
    assert_memory_equal(got, want, net->float_count * sizeof *got);
    assert_string_equal(report.format, g->format);
    assert_string_equal(report.prefix, g->prefix);
    assert_int_equal(report.prefix_count, g->prefix_count);
    assert_int_equal(report.spelling_count, g->spelling_count);
    assert_int_equal(report.head_count, g->head_count);
    cxn_free(got);
    cxn_free(want);
    cxn_free(bytes.data);
    cxn_net_close(&net);
    assert_int_equal(mem.blocks, 0);
}

static void test_goldens(void **state)
{
    (void)state;
    for (size_t i = 0; i < CXN_COUNTOF(goldens); i++) check_golden(&goldens[i]);
}

static void test_whole_module(void **state)
{
    (void)state;
    struct cxn_bytes bytes = case_golden("whole_module.pth");
    const struct case_bytes file = { bytes.data, bytes.size, 0 };
    case_expect(&file, CXN_E_FORMAT,
                "a whole pickled module (torchvision.models.densenet.DenseNet)");
    cxn_free(bytes.data);
}

/* ---- contents that do not fit ------------------------------------------------------------- */

/* The tiny network's tensors, to be written after a change. */
struct content {
    cxn_net *net;
    float *block;
    struct cxn_out_tensor tensors[128];
    size_t count;
    bool starts_training; /* load it for that */
};

static struct content make_content(void)
{
    struct content c = { .net = case_net(&case_tiny) };
    c.block = case_block(c.net);
    for (; c.count < c.net->tensor_count; c.count++) {
        const struct cxn_net_tensor *t = &c.net->tensors[c.count];
        c.tensors[c.count] = (struct cxn_out_tensor){ .name = t->name,
                                                      .dtype = CXN_DTYPE_F32,
                                                      .rank = t->rank,
                                                      .data = c.block + t->offset };
        for (uint32_t d = 0; d < t->rank; d++) c.tensors[c.count].dims[d] = t->dims[d];
    }
    return c;
}

static struct cxn_out_tensor *find(struct content *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->tensors[i].name, name) == 0) return &c->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static float *values_of(struct content *c, const char *name)
{
    return c->block + cxn_net_find(c->net, name)->offset;
}

static void write_content(const struct content *c, const char *path)
{
    struct cxn_error err = { "" };
    const struct cxn_env env = { 0 };
    const struct cxn_safetensors_content content = { .tensors = c->tensors,
                                                     .tensor_count = c->count };
    if (cxn_safetensors_write(&env, path, &content, &err) != CXN_OK) fail_msg("%s", err.text);
}

/* Writes it, loads it, and frees it. */
static void expect(struct content *c, enum cxn_status status, const char *text)
{
    char path[] = "/tmp/cxn-test-XXXXXX";
    const int fd = mkstemp(path);
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    float *block;
    assert_true(fd >= 0);
    close(fd);
    write_content(c, path);
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_weights_report report;
    const enum cxn_status got = c->starts_training
        ? cxn_weights_load_start(&env, path, c->net, &block, &report, &err)
        : cxn_weights_load(&env, path, c->net, &block, NULL, &err);
    unlink(path);
    if (got != status || !strstr(err.text, text))
        fail_msg("expected '%s', got %s with '%s'", text, cxn_status_name(got), err.text);
    if (got != CXN_OK) {
        assert_null(block);
        assert_memory_equal(err.text, path, strlen(path)); /* the file is named first */
    }
    cxn_free(block);
    cxn_free(c->block);
    cxn_net_close(&c->net);
    assert_int_equal(mem.blocks, 0);
}

static void test_missing_comes_first(void **state)
{
    (void)state;
    struct content c = make_content();
    find(&c, "features.norm0.weight")->name = "features.norm0.wait";
    find(&c, "classifier.bias")->name = "fc.bias";
    find(&c, "features.conv0.weight")->dims[0] = 1;
    expect(&c, CXN_E_FORMAT,
           "not weights of this network: tensor 'features.norm0.weight' [2] is missing (2 of 66");
}

static void test_unexpected_comes_second(void **state)
{
    (void)state;
    static const float extra[6];
    struct content c = make_content();
    find(&c, "features.conv0.weight")->dims[0] = 1;
    c.tensors[c.count++] =
        (struct cxn_out_tensor){ "aux.weight", CXN_DTYPE_F32, 2, { 2, 3 }, extra };
    expect(&c, CXN_E_FORMAT, "unexpected tensor 'aux.weight' [2][3]");
}

static void test_other_shapes(void **state)
{
    (void)state;
    struct content c = make_content();
    find(&c, "features.conv0.weight")->dims[0] = 1;
    expect(&c, CXN_E_FORMAT,
           "tensor 'features.conv0.weight' is [1][3][7][7], expected [2][3][7][7]");
    c = make_content();
    find(&c, "classifier.bias")->rank = 0;
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias' is scalar, expected [1]");
}

static void test_other_types(void **state)
{
    (void)state;
    struct content c = make_content();
    find(&c, "features.norm0.bias")->dtype = CXN_DTYPE_I32;
    expect(&c, CXN_E_FORMAT,
           "tensor 'features.norm0.bias' is I32, expected F32, F16, BF16 or F64");
    c = make_content();
    c.tensors[c.count++] = (struct cxn_out_tensor){ "features.norm0.num_batches_tracked",
                                                    CXN_DTYPE_F32, 0, { 0 }, c.block };
    expect(&c, CXN_E_FORMAT, "'features.norm0.num_batches_tracked' is F32, expected I64");
}

static void test_hostile_values(void **state)
{
    (void)state;
    struct content c = make_content();
    values_of(&c, "features.conv0.weight")[17] = NAN;
    expect(&c, CXN_E_FORMAT, "tensor 'features.conv0.weight': element 17 is nan");
    c = make_content();
    values_of(&c, "classifier.bias")[0] = -INFINITY;
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias': element 0 is -inf");
    c = make_content();
    values_of(&c, "features.norm5.running_var")[1] = -0.5f;
    expect(&c, CXN_E_FORMAT, "'features.norm5.running_var': element 1, a variance, is -0.5");
    c = make_content(); /* zero and subnormal variances are in order: epsilon is added */
    values_of(&c, "features.norm5.running_var")[0] = 0;
    values_of(&c, "features.norm5.running_var")[1] = 1e-40f;
    expect(&c, CXN_OK, "");
    static const double large[1] = { 1e39 };
    c = make_content();
    *find(&c, "classifier.bias") =
        (struct cxn_out_tensor){ "classifier.bias", CXN_DTYPE_F64, 1, { 1 }, large };
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias': element 0 is inf");
}

static void test_same_tensor_twice(void **state)
{
    (void)state;
    struct content c = make_content();
    c.tensors[c.count] = *find(&c, "classifier.bias");
    c.tensors[c.count++].name = "module.classifier.0.bias";
    expect(&c, CXN_E_FORMAT,
           "tensors 'classifier.bias' and 'module.classifier.0.bias' are both classifier.bias");
}

/* ---- a head of another task --------------------------------------------------------------- */

static const char thousand[] = "tests/golden/model/thousand_classes.pth";

struct notes {
    char text[1024];
    size_t count;
};

static void keep_note(void *ctx, const char *text)
{
    struct notes *notes = ctx;
    notes->count++;
    snprintf(notes->text, sizeof notes->text, "%s", text); /* the last one */
}

static void test_other_head_is_left_out(void **state)
{
    (void)state;
    struct notes notes = { "", 0 };
    const struct cxn_log log = { keep_note, &notes };
    const struct cxn_env env = { .log = &log };
    struct cxn_weights_report report;
    struct cxn_error err = { "" };
    cxn_net *net = case_net(&case_tiny);
    float *want = case_block(net), *got;
    for (size_t k = 0; k < net->tensor_count; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        if (strncmp(t->name, "classifier.", 11) == 0)
            memset(want + t->offset, 0, t->count * sizeof *want);
    }
    if (cxn_weights_load_start(&env, thousand, net, &got, &report, &err) != CXN_OK)
        fail_msg("%s", err.text);
    assert_memory_equal(got, want, net->float_count * sizeof *got);
    assert_int_equal(report.head_classes, 1000);
    assert_int_equal(report.spelling_count, 40);
    assert_int_equal(notes.count, 2); /* of the spelling, too */
    assert_string_equal(notes.text, "tests/golden/model/thousand_classes.pth: its head has 1000 "
                                    "classes, not 1: the head is made anew");
    cxn_free(got);
    assert_int_equal(cxn_weights_load(&env, thousand, net, &got, NULL, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "tensor 'classifier.weight' is [1000][2], expected [1][2]"));
    assert_null(got);
    cxn_free(want);
    cxn_net_close(&net);
}

static void test_same_head_is_kept(void **state)
{
    (void)state;
    struct notes notes = { "", 0 };
    const struct cxn_log log = { keep_note, &notes };
    const struct cxn_env env = { .log = &log };
    struct cxn_weights_report report;
    cxn_net *net = case_net(&case_tiny);
    float *want = case_block(net), *got;
    assert_int_equal(cxn_weights_load_start(&env, "tests/golden/model/tiny_legacy.pth", net, &got,
                                            &report, NULL), CXN_OK);
    assert_memory_equal(got, want, net->float_count * sizeof *got);
    assert_int_equal(report.head_classes, 0);
    assert_int_equal(notes.count, 0);
    cxn_free(got);
    cxn_free(want);
    cxn_net_close(&net);
}

static struct content make_start(uint32_t weight_classes, uint32_t bias_classes)
{
    static const float numbers[64];
    struct content c = make_content();
    struct cxn_out_tensor *weight = find(&c, "classifier.weight");
    struct cxn_out_tensor *bias = find(&c, "classifier.bias");
    c.starts_training = true;
    weight->dims[0] = weight_classes;
    bias->dims[0] = bias_classes;
    weight->data = bias->data = numbers;
    return c;
}

static void test_only_the_head_may_differ(void **state)
{
    (void)state;
    struct content c = make_start(5, 5);
    expect(&c, CXN_OK, "");
    c = make_start(5, 4);
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.weight' is [5][2], expected [1][2]");
    c = make_start(1, 5);
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias' is [5], expected [1]");
    c = make_start(0, 0);
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.weight' is [0][2], expected [1][2]");
    c = make_start(5, 5);
    find(&c, "classifier.weight")->dims[1] = 3;
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.weight' is [5][3], expected [1][2]");
    c = make_start(5, 5);
    find(&c, "classifier.bias")->dtype = CXN_DTYPE_I32;
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias' is I32, expected F32");
    c = make_start(5, 5);
    find(&c, "classifier.bias")->name = "fc.bias";
    expect(&c, CXN_E_FORMAT, "tensor 'classifier.bias' [1] is missing");
    c = make_start(5, 5);
    find(&c, "features.conv0.weight")->dims[0] = 1;
    expect(&c, CXN_E_FORMAT, "'features.conv0.weight' is [1][3][7][7], expected [2][3][7][7]");
    c = make_start(5, 5);
    values_of(&c, "features.conv0.weight")[17] = NAN;
    expect(&c, CXN_E_FORMAT, "tensor 'features.conv0.weight': element 17 is nan");
}

static void test_half_floats(void **state)
{
    (void)state;
    /* one, smallest normal and subnormal, largest, zeros, infinity */
    static const uint16_t half[] = { 0x3c00, 0x0400, 0x0001, 0x7bff, 0x8000, 0x83ff, 0xfc00 };
    static const float want[] = { 1, 0x1p-14f, 0x1p-24f, 65504, -0.0f, -0x1.ff8p-15f, -INFINITY };
    float got[CXN_COUNTOF(half)];
    cxn_dtype_to_f32(CXN_DTYPE_F16, half, got, CXN_COUNTOF(half));
    assert_memory_equal(got, want, sizeof want);
    static const uint16_t brain[] = { 0x3f80, 0xc040, 0x0001 };
    static const float brain_want[] = { 1, -3, 0x1p-133f };
    cxn_dtype_to_f32(CXN_DTYPE_BF16, brain, got, CXN_COUNTOF(brain));
    assert_memory_equal(got, brain_want, sizeof brain_want);
}

static void test_log_and_missing_file(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    const struct cxn_env env = { 0 };
    cxn_net *net = case_net(&case_tiny);
    float *block;
    assert_int_equal(cxn_weights_load(&env, "/nowhere/w.pth", net, &block, NULL, &err), CXN_E_IO);
    assert_string_equal(err.text, "cannot open '/nowhere/w.pth': No such file or directory");
    assert_int_equal(cxn_weights_load(&env, "/", net, &block, NULL, &err), CXN_E_IO);
    cxn_net_close(&net);
}

static void test_other_content(void **state)
{
    (void)state;
    struct case_bytes b = { 0 };
    case_expect(&b, CXN_E_FORMAT, "an empty file");
    put(&b, "\x89PNG\r\n\x1a\n0123456789", 18);
    case_expect(&b, CXN_E_FORMAT, "not a weights file");
    b.size = 0;
    put(&b, "\x80\2cposix\nsystem\n.", 17);
    case_expect(&b, CXN_E_FORMAT, "a pickle, but not one of torch.save");
    b.size = 0;
    put(&b, "7z\xbc\xaf\x27\x1c\0\4\0\0\0\0", 12);
    case_expect(&b, CXN_E_FORMAT, "not a weights file");
    b.size = 0;
    for (int i = 0; i < 1024; i++) put_number(&b, 0, 1);
    memcpy(b.data + 257, "ustar", 5);
    case_expect(&b, CXN_E_FORMAT, "a tar archive");
    put_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_whole_module),
        cmocka_unit_test(test_missing_comes_first),
        cmocka_unit_test(test_unexpected_comes_second),
        cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_same_tensor_twice),
        cmocka_unit_test(test_other_head_is_left_out),
        cmocka_unit_test(test_same_head_is_kept),
        cmocka_unit_test(test_only_the_head_may_differ),
        cmocka_unit_test(test_half_floats),
        cmocka_unit_test(test_log_and_missing_file),
        cmocka_unit_test(test_other_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
