/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a small network's activations against PyTorch's, the same for any threads, batches
 * and interruptions; files of them written, read, and refused where they are broken. */
#include <math.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "quant/calibration_form.h"
#include "quant/partial.h"
#include "small_net.h"
#include "unit/unit.h"

static struct small_net net;
static cxn_fold *fold;
static char path[] = "/tmp/chexnet-calibration-XXXXXX";

static const struct cxn_range_rule minmax = { .method = CXN_CALIBRATION_MINMAX };
static const struct cxn_range_rule percentile = { CXN_CALIBRATION_PERCENTILE, 99 };

/* ---- collecting --------------------------------------------------------------------------- */

/* How the views are taken in. */
struct way {
    const struct cxn_range_rule *rule;
    unsigned threads;
    size_t batch;
    size_t stop; /* views after which everything is kept in a file and begun anew; 0: never */
};

static void describe(cxn_calibration *c, const struct cxn_range_rule *rule)
{
    c->method = rule->method;
    c->percentile = rule->percentile;
    c->images = SMALL_VIEWS;
    c->seed = 7;
    snprintf(c->version, sizeof c->version, "0.1.0");
    snprintf(c->model_name, sizeof c->model_name, "small \"net\".pth");
    memset(c->model_sha256, 'a', sizeof c->model_sha256 - 1);
    memset(c->list_sha256, 'b', sizeof c->list_sha256 - 1);
}

static enum cxn_status open_collector(cxn_collector **collector, const struct way *way,
                                      const struct cxn_env *env, struct cxn_error *err)
{
    return cxn_collector_open(collector, fold, net.block, way->rule, way->batch, env, err);
}

static enum cxn_status see(cxn_collector *collector, size_t batch, size_t last,
                           struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t at; status == CXN_OK && (at = cxn_collector_state(collector).seen) < last;) {
        const size_t count = last - at < batch ? last - at : batch;
        status = cxn_collector_see(collector, net.views + at, count, err);
    }
    return status;
}

/* Through the file, into another collector. */
static enum cxn_status interrupt(cxn_collector **collector, const struct way *way,
                                 const cxn_calibration *c, const struct cxn_env *env,
                                 struct cxn_error *err)
{
    const struct cxn_partial_about about = { c, SMALL_VIEWS, "c" };
    enum cxn_status status = cxn_partial_write(*collector, &about, env, path, err);
    cxn_collector_close(collector);
    if (status == CXN_OK) status = open_collector(collector, way, env, err);
    if (status == CXN_OK) status = cxn_partial_read(*collector, &about, env, path, err);
    return status;
}

static enum cxn_status collect_in(cxn_calibration **calibration, const struct way *way,
                                  const struct cxn_env *env, struct cxn_error *err)
{
    cxn_collector *collector = NULL;
    enum cxn_status status = cxn_calibration_open(calibration, fold, env->mem, err);
    if (status == CXN_OK) {
        describe(*calibration, way->rule);
        status = open_collector(&collector, way, env, err);
    }
    if (status == CXN_OK && way->stop > 0) status = see(collector, way->batch, way->stop, err);
    if (status == CXN_OK && way->stop > 0)
        status = interrupt(&collector, way, *calibration, env, err);
    if (status == CXN_OK) status = see(collector, way->batch, SMALL_VIEWS, err);
    if (status == CXN_OK) status = cxn_collector_finish(collector, *calibration, err);
    cxn_collector_close(&collector);
    return status;
}

static cxn_calibration *collect(const struct way *way)
{
    struct cxn_env env = { .cpu = cxn_cpu_detect() };
    struct cxn_error err = { "" };
    cxn_calibration *calibration;
    assert_int_equal(cxn_pool_open(&env.pool, way->threads, NULL), CXN_OK);
    if (collect_in(&calibration, way, &env, &err) != CXN_OK) fail_msg("%s", err.text);
    cxn_pool_close(&env.pool);
    return calibration;
}

