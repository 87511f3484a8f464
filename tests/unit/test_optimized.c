/* SPDX-License-Identifier: Apache-2.0 */
/* Optimised files of a small network: the same bits as its weights give, and every broken or
 * hostile file refused in one sentence. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "fuse/engine.h"
#include "fuse/optimized.h"
#include "unit/unit.h"
#include "derived_case.h"
#include "small_net.h"

static struct small_net net;
static char path[] = "/tmp/chexnet-optimized-XXXXXX";

/* ---- files -------------------------------------------------------------------------------- */

/* The answers are half the bound apart. */
static float apart(enum cxn_precision precision)
{
    return 0.5f * (float)cxn_precision_engine(precision)->bound;
}

static enum cxn_status write_model(enum cxn_precision precision, struct cxn_mem *mem,
                                   struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    struct derived_made_up m;
    cxn_fold *fold = NULL;
    enum cxn_status status = derived_make_up(&m, apart(precision), mem, err);
    if (status == CXN_OK) status = cxn_fold_open(&fold, net.net, mem, err);
    if (status == CXN_OK) {
        const struct cxn_fold_source source = cxn_fold_source_block(fold, net.block);
        const struct cxn_optimized_content content = {
            .about = m.about, .precision = precision, .source = &source, .probe = &m.probe,
            .reference = m.reference, .answers = m.answers
        };
        status = cxn_optimized_write(&env, path, &content, err);
    }
    cxn_fold_close(&fold);
    cxn_probe_close(&m.probe);
    return status;
}

static enum cxn_status write_f32(struct cxn_mem *mem, struct cxn_error *err)
{
    return write_model(CXN_PRECISION_F32, mem, err);
}

static enum cxn_status write_bf16(struct cxn_mem *mem, struct cxn_error *err)
{
    return write_model(CXN_PRECISION_BF16, mem, err);
}

static enum cxn_status read_model(const cxn_fold *fold, const struct cxn_tensors *list,
                                  const struct cxn_source *source, struct cxn_error *err)
{
    struct cxn_optimized optimized;
    struct cxn_probe probe = { 0 };
    enum cxn_status status = cxn_optimized_open(&optimized, fold, list, source, err);
    if (status == CXN_OK) status = cxn_optimized_check(&optimized, err);
    if (status == CXN_OK) status = cxn_derived_probe(&optimized.derived, &probe, err);
    cxn_probe_close(&probe);
    cxn_optimized_close(&optimized);
    return status;
}

static struct derived_case case_of(enum cxn_precision precision)
{
    return (struct derived_case){ .net = net.net, .read = read_model, .path = path,
                                  .write = precision == CXN_PRECISION_F32 ? write_f32
                                                                          : write_bf16 };
}

static struct cxn_bytes make_model(enum cxn_precision precision)
{
    const struct derived_case c = case_of(precision);
    return make_derived(&c);
}

/* Everything that is read of an optimised file. */
struct reading {
    struct cxn_source source;
    struct cxn_tensors list;
    cxn_fold *fold;
    struct cxn_optimized optimized;
};

static enum cxn_status reading_open(struct reading *r, const void *data, size_t size,
                                    struct cxn_mem *mem, struct cxn_error *err)
{
    *r = (struct reading){ .source = cxn_source_memory(data, size) };
    enum cxn_status status = cxn_tensors_open(&r->list, mem, &r->source, err);
    if (status == CXN_OK) status = cxn_fold_open(&r->fold, net.net, mem, err);
    if (status == CXN_OK)
        status = cxn_optimized_open(&r->optimized, r->fold, &r->list, &r->source, err);
    return status;
}

static void reading_close(struct reading *r)
{
    cxn_optimized_close(&r->optimized);
    cxn_fold_close(&r->fold);
    cxn_tensors_close(&r->list);
}

/* ---- the same bits ------------------------------------------------------------------------ */

static void run(const struct cxn_engine *engine, const struct cxn_engine_source *source,
                uint32_t cpu, unsigned threads, float *prob)
{
    struct cxn_env env = { .cpu = cpu };
    cxn_engine_state *state = NULL;
    assert_int_equal(cxn_pool_open(&env.pool, threads, NULL), CXN_OK);
    assert_int_equal(engine->open(&state, source, &env, NULL), CXN_OK);
    assert_int_equal(engine->run(state, net.views, SMALL_VIEWS, prob, NULL), CXN_OK);
    engine->close(&state);
    cxn_pool_close(&env.pool);
}

