/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: the hostile patterns, and that what is written can be read. */
#include "weights_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/json_scan.h"
#include "model/safetensors.h"

struct header_case {
    const char *header;
    size_t size;
    size_t data_size;
    enum cxn_status status;
    const char *text;
};

#define GOOD(header, data_size) { header, sizeof(header) - 1, data_size, CXN_OK, "" }
#define BAD(header, data_size, text) \
    { header, sizeof(header) - 1, data_size, CXN_E_FORMAT, text }
#define F32(name, shape, offsets) \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"

static const struct header_case accepted[] = {
    GOOD("{}", 0),
    GOOD("{" F32("a", "2", "0,8") "}", 8),
    GOOD("{" F32("a", "2", "8,16") "," F32("b", "1,2", "0,8") "}   ", 16), /* any order, padding */
    GOOD("{" F32("a", "0", "0,0") "," F32("b", "2", "0,8") "," F32("c", "0,3", "8,8") "}", 8),
    GOOD("{" F32("a", "", "0,4") "}", 4), /* a scalar */
    GOOD("{\"__metadata__\":{\"a\":\"b\"}," F32("a", "2", "0,8") "}", 8),
    GOOD("{\"m\":{\"data_offsets\": [0, 2], \"shape\" :[1] , \"dtype\":\"BF16\"}}", 2),
    GOOD("{\"x\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
         F32("a", "1", "3,7") "}", 7),
    GOOD("{" F32("\\u00e9\\ud83e\\ude7b", "2", "0,8") "}", 8),
};