/* What a channel's numbers are measured by: the largest of its range, or 1 where that is less, for
 * a channel that hardly ever is above 0 is a difference of float32 terms of 1 to 17. */
static double scale_of(const struct cxn_calibration_part *part, size_t k)
{
    if (!part->hi) return 1;
    return fmax(1, fmax(part->hi[k], part->lo ? -part->lo[k] : 0));
}

enum { GOLDEN_SMALL, GOLDEN_LARGE, GOLDENS };

/* [GOLDENS][count] */
static double *read_golden(size_t count)
{
    count *= GOLDENS;
    double *numbers = malloc(count * sizeof *numbers);
    FILE *f = fopen("tests/golden/nn_calibration.f64", "rb");
    assert_non_null(numbers);
    assert_non_null(f);
    assert_int_equal(fread(numbers, sizeof *numbers, count, f), count);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    return numbers;
}

/* PyTorch's, in double precision. */
static void compare_golden(const cxn_calibration *c, size_t which)
{
    double *goldens = read_golden(c->number_count), worst = 0;
    const double *golden = goldens + which * c->number_count;
    size_t at = 0, zeros = 0;
    for (size_t i = 0; i < fold->count; i++) {
        struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
        const size_t count = cxn_calibration_arrays(c, i, arrays);
        for (size_t a = 0; a < count; a++)
            for (size_t k = 0; k < fold->parts[i].out; k++, at++) {
                const double difference = fabs(arrays[a].numbers[k] - golden[at]);
                worst = fmax(worst, difference / scale_of(&c->parts[i], k));
                zeros += golden[at] == 0;
            }
    }
    printf("%zu numbers, %zu of them 0; largest difference %.2g of its scale\n", at,
           zeros, worst);
    assert_int_equal(at, c->number_count);
    assert_true(worst < 1e-5);
    assert_true(zeros < at / 4);
    free(goldens);
}

static void test_golden(void **state)
{
    (void)state;
    cxn_calibration *c = collect(&(struct way){ &minmax, 1, SMALL_VIEWS, 0 });
    compare_golden(c, GOLDEN_SMALL);
    cxn_calibration_close(&c);
}

