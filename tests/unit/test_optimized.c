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
#include "small_net.h"

enum { ANSWERS = CXN_PROBE_VIEWS * SMALL_CLASSES };

static struct small_net net;
static char path[] = "/tmp/chexnet-optimized-XXXXXX";

/* ---- files -------------------------------------------------------------------------------- */

static struct cxn_derived_about make_about(void)
{
    struct cxn_derived_about about = { .source_name = "small.pth", .version = "0.1.0",
                                       .level = "c" };
    memset(about.source_sha256, 'a', sizeof about.source_sha256 - 1);
    return about;
}

/* Writes `path`; the answers are made up, half the bound apart. */
static enum cxn_status write_model(const float *block, enum cxn_precision precision,
                                   struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    float reference[ANSWERS], answers[ANSWERS];
    struct cxn_probe probe;
    cxn_fold *fold = NULL;
    for (size_t i = 0; i < ANSWERS; i++) {
        reference[i] = 0.25f;
        answers[i] = 0.25f + 0.5f * (float)cxn_precision_engine(precision)->bound;
    }
    enum cxn_status status = cxn_probe_draw(&probe, &env, err);
    if (status == CXN_OK) status = cxn_fold_open(&fold, net.net, mem, err);
    if (status == CXN_OK) {
        const struct cxn_fold_source source = cxn_fold_source_block(fold, block);
        const struct cxn_optimized_content content = {
            .about = make_about(), .precision = precision, .source = &source, .probe = &probe,
            .reference = reference, .answers = answers
        };
        status = cxn_optimized_write(&env, path, &content, err);
    }
    cxn_fold_close(&fold);
    cxn_probe_close(&probe);
    return status;
}

static struct cxn_bytes make_model(enum cxn_precision precision)
{
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    if (write_model(net.block, precision, NULL, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, path, 4 << 20, &bytes, &err), CXN_OK);
    return bytes;
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

/* Opens, reads every number and the picture; nothing may stay allocated. */
static enum cxn_status read_all(const void *data, size_t size, struct cxn_mem *mem,
                                struct cxn_error *err)
{
    struct reading r;
    struct cxn_probe probe = { 0 };
    err->text[0] = '\0';
    enum cxn_status status = reading_open(&r, data, size, mem, err);
    if (status == CXN_OK) status = cxn_optimized_check(&r.optimized, err);
    if (status == CXN_OK) status = cxn_derived_probe(&r.optimized.derived, &probe, err);
    cxn_probe_close(&probe);
    reading_close(&r);
    assert_true((status == CXN_OK) == (err->text[0] == '\0'));
    assert_int_equal(mem->blocks, 0);
    return status;
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
    struct cxn_probe drawn, stored;
    const struct cxn_env env = { 0 };
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(reading_open(&r, a.data, a.size, NULL, NULL), CXN_OK);
    assert_true(cxn_derived_is(&r.list));
    const struct cxn_derived_about want = make_about();
    assert_int_equal(r.optimized.precision, CXN_PRECISION_BF16);
    assert_string_equal(r.optimized.derived.about.source_name, want.source_name);
    assert_string_equal(r.optimized.derived.about.source_sha256, want.source_sha256);
    assert_string_equal(r.optimized.derived.about.version, want.version);
    assert_string_equal(r.optimized.derived.about.level, want.level);
    assert_true(r.optimized.derived.reference[ANSWERS - 1] == 0.25f);
    assert_true(r.optimized.derived.answers[0] == 0.26f);
    assert_int_equal(cxn_probe_draw(&drawn, &env, NULL), CXN_OK);
    assert_int_equal(cxn_derived_probe(&r.optimized.derived, &stored, NULL), CXN_OK);
    const size_t bytes = (size_t)CXN_PROBE_SIDE * CXN_PROBE_SIDE * (CXN_PROBE_CHANNELS + 1);
    assert_memory_equal(drawn.pixels, stored.pixels, bytes);
    cxn_probe_close(&drawn);
    cxn_probe_close(&stored);
    reading_close(&r);
    cxn_free(a.data);
    cxn_free(b.data);
}

/* ---- hostile files ------------------------------------------------------------------------ */

/* The file with the first `from` of its header replaced. */
static struct cxn_bytes edit(const struct cxn_bytes *file, const char *from, const char *to)
{
    uint64_t n;
    memcpy(&n, file->data, sizeof n);
    const char *header = (const char *)file->data + sizeof n;
    const char *at = memmem(header, n, from, strlen(from));
    if (!at) fail_msg("no '%s' in the header", from);
    const size_t before = (size_t)(at - header), behind = before + strlen(from);
    const uint64_t m = n - strlen(from) + strlen(to);
    struct cxn_bytes e = { .size = file->size - n + m };
    e.data = malloc(e.size);
    assert_non_null(e.data);
    uint8_t *p = e.data;
    memcpy(p, &m, sizeof m);
    memcpy(p += sizeof m, header, before);
    memcpy(p += before, to, strlen(to));
    memcpy(p += strlen(to), header + behind, file->size - sizeof n - behind);
    return e;
}

static void expect(const struct cxn_bytes *file, const char *text)
{
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    assert_int_equal(read_all(file->data, file->size, &mem, &err), CXN_E_FORMAT);
    if (!strstr(err.text, text)) fail_msg("'%s', expected '%s'", err.text, text);
    assert_true(mem.peak_bytes < 4 << 20);
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
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
    struct cxn_bytes file = make_model(CXN_PRECISION_F32);
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct cxn_bytes e = edit(&file, cases[i].from, cases[i].to);
        expect(&e, cases[i].text);
        free(e.data);
    }
    cxn_free(file.data);
}