static const struct header_case refused[] = {
    /* 23: places */
    BAD("{" F32("a", "2", "0,8") "," F32("b", "2", "4,12") "}",
        12, "'b' begins at byte 4 of the data, within another"),
    BAD("{" F32("a", "2", "0,8") "," F32("b", "2", "0,8") "}", 8, "within another tensor"),
    BAD("{" F32("a", "1", "0,4") "," F32("b", "1", "8,12") "}", 12, "behind a hole"),
    BAD("{" F32("a", "1", "4,8") "}", 8, "behind a hole"),
    BAD("{" F32("a", "2", "0,8") "}", 9, "the tensors take 8 bytes, the file has 9"),
    BAD("{" F32("a", "2", "0,8") "}", 7, "the tensors take 8 bytes, the file has 7"),
    BAD("{" F32("a", "2", "8,0") "}", 8, "rising integers"),
    BAD("{" F32("a", "2", "0,4") "}", 4, "do not fit shape and dtype"),
    BAD("{" F32("a", "2", "0") "}", 8, "rising integers"),
    BAD("{" F32("a", "2", "0,8,8") "}", 8, "rising integers"),
    BAD("{}", 1, "the tensors take 0 bytes"),
    BAD("{" F32("a", "0", "0,0") "," F32("b", "2", "0,8") "," F32("c", "0", "4,4") "}",
        8, "within another"),
    /* 24: products */
    BAD("{" F32("a", "4194305,4194305,211106198978564", "0,16") "}", 16, "does not fit 64 bits"),
    BAD("{" F32("a", "9223372036854775807", "0,8") "}", 8, "does not fit 64 bits"),
    BAD("{" F32("a", "1,1,1,1,1,1,1,1,2", "0,8") "}", 8, "not up to 8 integers"),
    /* 25: twice */
    BAD("{" F32("a", "1", "0,4") "," F32("a", "1", "4,8") "}", 8, "duplicate object key"),
    BAD("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[1],\"data_offsets\":[0,8]}}",
        8, "duplicate object key"),
    BAD("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate object key"),
    BAD("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "duplicate object key"),
    /* 26: numbers, types, bytes */
    BAD("{" F32("a", "1e3", "0,8") "}", 8, "byte 29: not a plain non-negative integer"),
    BAD("{" F32("a", "1.0", "0,4") "}", 4, "not a plain"),
    BAD("{" F32("a", "-1", "0,4") "}", 4, "expected a string, a non-negative integer"),
    BAD("{" F32("a", "0", "-0,0") "}", 0, "expected a string, a non-negative integer"),
    BAD("{" F32("a", "1e400", "0,4") "}", 4, "not a plain"),
    BAD("{" F32("a", "00", "0,0") "}", 0, "not a plain"),
    BAD("{" F32("a", "10000000000000000000", "0,4") "}", 4, "not a plain"),
    BAD("{" F32("a", "9999999999999999999", "0,4") "}", 4, "too big integer"),
    BAD("{" F32("a", "\"1\"", "0,4") "}", 4, "shape is not"),
    BAD("{" F32("a", "true", "0,4") "}", 4, "expected a string"),
    BAD("{" F32("a", "[1]", "0,4") "}", 4, "nested more than 3 deep"),
    BAD("{\"a\":{\"dtype\":\"F32\\u0000\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\\u0000"),
    BAD("{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        4, "unknown dtype 'f32'"),
    BAD("{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "unknown dtype 'F4'"),
    BAD("{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected dtype, shape"),
    BAD("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}",
        4, "and nothing else"),
    BAD("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "expected dtype, shape"),
    BAD("{\"a\":{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[0,4]}}", 4, "shape is not"),
    BAD("{\"a\":[]}", 0, "expected dtype, shape"),
    BAD("\xef\xbb\xbf{}", 0, "does not begin with '{'"),
    BAD(" {}", 0, "does not begin with '{'"),
    BAD("[]", 0, "does not begin with '{'"),
    BAD("{\"\xff\":{}}", 0, "unable to decode byte 0xff"),
    BAD("{\"\\ud800\":{}}", 0, "invalid Unicode"),
    BAD("{" F32("a\\u0000b", "1", "0,4") "}", 4, "\\u0000"),
    BAD("{" F32("", "1", "0,4") "}", 4, "an empty name"),
    BAD("{}x", 0, "byte 2: expected a string"),
    BAD("{}{}", 0, "end of file expected"),
    BAD("{\"a\":{}", 0, "safetensors: header"),
    BAD("{\"a", 0, "safetensors: header"),
    BAD("{\"a\\", 0, "safetensors: header"),
    BAD("{\0}", 0, "byte 1: expected a string"),
    BAD("{\"a\":1\0}", 0, "expected a string"),
    /* 27: metadata */
    BAD("{\"__metadata__\":{\"a\":[[[[[[[[\"]]]]]]]]}}", 0, "nested more than 3 deep"),
    BAD("{\"__metadata__\":{\"a\":1}}", 0, "'a' is not a string"),
    BAD("{\"__metadata__\":{\"a\":{}}}", 0, "'a' is not a string"),
    BAD("{\"__metadata__\":\"a\"}", 0, "__metadata__ is not an object"),
};

static void run_cases(const struct header_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct case_bytes b =
            case_safetensors(cases[i].header, cases[i].size, cases[i].data_size);
        case_expect(&b, cases[i].status, cases[i].text);
        put_free(&b);
    }
}

static void test_accepted(void **state)
{
    (void)state;
    run_cases(accepted, CXN_COUNTOF(accepted));
}

static void test_refused(void **state)
{
    (void)state;
    run_cases(refused, CXN_COUNTOF(refused));
}

static void test_header_lengths(void **state) /* 21, 22 */
{
    (void)state;
    static const uint64_t lengths[] = { 1, 7, 100000001, (uint64_t)1 << 31, UINT32_MAX,
                                        (uint64_t)1 << 40, (uint64_t)1 << 63, UINT64_MAX };
    for (size_t i = 0; i < CXN_COUNTOF(lengths); i++) {
        struct case_bytes b = { 0 };
        put_number(&b, lengths[i], 8);
        case_expect(&b, CXN_E_FORMAT, "");
        put(&b, "{}", 2);
        case_expect(&b, CXN_E_FORMAT, lengths[i] > 2 ? "a header of" : "");
        put_free(&b);
    }
    struct case_bytes b = { 0 };
    for (int size = 0; size <= 8; size++) { /* of length 0, too */
        case_expect(&b, CXN_E_FORMAT, "");
        put_number(&b, 0, 1);
    }
    put_free(&b);
}

static void test_large_header(void **state) /* 22 */
{
    (void)state;
    static char header[CXN_SAFETENSORS_HEADER_MAX_BYTES + 1] = "{}";
    memset(header + 2, ' ', sizeof header - 2);
    struct case_bytes b = case_safetensors(header, sizeof header - 1, 0);
    case_expect(&b, CXN_OK, "");
    put_free(&b);
    b = case_safetensors(header, sizeof header, 0);
    case_expect(&b, CXN_E_LIMIT, "a header of 4194305 bytes, at most 4194304");
    put_free(&b);
}

/* Headers that would make a JSON library take much memory: refused, or within the limits that
 * case_expect() checks. */
static void expect_repeated(const char *unit, size_t count, enum cxn_status status,
                            const char *text)
{
    struct case_bytes header = { 0 };
    put(&header, "{", 1);
    for (size_t i = 0; i < count; i++) {
        char item[128];
        const int n = snprintf(item, sizeof item, unit, i);
        put(&header, item, (size_t)n);
        put(&header, i + 1 < count ? "," : "}", 1);
    }
    struct case_bytes b = case_safetensors((const char *)header.data, header.size, 0);
    case_expect(&b, status, text);
    put_free(&b);
    put_free(&header);
}

static void test_many_entries(void **state) /* 27, 28 */
{
    (void)state;
    static const char entry[] =
        "\"%zx\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    expect_repeated(entry, CXN_TENSORS_MAX, CXN_OK, "");
    expect_repeated(entry, CXN_TENSORS_MAX + 1, CXN_E_LIMIT, "32769 tensors, at most 32768");
    expect_repeated(entry, 70000, CXN_E_LIMIT, "bytes of memory");
    expect_repeated(entry, 1000000, CXN_E_LIMIT, "a header of");
    expect_repeated("\"%zx\":{}", 250000, CXN_E_LIMIT, "bytes of memory");
    expect_repeated("\"%zx\":\"\"", 250000, CXN_E_LIMIT, "bytes of memory");
    static char deep[200000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"__metadata__\":{\"a\":", 21);
    struct case_bytes b = case_safetensors(deep, sizeof deep, 0);
    case_expect(&b, CXN_E_FORMAT, "nested more than 3 deep");
    put_free(&b);
}

/* 29: a file that shrinks after it was opened. */
static void test_shrinking_file(void **state)
{
    (void)state;
    char path[] = "/tmp/cxn-test-XXXXXX";
    const int fd = mkstemp(path);
    struct cxn_bytes bytes = case_golden("tiny.safetensors");
    struct cxn_file file;
    struct cxn_tensors list;
    struct cxn_error err = { "" };
    float values[1024];
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.size), (ssize_t)bytes.size);
    assert_int_equal(cxn_file_open(&file, path, &err), CXN_OK);
    const struct cxn_source source = cxn_source_file(&file, path);
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, &err), CXN_OK);
    assert_int_equal(ftruncate(fd, (off_t)bytes.size - 100), 0);
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; i < list.count && status != CXN_E_IO; i++)
        status = cxn_tensors_read_f32(&list, &source, i, values, &err);
    assert_int_equal(status, CXN_E_IO);
    assert_non_null(strstr(err.text, "bytes early"));
    cxn_tensors_close(&list);
    cxn_file_close(&file);
    cxn_free(bytes.data);
    close(fd);
    unlink(path);
}