static void same_bits(enum cxn_precision precision)
{
    struct cxn_bytes bytes = make_model(precision);
    struct reading r;
    assert_int_equal(reading_open(&r, bytes.data, bytes.size, NULL, NULL), CXN_OK);
    const struct cxn_fold_source folded = cxn_optimized_source(&r.optimized);
    const struct cxn_engine *engine = cxn_precision_engine(precision);
    const struct cxn_engine_source trained = { .net = net.net, .block = net.block };
    const struct cxn_engine_source optimized = { .net = net.net, .folded = &folded };
    const uint32_t machine = cxn_cpu_detect();
    float want[SMALL_VIEWS * SMALL_CLASSES], got[SMALL_VIEWS * SMALL_CLASSES];
    for (size_t i = 0; cxn_cpu_level_name(i); i++) {
        const char *level = cxn_cpu_level_name(i);
        uint32_t cpu;
        if (cxn_cpu_level_lacks(i, machine)) {
            printf("%s, level %s skipped: not on this CPU\n", engine->name, level);
            continue;
        }
        assert_int_equal(cxn_cpu_limit(machine, level, &cpu, NULL), CXN_OK);
        run(engine, &trained, cpu, 1, want);
        for (unsigned threads = 1; threads < 4; threads++) {
            run(engine, &optimized, cpu, threads, got);
            assert_memory_equal(got, want, sizeof got);
        }
    }
    reading_close(&r);
    cxn_free(bytes.data);
}

static void test_same_bits(void **state)
{
    (void)state;
    same_bits(CXN_PRECISION_F32);
    same_bits(CXN_PRECISION_BF16);
}

/* The same content, the same bytes; and what was put in comes out. */
static void test_contents(void **state)
{
    (void)state;
    struct cxn_bytes a = make_model(CXN_PRECISION_BF16), b = make_model(CXN_PRECISION_BF16);
    struct reading r;
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(reading_open(&r, a.data, a.size, NULL, NULL), CXN_OK);
    assert_int_equal(r.optimized.precision, CXN_PRECISION_BF16);
    check_made_up(&r.optimized.derived, apart(CXN_PRECISION_BF16));
    reading_close(&r);
    cxn_free(a.data);
    cxn_free(b.data);
}

/* ---- hostile files ------------------------------------------------------------------------ */

static void test_headers(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        { "\"optimized\"", "\"quantized\"", "'chexnet_format' is 'quantized', expected optimized" },
        { "n\":\"1\"", "n\":\"2\"", "'chexnet_format_version' is '2', expected 1" },
        { "format_version", "format_versio", "'chexnet_format_version' is missing" },
        { "\"fp32\"", "\"fp16\"", "'precision' is 'fp16', expected fp32 or bf16" },
        { "\"precision\"", "\"precisio\"", "'precision' is missing" },
        { "small.pth", "../small.pth", "'source_name' is '../small.pth', expected a file name" },
        { "small.pth", "", "'source_name' is '', expected a file name" },
        { "aaaa", "aaa", "'source_sha256' is 'aaa" },
        { "aaaa", "aaaA", "expected 64 hex digits" },
        { "aaaa", "aaaaa", "expected 64 hex digits" },
        { "0.1.0", "0.1 .0", "'chexnet_version' is '0.1 .0', expected a word" },
        { "\"probe_level\":\"c\"", "\"probe_level\":\"\"", "'probe_level' is ''" },
        { "mean 0.485", "mean 0.484", "'preprocessing' is '8-bit samples;" },
        { "norm2 into", "norm3 into", "'folded' is" },
        { "Hernia", "hernia", "'classes' is 'Atelectasis,Cardiomegaly" },
        { "probe_difference\":\"", "probe_difference\":\"1", "'probe_difference' is '1" },
        { "\"precision\":", "\"more\":\"x\",\"precision\":", "metadata 'more' is unexpected" },
        { "norm1.scale", "norm1.scala", "denselayer1.norm1.scale' is missing" },
        { "probe.answers", "probe.replies", "'probe.answers' is missing" },
        { "\"features.conv0.grey.weight\"",
          "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
          "\"features.conv0.grey.weight\"", "tensor 'x' is unexpected" },
        { "[7,7,2,8]", "[7,7,8,2]", "'features.conv0.grey.weight' is F32 [7][7][8][2], expected "
                                    "F32 [7][7][2][8]" },
        { "[7,7,2,8]", "[784]", "is F32 [784], expected F32 [7][7][2][8]" },
        { "\"F32\",\"shape\":[7,7,2,8]", "\"I32\",\"shape\":[7,7,2,8]", "is I32 [7][7][2][8]" },
        { "[256,256,3]", "[256,768,1]", "'probe.picture' is U8 [256][768][1], expected U8" },
    };
    const struct derived_case c = case_of(CXN_PRECISION_F32);
    refuse_headers(&c, cases, CXN_COUNTOF(cases));
}