/* Where a tensor's bytes begin in the file. */
static size_t find_tensor(const struct cxn_bytes *file, const char *name)
{
    struct reading r;
    size_t at = 0;
    assert_int_equal(reading_open(&r, file->data, file->size, NULL, NULL), CXN_OK);
    for (size_t i = 0; i < r.list.count; i++)
        if (strcmp(cxn_tensors_name(&r.list, i), name) == 0)
            at = (size_t)r.list.items[i].offset_bytes;
    reading_close(&r);
    assert_true(at > 0);
    return at;
}

static void expect_number(struct cxn_bytes *file, const char *tensor, size_t byte,
                          const void *value, size_t bytes, const char *text)
{
    uint8_t *at = file->data + find_tensor(file, tensor) + byte, saved[8];
    memcpy(saved, at, bytes);
    memcpy(at, value, bytes);
    expect(file, text);
    memcpy(at, saved, bytes);
}

static void test_values(void **state)
{
    (void)state;
    static const uint32_t nan = 0x7fc00001, inf = 0xff800000;
    static const uint16_t nan_bf16 = 0x7f81;
    static const float two = 2.0f, less = -0.1f, apart = 0.30f;
    static const char scale[] = "features.norm5.scale";
    static const char weight[] = "features.denseblock2.denselayer1.conv2.weight";
    struct cxn_bytes file = make_model(CXN_PRECISION_F32);
    expect_number(&file, scale, 8, &nan, 4, "tensor 'features.norm5.scale': element 2 is");
    expect_number(&file, scale, 0, &inf, 4, "tensor 'features.norm5.scale': element 0 is -inf");
    expect_number(&file, weight, 400, &inf, 4, "conv2.weight': element 100 is -inf");
    expect_number(&file, "classifier.bias", 4, &nan, 4, "tensor 'classifier.bias': element 1 is");
    expect_number(&file, "probe.answers", 4, &two, 4, "element 1 is 2, expected 0 to 1");
    expect_number(&file, "probe.reference", 4, &less, 4, "element 1 is -0.1, expected 0 to 1");
    expect_number(&file, "probe.answers", 0, &nan, 4, "tensor 'probe.answers': element 0 is");
    expect_number(&file, "probe.answers", 0, &apart, 4, "differ from the reference's by 0.05");
    cxn_free(file.data);
    file = make_model(CXN_PRECISION_BF16);
    expect_number(&file, weight, 200, &nan_bf16, 2, "conv2.weight': element 100 is");
    cxn_free(file.data);
}

/* Cut anywhere, changed anywhere: an error or the same shapes, nothing leaks, little memory. */
static void test_every_byte(void **state)
{
    (void)state;
    struct cxn_bytes file = make_model(CXN_PRECISION_BF16);
    struct cxn_mem mem;
    struct cxn_error err;
    uint64_t header;
    size_t refused = 0;
    memcpy(&header, file.data, sizeof header);
    cxn_mem_init(&mem, 0);
    for (size_t size = 0; size < file.size; size += size < 600 ? 1 : 997) {
        uint8_t *exact = copy_exactly(file.data, size);
        assert_int_equal(read_all(exact, size, &mem, &err), CXN_E_FORMAT);
        free(exact);
    }
    for (size_t at = 0; at < header; at += at < 3000 ? 1 : 7) {
        file.data[at] ^= 0x01;
        const enum cxn_status status = read_all(file.data, file.size, &mem, &err);
        file.data[at] ^= 0x01;
        assert_true(status == CXN_OK || status == CXN_E_FORMAT || status == CXN_E_LIMIT);
        refused += status != CXN_OK;
    }
    assert_true(refused > 2500);
    assert_int_equal(read_all(file.data, file.size, &mem, &err), CXN_OK);
    assert_true(mem.peak_bytes < 4 << 20);
    cxn_free(file.data);
}

/* ---- what can fail ------------------------------------------------------------------------ */

static void test_failing_allocations(void **state)
{
    (void)state;
    struct cxn_bytes file = make_model(CXN_PRECISION_F32);
    struct cxn_error err;
    for (int writing = 0; writing < 2; writing++)
        for (int after = 0; after < 2; after++) {
            enum cxn_status status = CXN_E_NOMEM;
            size_t n = 0;
            while (status == CXN_E_NOMEM) {
                struct cxn_mem mem;
                cxn_mem_init(&mem, 0);
                mem.fail_at = ++n;
                mem.fail_after = after;
                unlink(path);
                status = writing ? write_model(net.block, CXN_PRECISION_F32, &mem, &err)
                                 : read_all(file.data, file.size, &mem, &err);
                assert_int_equal(mem.blocks, 0);
                if (status == CXN_OK) break;
                assert_non_null(strstr(err.text, "no memory for"));
                assert_int_not_equal(access(path, F_OK), 0);
            }
            assert_int_equal(status, CXN_OK);
            assert_true(n > 8);
        }
    cxn_free(file.data);
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
        assert_int_equal(write_model(net.block, CXN_PRECISION_F32, NULL, &err), cases[i].fp32);
        assert_int_equal(access(path, F_OK) == 0, cases[i].fp32 == CXN_OK);
        assert_int_equal(write_model(net.block, CXN_PRECISION_BF16, NULL, &err), cases[i].bf16);
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
