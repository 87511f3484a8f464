/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised files of a small network of random numbers: what was put in comes out, and every broken
 * or hostile file is refused in one sentence. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cpu/cpu.h"
#include "quant/engine.h"
#include "quant/quantized_file.h"
#include "unit/unit.h"
#include "derived_case.h"
#include "quantized_case.h"
#include "small_net.h"

static struct small_net net;
static cxn_fold *fold;
static cxn_quantized *quantized; /* with layers put back */
static char path[] = "/tmp/chexnet-quantized-XXXXXX";
static const float apart = 0.03125f;

/* ---- files -------------------------------------------------------------------------------- */

static struct cxn_quantized_about make_about(void)
{
    struct cxn_quantized_about about = { .method = CXN_CALIBRATION_MSE, .images = 1024,
                                         .auc_drop = "-0.0025" };
    memset(about.calibration_sha256, 'b', sizeof about.calibration_sha256 - 1);
    return about;
}

static enum cxn_status write_numbers(const cxn_quantized *numbers, struct cxn_mem *mem,
                                     struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    struct derived_made_up m;
    enum cxn_status status = derived_make_up(&m, apart, mem, err);
    if (status == CXN_OK) {
        const struct cxn_quantized_content content = {
            .derived = m.about, .about = make_about(), .quantized = numbers, .probe = &m.probe,
            .reference = m.reference, .answers = m.answers
        };
        status = cxn_quantized_write(&env, path, &content, err);
    }
    cxn_probe_close(&m.probe);
    return status;
}

static enum cxn_status write_model(struct cxn_mem *mem, struct cxn_error *err)
{
    return write_numbers(quantized, mem, err);
}

static enum cxn_status read_model(const cxn_fold *of, const struct cxn_tensors *list,
                                  const struct cxn_source *source, struct cxn_error *err)
{
    struct cxn_quantized_file file;
    struct cxn_probe probe = { 0 };
    enum cxn_status status = cxn_quantized_read(&file, of, list, source, err);
    if (status == CXN_OK) status = cxn_derived_probe(&file.derived, &probe, err);
    cxn_probe_close(&probe);
    cxn_quantized_file_close(&file);
    return status;
}

static struct derived_case make_case(void)
{
    return (struct derived_case){ .net = net.net, .read = read_model, .write = write_model,
                                  .path = path };
}

/* ---- contents ----------------------------------------------------------------------------- */

/* Written, read, and what was read written again: the same bytes. */
static void round_trip(const cxn_quantized *numbers)
{
    const struct cxn_quantized_about want = make_about();
    struct cxn_bytes a, b;
    struct cxn_tensors list;
    struct cxn_quantized_file file;
    assert_int_equal(write_numbers(numbers, NULL, NULL), CXN_OK);
    assert_int_equal(cxn_file_read(NULL, path, 4 << 20, &a, NULL), CXN_OK);
    const struct cxn_source source = cxn_source_memory(a.data, a.size);
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, NULL), CXN_OK);
    assert_true(cxn_quantized_is(&list));
    assert_int_equal(cxn_quantized_read(&file, fold, &list, &source, NULL), CXN_OK);
    check_made_up(&file.derived, apart);
    assert_string_equal(file.about.calibration_sha256, want.calibration_sha256);
    assert_int_equal(file.about.method, want.method);
    assert_int_equal(file.about.images, want.images);
    assert_string_equal(file.about.auc_drop, want.auc_drop);
    assert_same_quantized(file.quantized, numbers);
    assert_int_equal(write_numbers(file.quantized, NULL, NULL), CXN_OK);
    assert_int_equal(cxn_file_read(NULL, path, 4 << 20, &b, NULL), CXN_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    cxn_quantized_file_close(&file);
    cxn_tensors_close(&list);
    cxn_free(a.data);
    cxn_free(b.data);
}