/* Maps so large that they are computed in bands, at every level of this CPU. */
static void test_bands(void **state)
{
    (void)state;
    enum { SIDE = 224 };
    static uint8_t pixels[SIDE * SIDE];
    const struct cxn_picture picture = { pixels, SIDE, SIDE, 1, SIDE };
    const struct cxn_view view = { .picture = &picture, .width = SIDE, .height = SIDE };
    for (size_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = net.pixels[i / SIDE % SMALL_SIDE * SMALL_SIDE + i % SIDE % SMALL_SIDE];
    for (size_t i = 0; cxn_cpu_level_name(i); i++) {
        struct cxn_env env = { 0 };
        const struct way way = { &minmax, 1, 1, 0 };
        cxn_collector *collector;
        cxn_calibration *c;
        if (cxn_cpu_level_lacks(i, cxn_cpu_detect())) continue;
        assert_int_equal(cxn_cpu_limit(cxn_cpu_detect(), cxn_cpu_level_name(i), &env.cpu, NULL),
                         CXN_OK);
        assert_int_equal(open_collector(&collector, &way, &env, NULL), CXN_OK);
        assert_int_equal(cxn_calibration_open(&c, fold, NULL, NULL), CXN_OK);
        assert_int_equal(cxn_collector_see(collector, &view, 1, NULL), CXN_OK);
        assert_int_equal(cxn_collector_finish(collector, c, NULL), CXN_OK);
        compare_golden(c, GOLDEN_LARGE);
        cxn_calibration_close(&c);
        cxn_collector_close(&collector);
    }
}

static void test_same_bits(void **state)
{
    (void)state;
    const struct cxn_range_rule *const rules[] = { &minmax, &percentile };
    for (size_t r = 0; r < 2; r++) {
        cxn_calibration *want = collect(&(struct way){ rules[r], 1, SMALL_VIEWS, 0 });
        const struct way ways[] = {
            { rules[r], 1, 1, 0 }, { rules[r], 2, 3, 0 }, { rules[r], 3, 5, 0 },
            { rules[r], 1, 2, 1 }, { rules[r], 2, 2, 3 }, { rules[r], 3, 4, SMALL_VIEWS },
        };
        for (size_t i = 0; i < CXN_COUNTOF(ways); i++) {
            cxn_calibration *got = collect(&ways[i]);
            assert_memory_equal(got->numbers, want->numbers,
                                want->number_count * sizeof *want->numbers);
            cxn_calibration_close(&got);
        }
        cxn_calibration_close(&want);
    }
}

/* A channel that is always 0, from a norm2 whose weight and bias are 0; and a lone view. */
static void test_zeros(void **state)
{
    (void)state;
    const struct cxn_net_tensor *weight =
        cxn_net_find(net.net, "features.denseblock2.denselayer1.norm2.weight");
    const struct cxn_net_tensor *bias =
        cxn_net_find(net.net, "features.denseblock2.denselayer1.norm2.bias");
    const float kept[] = { net.block[weight->offset], net.block[bias->offset] };
    const struct cxn_range_rule rules[] = { minmax, percentile, { CXN_CALIBRATION_ENTROPY, 0 },
                                            { CXN_CALIBRATION_MSE, 0 } };
    net.block[weight->offset] = net.block[bias->offset] = 0;
    for (size_t r = 0; r < CXN_COUNTOF(rules); r++) {
        const struct cxn_env env = { 0 };
        const struct way way = { &rules[r], 1, 1, 0 };
        cxn_collector *collector;
        cxn_calibration *c;
        assert_int_equal(open_collector(&collector, &way, &env, NULL), CXN_OK);
        assert_int_equal(cxn_calibration_open(&c, fold, NULL, NULL), CXN_OK);
        describe(c, &rules[r]);
        assert_int_equal(cxn_collector_see(collector, net.views, 1, NULL), CXN_OK);
        assert_int_equal(cxn_collector_see(collector, net.views, 2, NULL), CXN_E_ARG);
        assert_int_equal(cxn_collector_finish(collector, c, NULL), CXN_OK);
        size_t i = 0;
        while (strcmp(fold->parts[i].name, "features.denseblock2.denselayer1.conv1") != 0) i++;
        assert_true(c->parts[i].hi[0] == 0 && c->parts[i].mean[0] == 0);
        assert_true(c->parts[i].hi[1] > 0 && c->parts[i].mean[1] > 0);
        assert_int_equal(cxn_calibration_write(c, &env, path, NULL), CXN_OK);
        cxn_calibration_close(&c);
        cxn_collector_close(&collector);
    }
    net.block[weight->offset] = kept[0];
    net.block[bias->offset] = kept[1];
}

/* Weights that drive a map to infinity, where the probabilities hide it or not. */
static void test_infinite(void **state)
{
    (void)state;
    const struct cxn_net_tensor *t = cxn_net_find(net.net, "features.denseblock4.denselayer2"
                                                           ".conv2.weight");
    float *w = net.block + t->offset;
    const float kept = w[0];
    cxn_calibration *c;
    struct cxn_error err = { "" };
    const struct cxn_env env = { 0 };
    w[0] = 3e38f;
    assert_int_equal(collect_in(&c, &(struct way){ &percentile, 1, 1, 0 }, &env, &err),
                     CXN_E_FORMAT);
    assert_true(strlen(err.text) > 0);
    cxn_calibration_close(&c);
    w[0] = kept;
}

/* ---- files -------------------------------------------------------------------------------- */

static struct cxn_bytes write_file(const cxn_calibration *c)
{
    const struct cxn_env env = { 0 };
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    if (cxn_calibration_write(c, &env, path, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, path, CXN_CALIBRATION_TEXT_MAX_BYTES, &bytes, NULL),
                     CXN_OK);
    return bytes;
}

/* What is written is read again, to the bit. */
static void test_round_trip(void **state)
{
    (void)state;
    const struct cxn_range_rule *const rules[] = { &minmax, &percentile };
    const struct cxn_env env = { 0 };
    for (size_t r = 0; r < 2; r++) {
        cxn_calibration *c = collect(&(struct way){ rules[r], 1, SMALL_VIEWS, 0 }), *d;
        struct cxn_bytes first = write_file(c);
        struct cxn_error err = { "" };
        if (cxn_calibration_read(&d, fold, &env, path, &err) != CXN_OK) fail_msg("%s", err.text);
        assert_memory_equal(d->numbers, c->numbers, c->number_count * sizeof *c->numbers);
        assert_string_equal(d->model_name, c->model_name);
        assert_string_equal(d->list_sha256, c->list_sha256);
        assert_true(d->method == c->method && d->percentile == c->percentile);
        assert_true(d->images == SMALL_VIEWS && d->seed == 7);
        struct cxn_bytes second = write_file(d);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
        cxn_free(first.data);
        cxn_free(second.data);
        cxn_calibration_close(&c);
        cxn_calibration_close(&d);
    }
}

/* Reads exactly these bytes; nothing may stay allocated. */
static enum cxn_status parse(const void *text, size_t size, struct cxn_mem *mem,
                             struct cxn_error *err)
{
    uint8_t *copy = copy_exactly(text, size);
    const struct cxn_env env = { .mem = mem };
    cxn_calibration *c = NULL;
    err->text[0] = '\0';
    const enum cxn_status status = cxn_calibration_parse(&c, fold, &env, copy, size, err);
    assert_true((status == CXN_OK) == (err->text[0] == '\0'));
    assert_true((status == CXN_OK) == (c != NULL));
    cxn_calibration_close(&c);
    free(copy);
    assert_int_equal(mem->blocks, 0);
    return status;
}

/* The text with the first `from` replaced must be refused with a sentence that has `want`. */
static void refuse(const struct cxn_bytes *file, const char *from, const char *to,
                   const char *want)
{
    const char *text = (const char *)file->data;
    const char *at = memmem(text, file->size, from, strlen(from));
    struct cxn_mem mem;
    struct cxn_error err;
    if (!at) fail_msg("no '%s' in the file", from);
    const size_t before = (size_t)(at - text), size = file->size - strlen(from) + strlen(to);
    char *edited = malloc(size + 1);
    assert_non_null(edited);
    memcpy(edited, text, before);
    memcpy(edited + before, to, strlen(to));
    memcpy(edited + before + strlen(to), at + strlen(from), file->size - before - strlen(from));
    cxn_mem_init(&mem, 0);
    const enum cxn_status status = parse(edited, size, &mem, &err);
    if (status != CXN_E_FORMAT || !strstr(err.text, want))
        fail_msg("'%s' for '%s': status %d, '%s', expected '%s'", to, from, status, err.text, want);
    free(edited);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "\"calibration\"", "\"optimized\"", "'chexnet_format' is not" },
        { "\"calibration\"", "null", "'chexnet_format' is not" },
        { "version\": 1,", "version\": 2,", "'chexnet_format_version' is not 1" },
        { "version\": 1,", "version\": 1.0,", "'chexnet_format_version' is not 1" },
        { "\"0.1.0\"", "\"0.1 0\"", "'chexnet_version' is no word" },
        { "\"0.1.0\"", "\"\"", "'chexnet_version' is no word" },
        { "small ", "a/small ", "'model_name' is no word" },
        { "aaaa", "aaa", "'model_sha256' is not 64" },
        { "bbbb", "Bbbb", "'list_sha256' is not 64" },
        { "\"percentile\",", "\"median\",", "'method' is none of" },
        { "\"percentile\",", "\"minmax\",", "'percentile' is unexpected" },
        { "\"percentile\": 99,", "", "'percentile' is missing" },
        { "\"percentile\": 99,", "\"percentile\": 100,", "'percentile' is no number" },
        { "\"percentile\": 99,", "\"percentile\": \"99\",", "'percentile' is no number" },
        { "\"images\": 5", "\"images\": 0", "'images' is no whole number" },
        { "\"images\": 5", "\"images\": 5.0", "'images' is no whole number" },
        { "\"images\": 5", "\"images\": 1000000000", "'images' is no whole number" },
        { "\"seed\": 7", "\"seed\": -1", "'seed' is no whole number" },
        { "\"seed\": 7", "\"seed\": 7, \"seed\": 7", "duplicate" },
        { "\"seed\": 7", "\"seed\": 7, \"sead\": 7", "'sead' is unexpected" },
        { "\"seed\": 7", "\"sead\": 7", "'seed' is missing" },
        { "\"features.conv0.grey\"", "\"features.conv0\"",
          "'tensors': 'features.conv0.grey' is missing" },
        { "\"features.conv0.grey\"", "\"more\": {}, \"features.conv0.grey\"",
          "'tensors': 'more' is unexpected" },
        { "\"lo\"", "\"low\"", "'features.conv0.grey': 'lo' is missing" },
        { "\"lo\"", "\"max\": 1, \"lo\"", "'features.conv0.grey': 'max' is unexpected" },
        { "\"lo\": [", "\"lo\": [1, ", "'features.conv0.grey': 'lo' is no array of 8 numbers" },
        { "\"lo\": [", "\"lo\": 1, \"x\": [", "'features.conv0.grey': 'x' is unexpected" },
        { "\"lo\": [0,", "\"lo\": [null,", "'lo' of channel 0 is not a number" },
        { "\"lo\": [0,", "\"lo\": [1e9,", "'lo' of channel 0 is above 'hi'" },
        { "\"lo\": [0,", "\"lo\": [1e999,", "JSON" },
        { "\"max\": [", "\"max\": [-", "'max' of channel 0 is negative" },
        { "\"mean\": [", "\"mean\": [-", "'mean' of channel 0 is negative" },
        { "\"share\": [0", "\"share\": [2", "'share' of channel 0 is not in 0..1" },
        { "\"tensors\": {", "\"tensors\": [{", "JSON" },
        { "{\n", "[\n", "JSON" },
    };
    cxn_calibration *c = collect(&(struct way){ &percentile, 1, SMALL_VIEWS, 0 });
    struct cxn_bytes file = write_file(c);
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++)
        refuse(&file, cases[i][0], cases[i][1], cases[i][2]);
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    for (size_t size = 0; size + 2 < file.size; size += size < 1000 ? 1 : 97)
        assert_int_equal(parse(file.data, size, &mem, &err), CXN_E_FORMAT);
    assert_int_equal(parse(file.data, file.size, &mem, &err), CXN_OK);
    cxn_free(file.data);
    cxn_calibration_close(&c);
}

