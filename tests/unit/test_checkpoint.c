/* SPDX-License-Identifier: Apache-2.0 */
/* One checkpoint: every bit comes back, and every broken or hostile one is refused. */
#include <math.h>
#include <unistd.h>

#include "model/weights.h"
#include "train/checkpoint_form.h"
#include "unit/checkpoint_case.h"
#include "unit/unit.h"

static char folder[] = "/tmp/chexnet-checkpoint-XXXXXX";
static struct checkpoint_case small;
static const struct cxn_env nothing;

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void empty_folder(void)
{
    static const char *const names[] = { "weights.safetensors", "moments.safetensors",
                                         "average.safetensors", "state.json", "SHA256SUMS" };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) unlink(in_folder(names[i]));
}

static void write_case(const struct checkpoint_case *c)
{
    struct cxn_error err = { "" };
    empty_folder();
    if (cxn_checkpoint_write(&nothing, folder, &c->content, &err) != CXN_OK)
        fail_msg("%s", err.text);
}

static struct cxn_bytes load(const char *name)
{
    struct cxn_bytes bytes;
    assert_int_equal(cxn_file_read(NULL, in_folder(name), 1 << 20, &bytes, NULL), CXN_OK);
    return bytes;
}

static void store(const char *name, const void *data, size_t size)
{
    FILE *f = fopen(in_folder(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* Opens what is in the folder; the sentence without the folder's name. */
static enum cxn_status open_status(const cxn_net *net, struct cxn_error *err)
{
    struct cxn_checkpoint c;
    *err = (struct cxn_error){ "" };
    const enum cxn_status status = cxn_checkpoint_open(&c, &nothing, net, folder, err);
    cxn_checkpoint_close(&c);
    const size_t n = strlen(folder);
    if (strncmp(err->text, folder, n) != 0) return status;
    const char *text = err->text + n + strspn(err->text + n, "/: ");
    memmove(err->text, text, strlen(text) + 1);
    return status;
}

static void check_refused(const cxn_net *net, enum cxn_status status, const char *sentence)
{
    struct cxn_error err;
    assert_int_equal(open_status(net, &err), status);
    assert_string_equal(err.text, sentence);
}

/* SHA256SUMS of what is there, so that a change is looked at behind its hash. */
static void correct_sums(void)
{
    struct cxn_sums sums = { 0 };
    char text[CXN_SUMS_MAX_BYTES];
    for (int i = 0; i < CXN_CHECKPOINT_FILES; i++) {
        if (access(in_folder(cxn_checkpoint_files[i]), F_OK) != 0) continue;
        struct cxn_bytes bytes = load(cxn_checkpoint_files[i]);
        sums.has[i] = true;
        cxn_sha256_hex(bytes.data, bytes.size, sums.sha256[i]);
        cxn_free(bytes.data);
    }
    store("SHA256SUMS", text, cxn_sums_print(&sums, text));
}

/* ---- round trip --------------------------------------------------------------------------- */

static void check_round_trip(const struct checkpoint_case *c)
{
    struct cxn_checkpoint found;
    struct cxn_error err = { "" };
    write_case(c);
    if (cxn_checkpoint_open(&found, &nothing, c->net, folder, &err) != CXN_OK)
        fail_msg("%s", err.text);
    const char *bad = checkpoint_case_compare(c, &found);
    if (bad) fail_msg("%s", bad);
    cxn_checkpoint_close(&found);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int number = 0; number < 2; number++) {
        struct checkpoint_case c;
        assert_true(checkpoint_case_open(&c, &checkpoint_config, (enum cxn_number)number, 1234));
        c.content.log_bytes = 98765;
        check_round_trip(&c);
        c.content.moment_count = 1;
        c.content.average = (struct cxn_span){ 0 };
        check_round_trip(&c);
        c.content.moment_count = 0;
        c.content.place.best_auc = (double)NAN;
        check_round_trip(&c);
        assert_int_not_equal(access(in_folder("moments.safetensors"), F_OK), 0);
        assert_int_not_equal(access(in_folder("average.safetensors"), F_OK), 0);
        checkpoint_case_close(&c);
    }
}

static void test_extremes(void **state)
{
    (void)state;
    struct checkpoint_case c;
    struct cxn_checkpoint found;
    assert_true(checkpoint_case_open(&c, &checkpoint_config, CXN_NUMBER_F32, 1));
    const float values[] = { -0.0f, 0x1p-149f, -0x1p-126f, 0x1.fffffep127f };
    memcpy(c.blocks[0], values, sizeof values);
    memcpy(c.blocks[2], values, sizeof values);
    c.content.place = (struct cxn_place){ .step = (uint64_t)1 << 53, .epoch = 0, .best_auc = 1 };
    c.content.log_bytes = (uint64_t)1 << 53;
    cxn_sha256_hex("best", 4, c.content.best_sha256);
    check_round_trip(&c);
    assert_int_equal(cxn_checkpoint_open(&found, &nothing, c.net, folder, NULL), CXN_OK);
    assert_true(found.log_bytes == (uint64_t)1 << 53);
    assert_string_equal(found.best_sha256, c.content.best_sha256);
    cxn_checkpoint_close(&found);
    checkpoint_case_close(&c);
}

static void test_same_bytes(void **state)
{
    (void)state;
    write_case(&small);
    struct cxn_bytes a = load("SHA256SUMS");
    write_case(&small);
    struct cxn_bytes b = load("SHA256SUMS");
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    cxn_free(a.data);
    cxn_free(b.data);
}

/* The weights and the average are models like any other. */
static void test_models(void **state)
{
    (void)state;
    static const struct cxn_out_pair metadata[] = { { "epoch", "3" } };
    static const char *const names[] = { "weights.safetensors", "average.safetensors", "best" };
    write_case(&small);
    assert_int_equal(cxn_checkpoint_write_model(&nothing, in_folder("best"), small.net,
                                                &small.content.average, metadata, 1, NULL), CXN_OK);
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        float *block = NULL;
        const void *want = small.blocks[i == 0 ? 0 : 3];
        assert_int_equal(cxn_weights_load(&nothing, in_folder(names[i]), small.net, &block, NULL,
                                          NULL), CXN_OK);
        assert_memory_equal(block, want, small.net->float_count * sizeof *block);
        cxn_free(block);
    }
    unlink(in_folder("best"));
}

/* ---- what is not written ------------------------------------------------------------------- */

static void check_not_written(const struct cxn_checkpoint_content *content, enum cxn_status status,
                              const char *sentence)
{
    struct cxn_error err = { "" };
    empty_folder();
    assert_int_equal(cxn_checkpoint_write(&nothing, folder, content, &err), status);
    assert_string_equal(err.text, sentence);
    assert_int_not_equal(access(in_folder("SHA256SUMS"), F_OK), 0);
}

static void test_wrong_content(void **state)
{
    (void)state;
    char text[256];
    struct cxn_checkpoint_content c = small.content;
    const size_t params = small.net->param_count, floats = small.net->float_count;
    c.moments[1].count--;
    snprintf(text, sizeof text, "a checkpoint's moments: %zu numbers, expected %zu of the type of "
                                "the weights in the host's memory", params - 1, params);
    check_not_written(&c, CXN_E_ARG, text);
    c = small.content;
    c.average.number = CXN_NUMBER_F64;
    snprintf(text, sizeof text, "a checkpoint's average: %zu numbers, expected %zu of the type of "
                                "the weights in the host's memory", floats, floats);
    check_not_written(&c, CXN_E_ARG, text);
    c = small.content;
    c.moment_count = 3;
    check_not_written(&c, CXN_E_ARG, "a checkpoint's state is not an object, or 3 moments");
    c.moment_count = 2;
    c.state = json_object_get(small.state, "lr");
    check_not_written(&c, CXN_E_ARG, "a checkpoint's state is not an object, or 2 moments");
    static const struct cxn_place places[] = {
        { .step = ((uint64_t)1 << 53) + 1 }, { .epoch = UINT64_MAX }, { .best_auc = 1.5 },
        { .best_auc = -1 }, { .best_auc = (double)INFINITY }
    };
    for (size_t i = 0; i < CXN_COUNTOF(places); i++) {
        c = small.content;
        c.place = places[i];
        check_not_written(&c, CXN_E_ARG,
                          "a checkpoint's step, epoch or best AUC is out of range");
    }
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    const struct cxn_net_tensor *bias = cxn_net_find(small.net, "classifier.bias");
    const struct cxn_net_tensor *var = cxn_net_find(small.net, "features.norm0.running_var");
    float *weights = small.blocks[0], *moment = small.blocks[2];
    weights[bias->offset + 2] = (float)NAN;
    check_not_written(&small.content, CXN_E_FORMAT,
                      "weights.safetensors: tensor 'classifier.bias': element 2 is nan");
    checkpoint_case_fill(&small, 5);
    moment[bias->offset] = (float)-INFINITY;
    check_not_written(&small.content, CXN_E_FORMAT,
                      "moments.safetensors: tensor 'moment1.classifier.bias': element 0 is -inf");
    checkpoint_case_fill(&small, 5);
    weights[var->offset + 1] = -1;
    check_not_written(&small.content, CXN_E_FORMAT,
                      "weights.safetensors: tensor 'features.norm0.running_var': element 1, a "
                      "variance, is -1");
    checkpoint_case_fill(&small, 5);
    moment[0] = -1; /* a moment may be */
    check_round_trip(&small);
    checkpoint_case_fill(&small, 5);
}

static void test_large_state(void **state)
{
    (void)state;
    char *text = malloc(CXN_JSON_TEXT_MAX_BYTES + 1), sentence[160];
    memset(text, 'a', CXN_JSON_TEXT_MAX_BYTES);
    text[CXN_JSON_TEXT_MAX_BYTES] = '\0';
    json_t *large = json_pack("{s:s}", "text", text), *deep = json_object();
    struct cxn_checkpoint_content c = small.content;
    struct cxn_error err = { "" };
    c.state = large;
    empty_folder();
    assert_int_equal(cxn_checkpoint_write(&nothing, folder, &c, &err), CXN_E_LIMIT);
    assert_non_null(strstr(err.text, " bytes of JSON, at most 1048576"));
    for (int i = 0; i < 15; i++) deep = json_pack("{s:o}", "a", deep);
    c.state = deep;
    snprintf(sentence, sizeof sentence, "%s: JSON: byte ", in_folder("state.json"));
    assert_int_equal(cxn_checkpoint_write(&nothing, folder, &c, &err), CXN_E_LIMIT);
    assert_memory_equal(err.text, sentence, strlen(sentence));
    assert_non_null(strstr(err.text, "nested more than 16 deep"));
    json_decref(large);
    json_decref(deep);
    free(text);
}

/* ---- broken files -------------------------------------------------------------------------- */

static void test_every_prefix(void **state)
{
    (void)state;
    static const char *const names[] = { "SHA256SUMS", "state.json", "weights.safetensors" };
    write_case(&small);
    for (size_t k = 0; k < CXN_COUNTOF(names); k++) {
        struct cxn_bytes whole = load(names[k]);
        const size_t step = k == 2 ? 997 : 1;
        for (size_t n = 0; n < whole.size; n += step) {
            struct cxn_error err;
            store(names[k], whole.data, n);
            assert_int_equal(open_status(small.net, &err), CXN_E_FORMAT);
            assert_memory_equal(err.text, names[k], strlen(names[k]));
        }
        store(names[k], whole.data, whole.size);
        cxn_free(whole.data);
    }
}

static void test_every_byte(void **state)
{
    (void)state;
    static const uint8_t flips[] = { 1, 4, 0x20, 0x80, 0xff };
    write_case(&small);
    for (size_t k = 0; k < 5; k++) {
        const char *name = k == 4 ? CXN_CHECKPOINT_SUMS : cxn_checkpoint_files[k];
        struct cxn_bytes whole = load(name);
        const size_t step = k < 3 ? 499 : 1;
        for (size_t i = 0; i < whole.size; i += step) {
            for (size_t f = 0; f < CXN_COUNTOF(flips); f++) {
                struct cxn_error err;
                whole.data[i] ^= flips[f];
                store(name, whole.data, whole.size);
                whole.data[i] ^= flips[f];
                const enum cxn_status status = open_status(small.net, &err);
                if (status != CXN_E_FORMAT) fail_msg("%s: byte %zu: %s", name, i, err.text);
            }
        }
        store(name, whole.data, whole.size);
        cxn_free(whole.data);
    }
    struct cxn_error err;
    assert_int_equal(open_status(small.net, &err), CXN_OK);
}

static void test_wrong_sums(void **state)
{
    (void)state;
    char text[1024], sentence[512], hex[CXN_SHA256_HEX_BYTES];
    write_case(&small);
    struct cxn_bytes sums = load("SHA256SUMS"), json = load("state.json");
    cxn_sha256_hex(json.data, json.size, hex);
    json.data[0] = ' ';
    char changed[CXN_SHA256_HEX_BYTES];
    cxn_sha256_hex(json.data, json.size, changed);
    store("state.json", json.data, json.size);
    snprintf(sentence, sizeof sentence, "state.json: SHA-256 is %s, SHA256SUMS has %s", changed,
             hex);
    check_refused(small.net, CXN_E_FORMAT, sentence);
    const struct { const char *text, *sentence; } cases[] = {
        { "", "SHA256SUMS: no line for weights.safetensors" },
        { "\n", "SHA256SUMS: line 1: expected 64 lower-case hex digits, two blanks and the name of "
                "a checkpoint's file, once" },
        { "%.85s\n", "SHA256SUMS: no line for state.json" },
        { "%.85s\n%.85s\n", "SHA256SUMS: line 2: expected 64 lower-case hex digits, two blanks and "
                            "the name of a checkpoint's file, once" },
        { "%s ", "SHA256SUMS: line 5: expected 64 lower-case hex digits, two blanks and the name "
                 "of a checkpoint's file, once" },
        { "%s%s", "SHA256SUMS: 670 bytes, at most 512 are read" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        const char *s = (const char *)sums.data;
        char lines[512];
        snprintf(lines, sizeof lines, "%.*s", (int)sums.size, s);
        const char *format = cases[i].text;
        size_t at = 0;
        for (const char *c = format; *c; c++) { /* %.85s and %s alone */
            if (*c != '%') {
                text[at++] = *c;
                continue;
            }
            const bool line = c[1] == '.';
            at += (size_t)snprintf(text + at, sizeof text - at, "%.*s", line ? 85 : 512, lines);
            c += line ? 4 : 1;
        }
        store("SHA256SUMS", text, at);
        check_refused(small.net, i == 5 ? CXN_E_LIMIT : CXN_E_FORMAT, cases[i].sentence);
    }
    cxn_free(sums.data);
    cxn_free(json.data);
}

static void check_state(const char *text, const char *sentence)
{
    char whole[256];
    snprintf(whole, sizeof whole, "state.json: %s", sentence);
    store("state.json", text, strlen(text));
    correct_sums();
    check_refused(small.net, CXN_E_FORMAT, whole);
}

static void test_wrong_state(void **state)
{
    (void)state;
    static const char as_written[] = "{\"checkpoint\":1,\"step\":3,\"epoch\":0,\"best_auc\":null,"
                                     "\"best_sha256\":null,\"log_bytes\":0,\"moments\":2,"
                                     "\"average\":true,\"state\":{}}";
    static const struct { const char *from, *to, *bad; } edits[] = {
        { "\"checkpoint\":1", "\"checkpoint\":2", "checkpoint" },
        { "\"checkpoint\":1", "\"checkpoint\":1.0", "checkpoint" },
        { "\"step\":3", "\"step\":-3", "step" },
        { "\"step\":3", "\"step\":9007199254740993", "step" },
        { "\"step\":3", "\"stop\":3", "step" },
        { "\"epoch\":0", "\"epoch\":\"0\"", "epoch" },
        { "\"best_auc\":null", "\"best_auc\":1.25", "best_auc" },
        { "\"best_auc\":null", "\"best_auc\":true", "best_auc" },
        { "\"best_sha256\":null", "\"best_sha256\":\"0\"", "best_sha256" },
        { "\"best_sha256\":null", "\"best_sha256\":0", "best_sha256" },
        { "\"log_bytes\":0", "\"log_bytes\":null", "log_bytes" },
        { "\"moments\":2", "\"moments\":3", "moments" },
        { "\"average\":true", "\"average\":1", "average" },
        { "\"state\":{}", "\"state\":[]", "state" },
    };
    write_case(&small);
    for (size_t i = 0; i < CXN_COUNTOF(edits); i++) {
        char text[512], sentence[160];
        const char *at = strstr(as_written, edits[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - as_written), as_written, edits[i].to,
                 at + strlen(edits[i].from));
        snprintf(sentence, sizeof sentence, "'%s' is missing or not as a checkpoint of form 1 has "
                                            "it", edits[i].bad);
        check_state(text, sentence);
    }
    check_state("[]", "JSON: expected an object");
    check_state("{\"a\":1,\"a\":1}", "JSON: byte 10: duplicate object key near '\"a\"'");
    check_state("[[[[[[[[[[[[[[[[[", "JSON: byte 16: nested more than 16 deep");
    char more[512];
    snprintf(more, sizeof more, "%.*s,\"more\":1}", (int)strlen(as_written) - 1, as_written);
    check_state(more, "10 keys, expected 9");
    store("state.json", as_written, strlen(as_written));
    correct_sums();
    struct cxn_error err;
    assert_int_equal(open_status(small.net, &err), CXN_OK);
}

/* Files that are whole but are not of one checkpoint of this network. */
static void test_wrong_files(void **state)
{
    (void)state;
    struct checkpoint_case other;
    const struct cxn_net_config config = {
        .growth = 4, .layers = { 2, 3, 2, 2 }, .stem = 8, .bottleneck = 2, .classes = 13
    };
    write_case(&small);
    unlink(in_folder("average.safetensors"));
    correct_sums();
    check_refused(small.net, CXN_E_FORMAT,
                  "state.json tells of an average, SHA256SUMS of no file for it");
    write_case(&small);
    struct cxn_bytes average = load("average.safetensors");
    store("moments.safetensors", average.data, average.size);
    cxn_free(average.data);
    correct_sums();
    char sentence[200];
    size_t params = 0;
    for (size_t i = 0; i < small.net->tensor_count; i++)
        params += cxn_role_is_param(small.net->tensors[i].role);
    snprintf(sentence, sizeof sentence, "moments.safetensors: %zu tensors, expected %zu",
             small.net->tensor_count, 2 * params);
    check_refused(small.net, CXN_E_FORMAT, sentence);
    unlink(in_folder("moments.safetensors"));
    correct_sums();
    check_refused(small.net, CXN_E_FORMAT,
                  "state.json tells of 2 blocks of moments, SHA256SUMS of no file for them");
    assert_true(checkpoint_case_open(&other, &config, CXN_NUMBER_F32, 3));
    write_case(&small);
    char text[400];
    snprintf(text, sizeof text, "weights.safetensors: tensor %zu is 'classifier.weight' F32 "
                                "[14][%u], expected 'classifier.weight' F32 [13][%u]",
             small.net->tensor_count - 2, cxn_net_find(small.net, "classifier.weight")->dims[1],
             cxn_net_find(small.net, "classifier.weight")->dims[1]);
    check_refused(other.net, CXN_E_FORMAT, text);
    checkpoint_case_close(&other);
    unlink(in_folder("weights.safetensors"));
    struct cxn_error err;
    assert_int_equal(open_status(small.net, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "weights.safetensors': No such file or directory"));
    store("weights.safetensors", "PK\3\4", 4); /* a model of another form is none here */
    correct_sums();
    assert_int_equal(open_status(small.net, &err), CXN_E_FORMAT);
}

static void test_wrong_values(void **state)
{
    (void)state;
    struct cxn_checkpoint c;
    struct cxn_error err = { "" };
    float *into = malloc(small.net->float_count * sizeof *into);
    const struct cxn_span to = { .data = into, .count = small.net->float_count };
    write_case(&small);
    struct cxn_bytes bytes = load("weights.safetensors");
    memset(bytes.data + bytes.size - 4, 0xff, 4);
    store("weights.safetensors", bytes.data, bytes.size);
    correct_sums();
    assert_int_equal(cxn_checkpoint_open(&c, &nothing, small.net, folder, NULL), CXN_OK);
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_WEIGHTS, 0, &to, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "/weights.safetensors: tensor 'classifier.bias': element 13 "
                                     "is "));
    cxn_checkpoint_close(&c);
    cxn_free(bytes.data);
    free(into);
}