static void test_values(void **state)
{
    (void)state;
    static const uint32_t nan = 0x7fc00001, inf = 0xff800000;
    static const uint16_t nan_bf16 = 0x7f81;
    static const float two = 2.0f, less = -0.1f, far = 0.30f;
    static const char scale[] = "features.norm5.scale";
    static const char weight[] = "features.denseblock2.denselayer1.conv2.weight";
    static const struct number_case f32_cases[] = {
        { scale, 8, &nan, 4, "tensor 'features.norm5.scale': element 2 is" },
        { scale, 0, &inf, 4, "tensor 'features.norm5.scale': element 0 is -inf" },
        { weight, 400, &inf, 4, "conv2.weight': element 100 is -inf" },
        { "classifier.bias", 4, &nan, 4, "tensor 'classifier.bias': element 1 is" },
        { "probe.answers", 4, &two, 4, "element 1 is 2, expected 0 to 1" },
        { "probe.reference", 4, &less, 4, "element 1 is -0.1, expected 0 to 1" },
        { "probe.answers", 0, &nan, 4, "tensor 'probe.answers': element 0 is" },
        { "probe.answers", 0, &far, 4, "differ from the reference's by 0.05" },
    };
    static const struct number_case bf16_cases[] = {
        { weight, 200, &nan_bf16, 2, "conv2.weight': element 100 is" },
    };
    const struct derived_case f32 = case_of(CXN_PRECISION_F32);
    const struct derived_case bf16 = case_of(CXN_PRECISION_BF16);
    refuse_numbers(&f32, f32_cases, CXN_COUNTOF(f32_cases));
    refuse_numbers(&bf16, bf16_cases, CXN_COUNTOF(bf16_cases));
}

static void test_every_byte(void **state)
{
    (void)state;
    const struct derived_case c = case_of(CXN_PRECISION_BF16);
    refuse_every_byte(&c);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    const struct derived_case c = case_of(CXN_PRECISION_F32);
    fail_allocations(&c);
}

/* The probe may not notice a number that no view reaches: all are looked at. */
static void test_infinite_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *tensor;
        float value;
        enum cxn_status fp32, bf16;
        const char *text;
    } cases[] = {
        { "features.denseblock1.denselayer2.norm1.weight", FLT_MAX, CXN_E_FORMAT, CXN_E_FORMAT,
          "tensor 'features.denseblock1.denselayer2.norm1.scale': element 0 is inf" },
        { "features.denseblock1.denselayer1.norm2.weight", FLT_MAX, CXN_E_FORMAT, CXN_E_FORMAT,
          "tensor 'features.denseblock1.denselayer1.conv1." },
        { "features.transition1.conv.weight", FLT_MAX, CXN_OK, CXN_E_FORMAT,
          "tensor 'features.transition1.conv.weight': element 0 is inf" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct cxn_error err = { "" };
        const struct cxn_net_tensor *t = cxn_net_find(net.net, cases[i].tensor);
        float *value = &net.block[t->offset], *var = NULL;
        const float saved = *value;
        if (t->role == CXN_ROLE_NORM_WEIGHT) var = &net.block[t[3].offset];
        const float saved_var = var ? *var : 0.0f;
        *value = cases[i].value;
        if (var) *var = 0.0f;
        unlink(path);
        assert_int_equal(write_model(CXN_PRECISION_F32, NULL, &err), cases[i].fp32);
        assert_int_equal(access(path, F_OK) == 0, cases[i].fp32 == CXN_OK);
        assert_int_equal(write_model(CXN_PRECISION_BF16, NULL, &err), cases[i].bf16);
        if (!strstr(err.text, cases[i].text)) fail_msg("'%s'", err.text);
        *value = saved;
        if (var) *var = saved_var;
    }
}

static int open_net(void **state)
{
    (void)state;
    small_net_open(&net);
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int close_net(void **state)
{
    (void)state;
    small_net_close(&net);
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_infinite_numbers),
    };
    return cmocka_run_group_tests(tests, open_net, close_net);
}