/* Nothing that no reader takes back is written. */
static void test_not_written(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    struct cxn_error err = { "" };
    cxn_calibration *c = collect(&(struct way){ &minmax, 1, SMALL_VIEWS, 0 });
    unlink(path);
    c->parts[0].lo[2] = NAN;
    assert_int_equal(cxn_calibration_write(c, &env, path, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "'features.conv0.grey': 'lo' of channel 2 is not finite"));
    c->parts[0].lo[2] = -4e38;
    assert_int_equal(cxn_calibration_write(c, &env, path, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "'lo' of channel 2 is beyond float32"));
    c->parts[0].lo[2] = 0;
    c->parts[2].share[1] = 1.5;
    assert_int_equal(cxn_calibration_write(c, &env, path, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "norm1': 'share' of channel 1 is not in 0..1"));
    assert_int_not_equal(access(path, F_OK), 0);
    cxn_calibration_close(&c);
}

/* ---- unfinished ones ---------------------------------------------------------------------- */

/* What is in `path` must be refused by this calibration. */
static void refuse_partial(const struct cxn_partial_about *about,
                           const struct cxn_range_rule *rule, enum cxn_status status,
                           const char *want)
{
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    cxn_collector *collector;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    const struct way way = { rule, 1, 1, 0 };
    assert_int_equal(open_collector(&collector, &way, &env, NULL), CXN_OK);
    const enum cxn_status got = cxn_partial_read(collector, about, &env, path, &err);
    if (got != status || !strstr(err.text, want) || !strstr(err.text, path))
        fail_msg("status %d, '%s', expected %d, '%s'", got, err.text, status, want);
    cxn_collector_close(&collector);
    assert_int_equal(mem.blocks, 0);
}