/* ---- writing ------------------------------------------------------------------------------ */

static const struct cxn_env env;

static enum cxn_status write_to(const char *path, const struct cxn_out_tensor *tensors, size_t n,
                                struct cxn_error *err)
{
    static const struct cxn_out_pair metadata[] = { { "format", "pt" },
                                                    { "quote\"", "\xc3\xa9\n" } };
    const struct cxn_safetensors_content content = {
        .tensors = tensors, .tensor_count = n, .metadata = metadata,
        .metadata_count = CXN_COUNTOF(metadata)
    };
    return cxn_safetensors_write(&env, path, &content, err);
}

/* What was read, written once more: the same bytes. */
static void expect_same_again(const struct cxn_tensors *list, const struct cxn_bytes *file)
{
    struct cxn_out_tensor tensors[8];
    struct cxn_error err = { "" };
    struct cxn_bytes again;
    char path[] = "/tmp/cxn-test-XXXXXX";
    for (size_t i = 0; i < list->count; i++) {
        const struct cxn_tensor *t = &list->items[i];
        tensors[i] = (struct cxn_out_tensor){ .name = cxn_tensors_name(list, i),
                                              .dtype = t->dtype,
                                              .rank = t->rank,
                                              .data = file->data + t->offset_bytes };
        memcpy(tensors[i].dims, t->dims, sizeof t->dims);
    }
    close(mkstemp(path));
    assert_int_equal(write_to(path, tensors, list->count, &err), CXN_OK);
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &again, &err), CXN_OK);
    assert_int_equal(again.size, file->size);
    assert_memory_equal(again.data, file->data, file->size);
    cxn_free(again.data);
    unlink(path);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const uint8_t bytes[3] = { 1, 2, 3 };
    static const double doubles[2] = { 0.5, -2 };
    static const float floats[6] = { 0, 1, 2, 3, 4, 5 };
    static const struct cxn_out_tensor tensors[] = {
        { "bytes", CXN_DTYPE_U8, 1, { 3 }, bytes },
        { "floats", CXN_DTYPE_F32, 2, { 2, 3 }, floats },
        { "nothing", CXN_DTYPE_F32, 2, { 0, 3 }, floats },
        { "doubles", CXN_DTYPE_F64, 1, { 2 }, doubles },
        { "one", CXN_DTYPE_F32, 0, { 0 }, floats + 1 },
    };
    static const char want[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"quote\\\"\":\"\xc3\xa9\\n\"},"
        "\"doubles\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
        "\"floats\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
        "\"nothing\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[40,40]},"
        "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[40,44]},"
        "\"bytes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[44,47]}}";
    char path[] = "/tmp/cxn-test-XXXXXX";
    struct cxn_error err = { "" };
    struct cxn_bytes file;
    close(mkstemp(path));
    if (write_to(path, tensors, CXN_COUNTOF(tensors), &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &file, &err), CXN_OK);
    uint64_t length;
    memcpy(&length, file.data, 8);
    assert_int_equal(length % 8, 0);
    assert_true(length >= sizeof want - 1 && length < sizeof want - 1 + 8);
    assert_memory_equal(file.data + 8, want, sizeof want - 1);
    assert_memory_equal(file.data + 8 + length, doubles, sizeof doubles);
    assert_int_equal(file.size, 8 + length + 47);

    struct cxn_tensors list;
    float got[6];
    const struct cxn_source source = cxn_source_memory(file.data, file.size);
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, &err), CXN_OK);
    assert_int_equal(list.count, 5);
    assert_int_equal(list.pair_count, 2);
    assert_string_equal(cxn_tensors_text(&list, list.pairs[1].value_at), "\xc3\xa9\n");
    assert_int_equal(cxn_tensors_read_f32(&list, &source, 1, got, &err), CXN_OK);
    assert_memory_equal(got, floats, sizeof floats);
    expect_same_again(&list, &file);
    cxn_tensors_close(&list);
    cxn_free(file.data);
    unlink(path);
}

static void test_names_not_written(void **state)
{
    (void)state;
    static const float zero;
    char path[] = "/tmp/cxn-test-XXXXXX";
    struct cxn_error err = { "" };
    close(mkstemp(path));
    unlink(path);
    char longest[CXN_TENSOR_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[CXN_TENSOR_NAME_MAX + 1] = '\0';
    const char *const names[] = { "a", "", "\xff", "__metadata__", longest };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        const struct cxn_out_tensor two[2] = { { "a", CXN_DTYPE_F32, 0, { 0 }, &zero },
                                               { names[i], CXN_DTYPE_F32, 0, { 0 }, &zero } };
        assert_int_equal(write_to(path, two, 2, &err), CXN_E_ARG);
        assert_int_equal(access(path, F_OK), -1);
    }
    const struct cxn_out_tensor one = { "a", CXN_DTYPE_F32, 0, { 0 }, &zero };
    assert_int_equal(write_to("/nowhere/x", &one, 1, &err), CXN_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_large_header),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_shrinking_file),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_names_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