static void test_round_trip(void **state)
{
    (void)state;
    cxn_quantized *plain = random_quantized(fold, false, 2);
    round_trip(quantized);
    round_trip(plain);
    cxn_quantized_close(&plain);
}

/* ---- hostile files ------------------------------------------------------------------------ */

#define FIRST "put_back\":\"features.denseblock1.denselayer1.conv1,"

static void test_headers(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        { "\"quantized\"", "\"optimized\"", "'chexnet_format' is 'optimized', expected quantized" },
        { "n\":\"1\"", "n\":\"2\"", "'chexnet_format_version' is '2', expected 1" },
        { "\"int8\"", "\"int4\"", "'precision' is 'int4', expected int8" },
        { "small.pth", "../small.pth", "'source_name' is '../small.pth', expected a file name" },
        { "aaaa", "aaaA", "'source_sha256' is 'aaaA" },
        { "bbbb", "bbbB", "'calibration_sha256' is 'bbbB" },
        { "bbbb", "bbb", "'calibration_sha256' is 'bbb" },
        { "calibration_sha256", "calibration_sha", "'calibration_sha256' is missing" },
        { "\"mse\"", "\"best\"", "'method' is 'best', expected a method of calibrate" },
        { "\"method\"", "\"methods\"", "'method' is missing" },
        { "\"1024\"", "\"\"", "'images' is '', expected a number of 1 to 9 digits" },
        { "\"1024\"", "\"0\"", "'images' is '0', expected" },
        { "\"1024\"", "\"01024\"", "'images' is '01024', expected" },
        { "\"1024\"", "\"-1024\"", "'images' is '-1024', expected" },
        { "\"1024\"", "\"1000000000\"", "'images' is '1000000000', expected" },
        { "\"images\"", "\"pictures\"", "'images' is missing" },
        { "\"true\"", "\"false\"", "'bit_exact' is 'false', expected true" },
        { "\"bit_exact\"", "\"exact\"", "'bit_exact' is missing" },
        { "-0.0025", "small", "'auc_drop' is 'small', expected nothing or a number" },
        { "-0.0025", "0.00000000000000000000000000000025", "'auc_drop' is '0.0000" },
        { "auc_drop", "auc_rise", "'auc_drop' is missing" },
        { "norm2 into", "norm3 into", "'folded' is" },
        { "mean 0.485", "mean 0.484", "'preprocessing' is '8-bit samples;" },
        { "Hernia", "hernia", "'classes' is 'Atelectasis,Cardiomegaly" },
        { "probe_difference\":\"", "probe_difference\":\"1", "'probe_difference' is '1" },
        { "\"precision\":", "\"more\":\"x\",\"precision\":", "metadata 'more' is unexpected" },
        { "put_back", "put_bakc", "'put_back' is missing" },
        { FIRST, "put_back\":\"", "tensor 'features.denseblock1.denselayer1.conv1.weight' is mis" },
        { FIRST, FIRST "features.denseblock1.denselayer1.conv2,",
          "tensor 'features.denseblock1.denselayer1.conv2.weight_hi' is missing" },
        { FIRST, FIRST "features.denseblock1.denselayer1.conv1,", "'put_back' is 'features.dens" },
        { FIRST, "put_back\":\"features.denseblock1.denselayer1.conv,", "'put_back' is 'features" },
        { FIRST, "put_back\":\",features.denseblock1.denselayer1.conv1,", "'put_back' is ',feat" },
        { FIRST, "put_back\":\"features.conv0.grey,", "'put_back' is 'features.conv0.grey," },
        { FIRST, "put_back\":\"classifier,", "'put_back' is 'classifier," },
        { "\",\"auc_drop\"", ",\",\"auc_drop\"", "'put_back' is 'features.denseblock1" },
        { "\",\"auc_drop\"", ",conv\",\"auc_drop\"", "'put_back' is 'features.denseblock1" },
        { "norm1.flip", "norm1.flap", "denselayer1.norm1.flip' is missing" },
        { "grey.weight_lo", "grey.weight_no", "'features.conv0.grey.weight_lo' is missing" },
        { "conv2.weight\"", "conv2.weight_hi\"", "conv2.weight' is missing" },
        { "\"features.conv0.grey.m\"",
          "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
          "\"features.conv0.grey.m\"", "tensor 'x' is unexpected" },
        { "[7,7,2,8]", "[7,7,8,2]", "'features.conv0.grey.weight_hi' is I8 [7][7][8][2], expected "
                                    "I8 [7][7][2][8]" },
        { "\"I8\",\"shape\":[7,7,2,8]", "\"U8\",\"shape\":[7,7,2,8]", "is U8 [7][7][2][8]" },
        { "[256,256,3]", "[256,768,1]", "'probe.picture' is U8 [256][768][1], expected U8" },
    };
    const struct derived_case c = make_case();
    refuse_headers(&c, cases, CXN_COUNTOF(cases));
}