static void test_wrong_reads(void **state)
{
    (void)state;
    struct cxn_checkpoint c;
    double number = 0;
    struct cxn_span to = { .data = &number, .count = small.net->param_count };
    write_case(&small);
    assert_int_equal(cxn_checkpoint_open(&c, &nothing, small.net, folder, NULL), CXN_OK);
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_MOMENT, 2, &to, NULL), CXN_E_ARG);
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_GRADIENT, 0, &to, NULL), CXN_E_ARG);
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_WEIGHTS, 0, &to, NULL), CXN_E_ARG);
    to.number = CXN_NUMBER_F64;
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_MOMENT, 0, &to, NULL), CXN_E_ARG);
    cxn_checkpoint_close(&c);
    assert_int_equal(cxn_checkpoint_read(&c, CXN_BLOCK_WEIGHTS, 0, &to, NULL), CXN_E_ARG);
}

/* ---- memory -------------------------------------------------------------------------------- */

static enum cxn_status write_with(struct cxn_mem *mem)
{
    const struct cxn_env env = { .mem = mem };
    empty_folder();
    return cxn_checkpoint_write(&env, folder, &small.content, NULL);
}

static enum cxn_status open_with(struct cxn_mem *mem)
{
    const struct cxn_env env = { .mem = mem };
    struct cxn_checkpoint c;
    const enum cxn_status status = cxn_checkpoint_open(&c, &env, small.net, folder, NULL);
    cxn_checkpoint_close(&c);
    return status;
}