/* Writes a partial file of two views, and again with the bytes `from` replaced by as many. */
static void write_partial(const cxn_calibration *c, const struct cxn_range_rule *rule,
                          const char *from, const char *to)
{
    const struct cxn_env env = { 0 };
    const struct cxn_partial_about about = { c, SMALL_VIEWS, "c" };
    const struct way way = { rule, 1, 2, 0 };
    struct cxn_bytes bytes;
    cxn_collector *collector;
    assert_int_equal(open_collector(&collector, &way, &env, NULL), CXN_OK);
    assert_int_equal(see(collector, 2, 2, NULL), CXN_OK);
    assert_int_equal(cxn_partial_write(collector, &about, &env, path, NULL), CXN_OK);
    cxn_collector_close(&collector);
    if (!from) return;
    assert_int_equal(cxn_file_read(NULL, path, 64 << 20, &bytes, NULL), CXN_OK);
    char *at = memmem(bytes.data, bytes.size, from, strlen(from));
    if (!at) fail_msg("no '%s' in the file", from);
    memcpy(at, to, strlen(to));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, f), bytes.size);
    fclose(f);
    cxn_free(bytes.data);
}

static void test_partial_of_another(void **state)
{
    (void)state;
    cxn_calibration *c;
    assert_int_equal(cxn_calibration_open(&c, fold, NULL, NULL), CXN_OK);
    describe(c, &percentile);
    struct cxn_partial_about about = { c, SMALL_VIEWS, "c" };
    write_partial(c, &percentile, NULL, NULL);
    c->seed = 8;
    refuse_partial(&about, &percentile, CXN_E_IO, "of another calibration, seed 7, not 8");
    c->seed = 7;
    c->percentile = 98;
    refuse_partial(&about, &percentile, CXN_E_IO, "percentile 99, not 98");
    describe(c, &minmax);
    refuse_partial(&about, &minmax, CXN_E_IO, "method percentile, not minmax");
    describe(c, &percentile);
    c->list_sha256[0] = 'c';
    refuse_partial(&about, &percentile, CXN_E_IO, "list_sha256 bbb");
    describe(c, &percentile);
    about.level = "avx2";
    refuse_partial(&about, &percentile, CXN_E_IO, "level c, not avx2");
    about = (struct cxn_partial_about){ c, 2 * SMALL_VIEWS, "c" };
    refuse_partial(&about, &percentile, CXN_E_IO, "images 5, not 10");
    cxn_calibration_close(&c);
}