static void test_values(void **state)
{
    (void)state;
    static const uint32_t nan = 0x7fc00001, inf = 0xff800000;
    static const float large = 0x1p121f, far = 0.5f, two = 2.0f;
    static const int8_t wide = -128, above = 64, below = -65;
    static const uint8_t one = 1;
    static const char hi[] = "features.denseblock1.denselayer1.conv1.weight_hi";
    static const char lo[] = "features.denseblock1.denselayer1.conv1.weight_lo";
    static const char plain[] = "features.denseblock1.denselayer1.conv2.weight";
    static const char m[] = "features.denseblock2.denselayer1.conv2.m";
    static const struct number_case cases[] = {
        { "features.norm5.flip", 3, &one, 1,
          "tensor 'features.norm5.flip': element 3 is 1, expected 0 or 255" },
        { hi, 9, &wide, 1, "conv1.weight_hi': element 9 is -128, expected -127 to 127" },
        { plain, 9, &wide, 1, "conv2.weight': element 9 is -128, expected -127 to 127" },
        { "features.conv0.colour.weight_hi", 0, &wide, 1, "weight_hi': element 0 is -128, exp" },
        { lo, 1, &above, 1, "conv1.weight_lo': element 1 is 64, expected -64 to 63" },
        { lo, 0, &below, 1, "conv1.weight_lo': element 0 is -65, expected -64 to 63" },
        { "features.conv0.grey.weight_lo", 7, &wide, 1, "element 7 is -128, expected -64 to 63" },
        { m, 4, &nan, 4, "tensor 'features.denseblock2.denselayer1.conv2.m': element 1 is" },
        { m, 4, &inf, 4, "conv2.m': element 1 is -inf" },
        { m, 4, &large, 4, "conv2.m': element 1 is 2.65846e+36, expected less than 2^121 in size" },
        { "features.conv0.grey.b", 0, &inf, 4, "'features.conv0.grey.b': element 0 is -inf" },
        { "classifier.weight", 8, &inf, 4, "'classifier.weight': element 2 is -inf" },
        { "classifier.bias", 4, &nan, 4, "tensor 'classifier.bias': element 1 is" },
        { "probe.answers", 4, &two, 4, "element 1 is 2, expected 0 to 1" },
        { "probe.answers", 0, &far, 4, "differ from the reference's by 0.25, at most 0.05" },
    };
    const struct derived_case c = make_case();
    refuse_numbers(&c, cases, CXN_COUNTOF(cases));
}

static void test_every_byte(void **state)
{
    (void)state;
    const struct derived_case c = make_case();
    refuse_every_byte(&c);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    const struct derived_case c = make_case();
    fail_allocations(&c);
}

/* ---- what the reader lets pass ------------------------------------------------------------ */

/* The largest numbers of each sign, by turns: sums that are infinite, and infinity less
 * infinity. */
