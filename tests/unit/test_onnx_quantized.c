/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised models in ONNX: what was put in comes out, files are as protobuf writes them
 * (tests/golden/make_onnx.py holds them against it), and every other graph is refused. */
#include <chexnet/inspect.h>
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "derived_case.h"
#include "onnx/quantized.h"
#include "onnx/read.h"
#include "onnx/write.h"
#include "quantized_case.h"
#include "weights_case.h"

static cxn_net *net;
static cxn_fold *fold;
static cxn_quantized *quantized; /* with layers put back */
static char path[] = "/tmp/chexnet-onnx-int8-XXXXXX";
static const float apart = 0.03125f;

/* ---- files -------------------------------------------------------------------------------- */

static struct cxn_quantized_about make_about(void)
{
    struct cxn_quantized_about about = { .method = CXN_CALIBRATION_MSE, .images = 1024,
                                         .auc_drop = "-0.0025" };
    memset(about.calibration_sha256, 'b', sizeof about.calibration_sha256 - 1);
    return about;
}

/* batch and preprocessing: how it is written. */
static enum cxn_status write_as(const cxn_quantized *numbers, uint32_t batch, bool preprocessing,
                                struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    struct derived_made_up m;
    struct cxn_onnx_written written;
    enum cxn_status status = derived_make_up(&m, apart, mem, err);
    if (status == CXN_OK) {
        const struct cxn_quantized_content content = {
            .derived = m.about, .about = make_about(), .quantized = numbers, .probe = &m.probe,
            .reference = m.reference, .answers = m.answers
        };
        const struct cxn_onnx_content file = {
            .net = numbers->fold->net, .quantized = &content, .batch = batch,
            .preprocessing = preprocessing, .version = "1.2.3",
            .source_name = m.about.source_name, .source_sha256 = m.about.source_sha256
        };
        status = cxn_onnx_write(&env, path, &file, &written, err);
    }
    cxn_probe_close(&m.probe);
    return status;
}

static struct cxn_bytes make_file(const cxn_quantized *numbers, uint32_t batch, bool preprocessing)
{
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    if (write_as(numbers, batch, preprocessing, NULL, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, path, 4 << 20, &bytes, NULL), CXN_OK);
    return bytes;
}

/* A model in memory; source and model are not to be moved. */
struct opened {
    struct cxn_source source;
    struct cxn_onnx_model model;
    struct cxn_onnx_quantized quantized;
};

static enum cxn_status open_bytes(struct opened *o, const void *data, size_t size,
                                  const cxn_fold *of, struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    *o = (struct opened){ .source = cxn_source_memory(data, size) };
    enum cxn_status status = cxn_onnx_model_read(&o->model, mem, &o->source, err);
    if (status == CXN_OK && !cxn_onnx_is_quantized(&o->model))
        return cxn_fail(err, CXN_E_FORMAT, "not quantised");
    return status == CXN_OK ? cxn_onnx_quantized_open(&o->quantized, &o->model, of, &env, err)
                            : status;
}

static void close_opened(struct opened *o)
{
    cxn_onnx_quantized_close(&o->quantized);
    cxn_onnx_model_close(&o->model);
}

/* ---- contents ----------------------------------------------------------------------------- */

static void check_about(const struct cxn_quantized_file *file)
{
    const struct cxn_quantized_about want = make_about();
    check_made_up(&file->derived, apart);
    assert_string_equal(file->about.calibration_sha256, want.calibration_sha256);
    assert_int_equal(file->about.method, want.method);
    assert_int_equal(file->about.images, want.images);
    assert_string_equal(file->about.auc_drop, want.auc_drop);
}

/* Written, read, and what was read written again: the same bytes. */
static void round_trip(const cxn_quantized *numbers, uint32_t batch, bool preprocessing,
                       const cxn_quantized *want)
{
    static struct opened o;
    struct cxn_error err = { "" };
    struct cxn_bytes a = make_file(numbers, batch, preprocessing), b;
    if (open_bytes(&o, a.data, a.size, numbers->fold, NULL, &err) != CXN_OK)
        fail_msg("%s", err.text);
    check_about(&o.quantized.file);
    assert_same_quantized(o.quantized.file.quantized, want);
    b = make_file(o.quantized.file.quantized, batch, preprocessing);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    close_opened(&o);
    cxn_free(a.data);
    cxn_free(b.data);
}