/* The same of method percentile with other bytes at that place of its tensors' data: the exponents
 * stand behind the sums. */
static void overwrite_partial(const cxn_calibration *c, size_t at, const void *bytes, size_t size)
{
    uint64_t header_bytes;
    write_partial(c, &percentile, NULL, NULL);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fread(&header_bytes, sizeof header_bytes, 1, f), 1);
    assert_int_equal(fseek(f, (long)(sizeof header_bytes + header_bytes + at), SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* Sums that are finite, and that no views give: found before pictures are computed. */
static void refuse_sums(const cxn_calibration *c, const struct cxn_partial_about *about)
{
    const struct {
        const double *place;
        double value;
        const char *want;
    } cases[] = {
        { c->parts[0].lo, 1e30, "'lo' of channel 0 is above 'hi'" },
        { c->parts[2].mean, -1, "norm1': 'mean' of channel 0 is negative" },
        { c->parts[2].share, 2.5, "norm1': 'share' of channel 0 is not a sum of shares" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        overwrite_partial(c, (size_t)(cases[i].place - c->numbers) * sizeof(double),
                          &cases[i].value, sizeof cases[i].value);
        refuse_partial(about, &percentile, CXN_E_FORMAT, cases[i].want);
    }
}

static void test_partial_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *want;
    } cases[] = {
        { "\"seen\":\"2\"", "\"seen\":\"6\"", "'seen' is '6', expected 1 to 5" },
        { "\"seen\":\"2\"", "\"seen\":\"0\"", "'seen' is '0'" },
        { "\"seen\":\"2\"", "\"seen\":\"-\"", "'seen' is '-'" },
        { "\"seen\":\"2\"", "\"send\":\"2\"", "'seen' is ''" },
        { "chexnet_version", "chexnet_variant", "no metadata 'chexnet_version'" },
        { "\"F64\"", "\"I64\"", "tensor 'sums' I64" },
        { "\"exponents\"", "\"components\"", "safetensors" },
        { "\"counts\"", "\"counta\"", "tensor 'counta'" },
    };
    cxn_calibration *c;
    assert_int_equal(cxn_calibration_open(&c, fold, NULL, NULL), CXN_OK);
    describe(c, &percentile);
    const struct cxn_partial_about about = { c, SMALL_VIEWS, "c" };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        write_partial(c, &percentile, cases[i].from, cases[i].to);
        refuse_partial(&about, &percentile, CXN_E_FORMAT, cases[i].want);
    }
    const double infinite = INFINITY;
    const int32_t exponent = 1000;
    overwrite_partial(c, 0, &infinite, sizeof infinite);
    refuse_partial(&about, &percentile, CXN_E_FORMAT, "'lo' of channel 0 is not finite");
    overwrite_partial(c, c->number_count * sizeof(double), &exponent, sizeof exponent);
    refuse_partial(&about, &percentile, CXN_E_FORMAT, "'exponents', value 0 is 1000");
    refuse_sums(c, &about);
    cxn_calibration_close(&c);
}