static void fill_extremes(cxn_quantized *q)
{
    for (size_t i = 0; i < fold->count; i++) {
        const struct cxn_part *part = &fold->parts[i];
        const struct cxn_quantized_part *p = &q->parts[i];
        for (size_t o = 0; p->m && o < part->out; o++)
            p->m[o] = o % 2 == 0 ? 0x1.fffffep120f : -0x1.fffffep120f;
        for (size_t o = 0; p->m && o < part->out; o++)
            p->b[o] = o % 3 == 0 ? FLT_MAX : o % 3 == 1 ? -FLT_MAX : 0.0f;
    }
}

static void run(const cxn_quantized *q, uint32_t cpu, float *prob)
{
    struct cxn_env env = { .cpu = cpu };
    const struct cxn_engine_source source = { .net = net.net, .quantized = q };
    cxn_engine_state *state = NULL;
    assert_int_equal(cxn_pool_open(&env.pool, 2, NULL), CXN_OK);
    assert_int_equal(cxn_engine_int8.open(&state, &source, &env, NULL), CXN_OK);
    assert_int_equal(cxn_engine_int8.run(state, net.views, SMALL_VIEWS, prob, NULL), CXN_OK);
    cxn_engine_int8.close(&state);
    cxn_pool_close(&env.pool);
}

/* Of these every level makes the same too. */
static void test_extremes(void **state)
{
    (void)state;
    cxn_quantized *q = random_quantized(fold, true, 3);
    const uint32_t machine = cxn_cpu_detect();
    float want[SMALL_VIEWS * SMALL_CLASSES], got[SMALL_VIEWS * SMALL_CLASSES];
    fill_extremes(q);
    round_trip(q);
    run(q, 0, want);
    for (size_t i = 1; cxn_cpu_level_name(i); i++) {
        uint32_t cpu;
        if (cxn_cpu_level_lacks(i, machine)) {
            printf("level %s skipped: not on this CPU\n", cxn_cpu_level_name(i));
            continue;
        }
        assert_int_equal(cxn_cpu_limit(machine, cxn_cpu_level_name(i), &cpu, NULL), CXN_OK);
        run(q, cpu, got);
        assert_memory_equal(got, want, sizeof got);
    }
    cxn_quantized_close(&q);
}

/* Finite numbers of the head whose sums are not: run() says so. */
static void test_infinite_outputs(void **state)
{
    (void)state;
    cxn_quantized *q = random_quantized(fold, true, 3);
    struct cxn_env env = { 0 };
    const struct cxn_engine_source source = { .net = net.net, .quantized = q };
    const struct cxn_part *head = &fold->parts[fold->count - 1];
    float prob[SMALL_VIEWS * SMALL_CLASSES];
    struct cxn_error err = { "" };
    cxn_engine_state *engine = NULL;
    for (size_t i = 0; i < head->first_count; i++)
        q->parts[fold->count - 1].linear[i] = i % 2 == 0 ? FLT_MAX : -FLT_MAX;
    round_trip(q);
    assert_int_equal(cxn_pool_open(&env.pool, 1, NULL), CXN_OK);
    assert_int_equal(cxn_engine_int8.open(&engine, &source, &env, NULL), CXN_OK);
    assert_int_equal(cxn_engine_int8.run(engine, net.views, SMALL_VIEWS, prob, &err),
                     CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "is not a number"));
    cxn_engine_int8.close(&engine);
    cxn_pool_close(&env.pool);
    cxn_quantized_close(&q);
}

static int open_all(void **state)
{
    (void)state;
    small_net_open(&net);
    if (cxn_fold_open(&fold, net.net, NULL, NULL) != CXN_OK) return -1;
    quantized = random_quantized(fold, true, 1);
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int close_all(void **state)
{
    (void)state;
    cxn_quantized_close(&quantized);
    cxn_fold_close(&fold);
    small_net_close(&net);
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_infinite_outputs),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