static void test_round_trip(void **state)
{
    (void)state;
    cxn_quantized *plain = random_quantized(fold, false, 2);
    for (uint32_t variant = 0; variant < 4; variant++) {
        const uint32_t batch = variant & 1 ? 1024 : 0;
        round_trip(quantized, batch, (variant & 2) != 0, quantized);
        round_trip(plain, batch, (variant & 2) != 0, plain);
    }
    cxn_quantized_close(&plain);
}

static size_t find_part(const char *name)
{
    size_t i = 0;
    while (strcmp(fold->parts[i].name, name) != 0) i++;
    return i;
}

/* An output whose weights are all 0 has an m of 0, which no scale may be. */
static void zero_row(cxn_quantized *q, size_t part, size_t o, float m, float b)
{
    const struct cxn_part *p = &fold->parts[part];
    struct cxn_quantized_part *to = &q->parts[part];
    for (size_t k = o; k < p->first_count; k += p->out) {
        to->weight[k] = 0;
        if (to->low) to->low[k] = 0;
    }
    to->m[o] = m;
    to->b[o] = b;
}

static void test_rows_of_zeros(void **state)
{
    (void)state;
    cxn_quantized *q = random_quantized(fold, true, 3), *want = random_quantized(fold, true, 3);
    const size_t both = find_part("features.denseblock1.denselayer1.conv1");
    const size_t plain = find_part("features.denseblock1.denselayer1.conv2");
    assert_non_null(q->parts[both].low);
    assert_null(q->parts[plain].low);
    for (int i = 0; i < 2; i++) {
        cxn_quantized *to = i == 0 ? q : want;
        zero_row(to, both, 1, i == 0 ? 0.0f : 0x1p-16f, 100.0f);
        zero_row(to, plain, 0, i == 0 ? 0.0f : 0x1p-10f, 0x1p20f);
    }
    round_trip(q, 0, false, want);
    cxn_quantized_close(&q);
    cxn_quantized_close(&want);
}

/* The bytes that make_onnx.py holds against protobuf's. */
static void test_golden(void **state)
{
    (void)state;
    struct cxn_bytes want;
    cxn_net *tiny = case_net(&case_tiny);
    cxn_fold *tiny_fold;
    assert_int_equal(cxn_fold_open(&tiny_fold, tiny, NULL, NULL), CXN_OK);
    cxn_quantized *q = random_quantized(tiny_fold, true, 1);
    struct cxn_bytes got = make_file(q, 0, false);
    assert_int_equal(cxn_file_read(NULL, "tests/golden/onnx/ours_int8.onnx", 1 << 20, &want, NULL),
                     CXN_OK);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.data, want.data, want.size);
    cxn_free(got.data);
    cxn_free(want.data);
    cxn_quantized_close(&q);
    cxn_fold_close(&tiny_fold);
    cxn_net_close(&tiny);
}