static void test_memory_faults(void **state)
{
    (void)state;
    enum cxn_status (*const works[])(struct cxn_mem *) = { write_with, open_with };
    for (size_t k = 0; k < CXN_COUNTOF(works); k++) {
        for (int after = 0; after < 2; after++) {
            enum cxn_status status = CXN_E_NOMEM;
            size_t at = 1;
            if (works[k] == open_with) write_case(&small);
            for (; status != CXN_OK; at++) {
                struct cxn_mem mem;
                cxn_mem_init(&mem, 0);
                mem.fail_at = at;
                mem.fail_after = after == 1;
                status = works[k](&mem);
                assert_int_equal(mem.blocks, 0);
                assert_true(status == CXN_E_NOMEM || status == CXN_OK);
            }
            assert_true(at > 6);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && checkpoint_case_open(&small, &checkpoint_config, CXN_NUMBER_F32, 5)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    empty_folder();
    checkpoint_case_close(&small);
    return rmdir(folder); /* fails where something else was left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_same_bytes),    cmocka_unit_test(test_models),
        cmocka_unit_test(test_wrong_content), cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_large_state),   cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_every_byte),    cmocka_unit_test(test_wrong_sums),
        cmocka_unit_test(test_wrong_state),   cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_wrong_values),  cmocka_unit_test(test_wrong_reads),
        cmocka_unit_test(test_memory_faults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