/* ---- memory ------------------------------------------------------------------------------- */

static enum cxn_status everything(struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    cxn_calibration *c = NULL, *d = NULL;
    enum cxn_status status = collect_in(&c, &(struct way){ &percentile, 1, 2, 1 }, &env, err);
    if (status == CXN_OK) status = cxn_calibration_write(c, &env, path, err);
    if (status == CXN_OK) status = cxn_calibration_read(&d, fold, &env, path, err);
    cxn_calibration_close(&c);
    cxn_calibration_close(&d);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    cxn_mem_init(&mem, 0);
    assert_int_equal(everything(&mem, &err), CXN_OK);
    const size_t calls = mem.calls;
    for (size_t i = 1; i <= calls; i++) {
        cxn_mem_init(&mem, 0);
        mem.fail_at = i;
        err.text[0] = '\0';
        assert_int_equal(everything(&mem, &err), CXN_E_NOMEM);
        assert_int_equal(mem.blocks, 0);
        assert_true(strlen(err.text) > 0);
    }
    printf("%zu allocations\n", calls);
}

static int open_all(void **state)
{
    (void)state;
    small_net_open(&net);
    assert_int_equal(cxn_fold_open(&fold, net.net, NULL, NULL), CXN_OK);
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    unlink(path);
    cxn_fold_close(&fold);
    small_net_close(&net);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_infinite),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_partial_of_another),
        cmocka_unit_test(test_partial_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