/* As in every call that computes: the graph that is held against the file's is. */
static void test_hosts_rounding(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    cxn_net *whole;
    cxn_fold *whole_fold;
    cxn_info *info = NULL;
    assert_int_equal(cxn_net_open(&whole, &cxn_densenet121, NULL, NULL), CXN_OK);
    assert_int_equal(cxn_fold_open(&whole_fold, whole, NULL, NULL), CXN_OK);
    cxn_quantized *q = random_quantized(whole_fold, false, 5);
    if (write_as(q, 0, false, NULL, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    const enum cxn_status status = cxn_info_open(&info, NULL, path, &err);
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    if (status != CXN_OK || cxn_info_misfit(info))
        fail_msg("%s", status != CXN_OK ? err.text : cxn_info_misfit(info));
    cxn_info_close(&info);
    cxn_quantized_close(&q);
    cxn_fold_close(&whole_fold);
    cxn_net_close(&whole);
}

/* ---- hostile files ------------------------------------------------------------------------ */

static void expect(const void *data, size_t size, const char *text)
{
    static struct opened o;
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    cxn_mem_init(&mem, 0);
    uint8_t *exact = copy_exactly(data, size);
    const enum cxn_status status = open_bytes(&o, exact, size, fold, &mem, &err);
    close_opened(&o);
    free(exact);
    assert_int_equal(mem.blocks, 0);
    assert_true(mem.peak_bytes < 4 << 20);
    if (status != CXN_E_FORMAT || !strstr(err.text, text))
        fail_msg("'%s', expected '%s'", err.text, text);
}

/* Where a tensor's bytes begin in the file. */
static size_t find_tensor(const struct cxn_bytes *file, const char *name)
{
    static struct opened o;
    assert_int_equal(open_bytes(&o, file->data, file->size, fold, NULL, NULL), CXN_OK);
    const size_t i = cxn_slot_find(&o.model.list, name, 0);
    if (i == SIZE_MAX) fail_msg("no tensor '%s'", name);
    const size_t at = (size_t)o.model.list.items[i].offset_bytes;
    close_opened(&o);
    return at;
}

#define LAYER "features.denseblock1.denselayer1."
#define DIFFERS "', is not what export writes" /* behind its name, an end of it or all */

static void test_values(void **state)
{
    (void)state;
    static const float zero = 0.0f, half = 0.5f, two = 2.0f, minus = -1.0f, above = 256.0f;
    static const uint32_t nan = 0x7fc00001, inf = 0x7f800000, large = 0x7c800000; /* 2^122 */
    static const int8_t wide = -128, sixty_four = 64;
    static const uint8_t one = 1;
    static const struct number_case cases[] = {
        { LAYER "conv2.scale", 4, &zero, 4, "conv2.scale': element 1 is 0, expected above 0" },
        { LAYER "conv2.scale", 4, &nan, 4, "conv2.scale': element 1 is" },
        { LAYER "conv2.scale", 4, &minus, 4, "conv2.scale': element 1 is -1, expected above 0" },
        { LAYER "conv2.scale", 4, &inf, 4, "conv2.m': element 1 is inf" },
        { LAYER "conv2.scale", 4, &large, 4, "conv2.m': element 1 is 5.31691e+36, expected less" },
        { LAYER "conv1.scale_hi", 4, &two, 4, "'" LAYER "conv1.scale_hi" DIFFERS },
        { LAYER "conv1.scale", 0, &minus, 4, "conv1.scale': element 0 is -1, expected above 0" },
        { LAYER "conv2.bias", 0, &nan, 4, "conv2.b': element 0 is" },
        { LAYER "conv2.weight", 9, &wide, 1, "conv2.weight': element" },
        { LAYER "conv1.weight_hi", 9, &wide, 1, "is -128, expected -127 to 127" },
        { LAYER "conv1.weight_lo", 9, &sixty_four, 1, "is 64, expected -64 to 63" },
        { LAYER "norm1.weight", 4, &two, 4, "norm1.weight': element 1 is 2, expected 1 or -1" },
        { LAYER "norm1.weight", 4, &nan, 4, "norm1.weight': element 1 is" },
        { LAYER "norm1.bias", 4, &two, 4, "'" LAYER "norm1.bias" DIFFERS },
        { LAYER "norm1.running_mean", 4, &half, 4, "running_mean': element 1 is 0.5, expected a" },
        { LAYER "norm1.running_mean", 4, &above, 4, "running_mean': element 1 is 256, expected" },
        { LAYER "norm1.running_mean", 4, &minus, 4, "running_mean': element 1 is -1, expected" },
        { LAYER "norm1.running_mean", 4, &nan, 4, "running_mean': element 1 is" },
        { LAYER "norm1.running_var", 4, &two, 4, "'" LAYER "norm1.running_var" DIFFERS },
        { "features.conv0.weight", 4, &two, 4, "'features.conv0.weight" DIFFERS },
        { "features.conv0.bias", 4, &nan, 4, "'features.conv0.bias" DIFFERS },
        { "quantization.scale", 0, &zero, 4, "'quantization.scale" DIFFERS },
        { "quantization.scale", 0, &nan, 4, "'quantization.scale" DIFFERS },
        { "quantization.zero_point", 0, &one, 1, "'quantization.zero_point" DIFFERS },
        { "quantization.tie", 0, &half, 4, "'quantization.tie" DIFFERS },
        { "preprocessing.full_scale", 0, &two, 4, "'preprocessing.full_scale" DIFFERS },
        { "classifier.weight", 8, &inf, 4, "'classifier.weight': element 2 is inf" },
        { "classifier.bias", 4, &nan, 4, "'classifier.bias': element 1 is" },
    };
    struct cxn_bytes file = make_file(quantized, 3, true);
    for (const struct number_case *n = cases; n < cases + CXN_COUNTOF(cases); n++) {
        uint8_t *at = file.data + find_tensor(&file, n->tensor) + n->byte, saved[8];
        memcpy(saved, at, n->bytes);
        memcpy(at, n->value, n->bytes);
        expect(file.data, file.size, n->text);
        memcpy(at, saved, n->bytes);
    }
    cxn_free(file.data);
}

/* The first `from` behind the first `behind` becomes `to`, of the same length. */
struct change {
    const char *behind, *from, *to, *text;
};

static void refuse_change(const struct cxn_bytes *file, const struct change *c)
{
    const size_t n = strlen(c->from);
    assert_int_equal(n, strlen(c->to));
    struct cxn_bytes e = { malloc(file->size), file->size };
    assert_non_null(e.data);
    memcpy(e.data, file->data, e.size);
    uint8_t *at = memmem(e.data, e.size, c->behind, strlen(c->behind));
    if (at) at = memmem(at, e.size - (size_t)(at - e.data), c->from, n);
    if (!at) fail_msg("no '%s' behind '%s'", c->from, c->behind);
    memcpy(at, c->to, n);
    expect(e.data, e.size, c->text);
    free(e.data);
}

static void test_changes(void **state)
{
    (void)state;
    static const char nodes[] = LAYER "relu1.quantized", graph[] = "\x12\x08" "DenseNet";
    static const struct change cases[] = {
        /* tensors: another type, shape or name */
        { graph, "\x10\x02\x42\x17quantization.zero_point",
          "\x10\x03\x42\x17quantization.zero_point", "'quantization.zero_point" DIFFERS },
        { graph, "\x10\x03\x42\x2d" LAYER "conv2.weight", "\x10\x02\x42\x2d" LAYER "conv2.weight",
          "conv2.weight' is U8 [4][8][3][3], expected I8" },
        { graph, "\x08\x04\x08\x08\x08\x03\x08\x03\x10\x03",
          "\x08\x08\x08\x04\x08\x03\x08\x03\x10\x03",
          "conv2.weight' is I8 [8][4][3][3], expected I8 [4][8][3][3]" },
        { graph, "conv2.scale", "conv2.scald", "conv2.scale' is missing" },
        { graph, "weight_lo", "weight_ho", "weight_lo' is missing" },
        { graph, "weight_hi", "weight_ha", "conv1.weight' is missing" },
        { graph, "features.conv0.bias", "features.conv0.bass", "'features.conv0.bias" DIFFERS },
        /* nodes */
        { "device.", "\x0a\x95\x01\x0a\x05input", "\x72\x95\x01\x0a\x05input",
          "in or behind 'GraphProto" DIFFERS },
        { nodes, "QuantizeLinear", "QuantizeLineaR", "relu1.quantized" DIFFERS },
        { nodes, "quantization.scale", "quantization.zcale", "relu1.dequantized" DIFFERS },
        { "features.conv0", "MaxPool", "MinPool", "features.pool0" DIFFERS },
        { "features.transition1", "AveragePool", "AveragePoor", "transition1.pool" DIFFERS },
        { "features.transition1.pool", "quantization.tie", "quantization.tye",
          "transition1.ties" DIFFERS },
        { "features.conv0", "axis", "azis", "weight_hi.dequantized" DIFFERS },
        { "classifier", "Sigmoid", "Softmax", "'probabilities" DIFFERS },
        { graph, "batch", "botch", "'input" DIFFERS },
        /* metadata */
        { "chexnet_format", "quantized", "quantised", "not quantised" },
        { "chexnet_format_version", "1", "2", "'chexnet_format_version' is '2', expected 1" },
        { "bbbb", "b", "B", "'calibration_sha256' is 'Bbbb" },
        { "bit_exact", "true", "tru3", "'bit_exact' is 'tru3', expected true" },
        { "put_back", "conv1", "conv7", "'put_back' is 'features.denseblock1.denselayer1.conv7" },
        { "put_back", "conv1", "conv2", "conv1.weight' is missing" },
        { "auc_drop", "-0.0025", "-0.oo25", "'auc_drop' is '-0.oo25', expected nothing or a num" },
        { "preprocessing", "shorter", "smaller", "metadata 'preprocessing' is 'smaller side" },
        { "classes", "Hernia", "hernia", "'classes' is 'Atelectasis,Cardiomegaly" },
        { "auc_drop", "picture_sha256", "picture_sha265", "'probe.picture_sha265' is unexp" },
        { "picture_sha256", "bd049a", "bd049b", "'probe.picture_sha256' is 'bd049b" },
        { "picture_sha256", "grey.weight_hi", "grey.weight_ho", "'features.conv0.grey.weight_hi'" },
        { "probe.answers", "90", "9g", "metadata 'probe.answers' is not 224 bytes as hex digits" },
        { "probe.answers", "903e", "9040", "probe.answers': element 0 is 4.5, expected 0 to 1" },
        { "probe.answers", "903e", "003f", "differ from the reference's by 0.25, at most 0.05" },
    };
    struct cxn_bytes file = make_file(quantized, 0, false);
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) refuse_change(&file, &cases[i]);
    cxn_free(file.data);
}

/* A pair more than export writes. */
static void test_more_metadata(void **state)
{
    (void)state;
    static const char pair[] = "\x72\x09\x0a\x04more\x12\x01x"; /* metadata_props */
    struct cxn_bytes file = make_file(quantized, 0, false);
    struct case_bytes b = { 0 };
    put(&b, file.data, file.size);
    put(&b, pair, sizeof pair - 1);
    expect(b.data, b.size, "metadata 'more' is unexpected");
    put_free(&b);
    cxn_free(file.data);
}

/* What export does not write, though the graph is the numbers'. */
static void test_not_written(void **state)
{
    (void)state;
    static const char key[] = "features.conv0.colour.m";
    struct cxn_bytes file = make_file(quantized, 1025, false);
    expect(file.data, file.size, "in or behind 'classifier.bias" DIFFERS);
    cxn_free(file.data);
    file = make_file(quantized, 0, false);
    uint8_t *at = memmem(file.data, file.size, key, sizeof key - 1);
    assert_non_null(at);
    memcpy(at + sizeof key - 1 + 2, "00008071", 8); /* behind a tag and a length */
    expect(file.data, file.size, "colour.m': element 0 is 1.26765e+30, expected less than 2^96");
    cxn_free(file.data);
}

static bool is_refusal(enum cxn_status status)
{
    return status == CXN_E_FORMAT || status == CXN_E_LIMIT;
}

/* Opened, and closed again; how many were taken. */
static size_t try_bytes(const struct cxn_bytes *file, size_t size, struct cxn_mem *mem)
{
    static struct opened o;
    struct cxn_error err = { "" };
    uint8_t *exact = copy_exactly(file->data, size);
    const double start = case_seconds();
    const enum cxn_status status = open_bytes(&o, exact, size, fold, mem, &err);
    const double seconds = case_seconds() - start;
    close_opened(&o);
    free(exact);
    if (status != CXN_OK && !is_refusal(status)) fail_msg("%zu bytes: %s", size, err.text);
    if (seconds > CASE_SECONDS_MAX) fail_msg("took %.2f s: '%s'", seconds, err.text);
    return status == CXN_OK;
}

/* Cut anywhere: no graph is whole without its last byte, nor a model without its last pair. */
static void test_every_prefix(void **state)
{
    (void)state;
    struct cxn_bytes file = make_file(quantized, 0, false);
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    for (size_t size = 0; size < file.size; size += size < 600 ? 1 : 97)
        assert_int_equal(try_bytes(&file, size, &mem), 0);
    assert_int_equal(try_bytes(&file, file.size - 1, &mem), 0);
    assert_int_equal(try_bytes(&file, file.size, &mem), 1);
    assert_int_equal(mem.blocks, 0);
    assert_true(mem.peak_bytes < 4 << 20);
    cxn_free(file.data);
}

/* Changed anywhere: refused, but for what says nothing of the model, and other numbers of it. */
static void test_bytes_changed(void **state)
{
    (void)state;
    static const uint8_t changes[] = { 0x01, 0x80 };
    struct cxn_bytes file = make_file(quantized, 0, false);
    struct cxn_mem mem;
    size_t taken = 0, tried = 0;
    cxn_mem_init(&mem, 0);
    for (size_t i = 0; i < CXN_COUNTOF(changes); i++)
        for (size_t at = i; at < file.size; at += at < 2000 ? 1 : 211) {
            file.data[at] ^= changes[i];
            taken += try_bytes(&file, file.size, &mem);
            file.data[at] ^= changes[i];
            tried++;
        }
    printf("%zu changes, %zu taken\n", tried, taken);
    assert_true(taken < tried / 2);
    assert_int_equal(mem.blocks, 0);
    assert_true(mem.peak_bytes < 4 << 20);
    cxn_free(file.data);
}

/* ---- what cannot be written --------------------------------------------------------------- */

static void refuse_numbers_of(const char *name, float m, float b, const char *text)
{
    cxn_quantized *q = random_quantized(fold, true, 4);
    struct cxn_error err = { "" };
    unlink(path);
    const struct cxn_quantized_part *part = &q->parts[find_part(name)];
    part->m[1] = m;
    part->b[1] = b;
    assert_int_equal(write_as(q, 0, false, NULL, &err), CXN_E_FORMAT);
    if (!strstr(err.text, text)) fail_msg("'%s', expected '%s'", err.text, text);
    assert_int_not_equal(access(path, F_OK), 0);
    cxn_quantized_close(&q);
}

static void test_numbers_that_no_graph_has(void **state)
{
    (void)state;
    static const char stem[] = "features.conv0.colour";
    refuse_numbers_of(LAYER "conv1", -1.0f, 0.0f, "conv1.m': element 1 is -1, expected above 0");
    refuse_numbers_of(LAYER "conv2", 0.0f, 0.0f, "conv2.m': element 1 is 0, expected above 0");
    refuse_numbers_of(stem, 0x1p100f, 0.0f, "colour.m': element 1 is 1.26765e+30, expected less");
    refuse_numbers_of(stem, 1.0f, -0x1p127f, "colour.b': element 1 is -1.70141e+38, expected less");
}

static void test_other_probe(void **state)
{
    (void)state;
    static const struct cxn_env env;
    struct derived_made_up m;
    struct cxn_onnx_written written;
    struct cxn_error err = { "" };
    assert_int_equal(derived_make_up(&m, apart, NULL, NULL), CXN_OK);
    m.probe.pixels[77] ^= 1;
    const struct cxn_quantized_content content = {
        .derived = m.about, .about = make_about(), .quantized = quantized, .probe = &m.probe,
        .reference = m.reference, .answers = m.answers
    };
    const struct cxn_onnx_content file = { .net = net, .quantized = &content, .version = "1.2.3",
                                           .source_name = "x", .source_sha256 = "" };
    assert_int_equal(cxn_onnx_write(&env, path, &file, &written, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "'probe.picture' is not the picture that this version draws"));
    cxn_probe_close(&m.probe);
}

/* ---- what can fail ------------------------------------------------------------------------ */

static enum cxn_status read_with(const struct cxn_bytes *file, struct cxn_mem *mem,
                                 struct cxn_error *err)
{
    static struct opened o;
    const enum cxn_status status = open_bytes(&o, file->data, file->size, fold, mem, err);
    close_opened(&o);
    return status;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    struct cxn_bytes file = make_file(quantized, 0, false);
    for (int variant = 0; variant < 4; variant++) {
        const bool writing = (variant & 1) != 0;
        enum cxn_status status = CXN_E_NOMEM;
        for (size_t n = 1; status == CXN_E_NOMEM; n++) {
            struct cxn_mem mem;
            struct cxn_error err = { "" };
            cxn_mem_init(&mem, 0);
            mem.fail_at = n;
            mem.fail_after = variant >> 1;
            status = writing ? write_as(quantized, 0, false, &mem, &err)
                             : read_with(&file, &mem, &err);
            assert_int_equal(mem.blocks, 0);
            if (status != CXN_OK) assert_non_null(strstr(err.text, "no memory for"));
        }
        assert_int_equal(status, CXN_OK);
    }
    cxn_free(file.data);
}

static int open_all(void **state)
{
    (void)state;
    net = case_net(&case_small);
    if (cxn_fold_open(&fold, net, NULL, NULL) != CXN_OK) return -1;
    quantized = random_quantized(fold, true, 1);
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int close_all(void **state)
{
    (void)state;
    cxn_quantized_close(&quantized);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_rows_of_zeros),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_hosts_rounding),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_more_metadata),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_bytes_changed),
        cmocka_unit_test(test_numbers_that_no_graph_has),
        cmocka_unit_test(test_other_probe),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
