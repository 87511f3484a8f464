/* SPDX-License-Identifier: Apache-2.0 */
/* The zip form of .pth: the container's hostile patterns. */
#include "weights_case.h"

#include <string.h>

/* A tensor of data/0, which holds four floats. */
#define TENSOR(sizes, strides) \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK\4tQK\0" sizes strides "\x89" "ccollections\nOrderedDict\n)RtR"

static const char pickle[] = "\x80\2}X\1\0\0\0w" TENSOR("K\4\x85", "K\1\x85") "s.";
static const char floats[16];

enum { ENTRIES = 4 };

/* A file that is read without complaint; tests change one thing. */
static void fill(struct case_entry e[ENTRIES])
{
    const struct case_entry entries[ENTRIES] = {
        { .name = "a/data.pkl", .data = pickle, .size = sizeof pickle - 1 },
        { .name = "a/byteorder", .data = "little", .size = 6 },
        { .name = "a/data/0", .data = floats, .size = sizeof floats },
        { .name = "a/version", .data = "3\n", .size = 2 },
    };
    memcpy(e, entries, sizeof entries);
}

static void expect(const struct case_entry *e, size_t count, enum cxn_status status,
                   const char *text)
{
    struct case_bytes b = case_zip(e, count);
    case_expect(&b, status, text);
    put_free(&b);
}

static void test_accepted(void **state)
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    expect(e, ENTRIES, CXN_OK, "");
    e[1].data = NULL; /* byteorder may be absent, as before torch 2.0 */
    e[1].size = 0;
    e[1].name = "a/other";
    expect(e, ENTRIES, CXN_OK, "");
}

static void test_storage_of_another_size(void **state) /* 1 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[2].size = 12;
    expect(e, ENTRIES, CXN_E_FORMAT, "entry data/0 has 12 bytes, the pickle says 4 F32");
    e[2].size = 20; /* more than is used */
    e[2].data = "01234567890123456789";
    expect(e, ENTRIES, CXN_E_FORMAT, "entry data/0 has 20 bytes, the pickle says 4 F32");
    fill(e);
    e[2].name = "a/data/1";
    expect(e, ENTRIES, CXN_E_FORMAT, "no entry data/0");
}

static void test_local_header_differs(void **state) /* 10 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[2].local_name = "a/data/7";
    expect(e, ENTRIES, CXN_E_FORMAT, "zip: entry 'a/data/0' at byte");
    fill(e);
    e[2].local_name = "a/data/00";
    expect(e, ENTRIES, CXN_E_FORMAT, "another name in its local header");
    fill(e);
    e[2].size_change = 1;
    expect(e, ENTRIES, CXN_E_FORMAT, "sizes differ");
}

static void test_flags(void **state) /* 11 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    for (unsigned bit = 0; bit < 16; bit++) {
        fill(e);
        e[2].flags = (uint16_t)(1u << bit);
        if (bit == 11) expect(e, ENTRIES, CXN_OK, "");
        else if (bit == 3) expect(e, ENTRIES, CXN_E_FORMAT, "does not end where");
        else expect(e, ENTRIES, CXN_E_FORMAT, "encrypted, or with flags");
    }
}

static void test_checksums(void **state) /* 12 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[0].crc_change = 1;
    expect(e, ENTRIES, CXN_E_FORMAT, "local header and directory differ");
    /* the content changed, both headers as before */
    fill(e);
    struct case_bytes b = case_zip(e, ENTRIES);
    b.data[30 + 10 + 8] = 'v'; /* the name of the tensor within the pickle */
    case_expect(&b, CXN_E_FORMAT, "its CRC-32 is wrong");
    put_free(&b);
    /* of a storage it is seen when the values are read */
    b = case_zip(e, ENTRIES);
    struct cxn_tensors list;
    struct cxn_error err = { "" };
    float values[4];
    const struct cxn_source source = cxn_source_memory(b.data, b.size);
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, &err), CXN_OK);
    assert_int_equal(cxn_tensors_read_f32(&list, &source, 0, values, &err), CXN_OK);
    list.records[list.items[0].record].checked = false;
    b.data[list.items[0].offset_bytes + 5] ^= 1;
    assert_int_equal(cxn_tensors_read_f32(&list, &source, 0, values, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "tensor 'w': 16 bytes at byte"));
    assert_non_null(strstr(err.text, "CRC-32"));
    cxn_tensors_close(&list);
    put_free(&b);
}

static void test_names_twice(void **state) /* 13 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[1].name = "a/data/0";
    expect(e, ENTRIES, CXN_E_FORMAT, "its name is there twice");
    fill(e);
    e[1] = e[0];
    expect(e, ENTRIES, CXN_E_FORMAT, "its name is there twice");
    e[1].name = "b/data.pkl";
    expect(e, ENTRIES, CXN_E_FORMAT, "two pickles, 'a/data.pkl' and 'b/data.pkl'");
    fill(e);
    e[0].name = "data.pkl";
    expect(e, ENTRIES, CXN_E_FORMAT, "a zip without NAME/data.pkl");
}

static void test_compressed(void **state) /* 15 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[2].method = 8;
    expect(e, ENTRIES, CXN_E_FORMAT, "compressed, as TorchScript does");
}

static void test_overlaps(void **state) /* 16 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    /* the second entry quoted within the first, as in a zip bomb */
    char quoted[256];
    struct case_bytes inner = case_zip(&e[2], 1);
    assert_true(inner.size < sizeof quoted);
    memcpy(quoted, inner.data, inner.size);
    const struct case_entry outer[2] = {
        { .name = "a/data.pkl", .data = quoted, .size = inner.size },
        { .name = "a/data/0", .data = floats, .size = sizeof floats,
          .offset_change = (uint32_t)-(int)inner.size },
    };
    expect(outer, 2, CXN_E_FORMAT, "overlaps what follows it");
    put_free(&inner);
    fill(e); /* two entries share one place */
    struct case_bytes b = case_zip(e, ENTRIES);
    const size_t second = 30 + 10 + sizeof pickle - 1;
    for (size_t at = 0; at + 46 < b.size; at++)
        if (memcmp(b.data + at, "PK\1\2", 4) == 0 && b.data[at + 42] == second)
            memset(b.data + at + 42, 0, 4);
    case_expect(&b, CXN_E_FORMAT, "zip: entry");
    put_free(&b);
}

static void expect_tail(const void *tail, size_t size, const char *text)
{
    struct case_entry e[ENTRIES];
    fill(e);
    struct case_bytes b = case_zip(e, ENTRIES);
    put(&b, tail, size);
    case_expect(&b, CXN_E_FORMAT, text);
    put_free(&b);
}

static void test_end_record(void **state) /* 17 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    struct case_bytes b = case_zip(e, ENTRIES);
    const size_t end = b.size - 22;
    static const struct {
        size_t at;
        uint8_t value;
        const char *text;
    } changes[] = {
        { 0, 'Q', "no end record" },       { 4, 1, "several disks" },
        { 6, 1, "several disks" },         { 8, 3, "several disks" },
        { 20, 1, "with a comment" },       { 12, 1, "expected to end at byte" },
        { 15, 0xff, "expected to end" },   { 16, 1, "expected to end" },
        { 19, 0xff, "expected to end" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(changes); i++) {
        const uint8_t old = b.data[end + changes[i].at];
        b.data[end + changes[i].at] = changes[i].value;
        case_expect(&b, CXN_E_FORMAT, changes[i].text);
        b.data[end + changes[i].at] = old;
    }
    b.data[end + 8] = b.data[end + 10] = 3; /* fewer entries than the directory has */
    case_expect(&b, CXN_E_FORMAT, "directory longer than its 3 entries");
    b.data[end + 8] = b.data[end + 10] = 5;
    case_expect(&b, CXN_E_FORMAT, "5 entries do not fit a directory");
    memset(b.data + end + 8, 0xff, 4);
    case_expect(&b, CXN_E_FORMAT, "65535 entries do not fit");
    memset(b.data + end + 8, 0, 4);
    case_expect(&b, CXN_E_FORMAT, "no entries");
    expect_tail("x", 1, "no end record in the last 22 bytes");
    expect_tail(b.data + end, 22, "expected to end at byte"); /* a second end record */
    put_free(&b);
}

static void test_data_in_front(void **state) /* 17 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    struct case_bytes front = { 0 };
    fill(e);
    struct case_bytes b = case_zip(e, ENTRIES);
    put(&front, "PK\3\4", 4);
    put(&front, b.data, b.size);
    case_expect(&front, CXN_E_FORMAT, "expected to end at byte");
    put_free(&front);
    put_free(&b);
}

static void test_entries_not_listed(void **state)
{
    (void)state;
    struct case_entry e[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++) {
        fill(e);
        e[i].hidden = true;
        expect(e, ENTRIES, CXN_E_FORMAT,
               i == 0 ? "the first one, expected at byte 0" : "does not end where the next");
    }
}

static void test_descriptors(void **state)
{
    (void)state;
    struct cxn_bytes bytes = case_golden("tiny.pth");
    const struct case_bytes file = { bytes.data, bytes.size, 0 };
    size_t found = 0;
    for (size_t at = 0; at + 16 < bytes.size && found < 3; at++) {
        if (memcmp(bytes.data + at, "PK\7\10", 4) != 0) continue;
        found++;
        for (size_t i = 4; i < 16; i++) { /* checksum and two sizes */
            bytes.data[at + i] ^= 1;
            case_expect(&file, CXN_E_FORMAT, "descriptor and directory differ");
            bytes.data[at + i] ^= 1;
        }
    }
    assert_int_equal(found, 3);
    cxn_free(bytes.data);
}

/* The directory of b says 0xffffffff for a size, and the extra field says more. */
static void test_zip64_extra(void **state) /* 17 */
{
    (void)state;
    static const struct {
        const char *extra;
        size_t size;
        enum cxn_status status;
    } extras[] = {
        { "\1\0\x10\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0", 20, CXN_OK },
        { "FB\2\0zz\1\0\x10\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0", 26, CXN_OK },
        { NULL, 0, CXN_E_FORMAT }, /* none */
        { "\1\0\x8\0\x10\0\0\0\0\0\0\0", 12, CXN_E_FORMAT }, /* too short */
        { "\1\0\x10\0\x10\0\0\0\0\0\0\0", 12, CXN_E_FORMAT }, /* past its end */
        { "\1\0\x18\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28, CXN_E_FORMAT },
        { "\1\0\x10", 3, CXN_E_FORMAT },
        { "\1\0\x10\0\x11\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0", 20, CXN_E_FORMAT }, /* other size */
        { "\1\0\x10\0\xff\xff\xff\xff\xff\xff\xff\xff\x10\0\0\0\0\0\0\0", 20, CXN_E_FORMAT },
        { "\1\0\x10\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\1\0\0\0", 24, CXN_E_FORMAT }, /* twice */
    };
    for (size_t i = 0; i < CXN_COUNTOF(extras); i++) {
        struct case_entry e[ENTRIES];
        fill(e);
        e[2].size_change = (uint32_t)-1 - (uint32_t)e[2].size;
        e[2].extra = extras[i].extra;
        e[2].extra_size = extras[i].size;
        expect(e, ENTRIES, extras[i].status, extras[i].status == CXN_OK ? "" : "zip: entry");
    }
}

static void test_strange_names(void **state) /* 18 */
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[1].name = "../../etc/passwd"; /* a key like any other */
    expect(e, ENTRIES, CXN_OK, "");
    e[1].name = "\x1b[31m\n";
    e[1].method = 8;
    expect(e, ENTRIES, CXN_E_FORMAT, "entry '\\x1b[31m\\x0a' at byte");
    char longest[514];
    memset(longest, 'n', sizeof longest);
    longest[513] = '\0';
    fill(e);
    e[1].name = longest;
    expect(e, ENTRIES, CXN_E_LIMIT, "a name of 513 bytes");
    e[1].name = "";
    expect(e, ENTRIES, CXN_E_LIMIT, "a name of 0 bytes");
}

static void test_records(void **state) /* 20 */
{
    (void)state;
    static const struct {
        size_t entry;
        const char *content, *text;
    } cases[] = {
        { 1, "big", "byteorder 'big', only little is read" },
        { 3, "0\n", "version '0', expected 1..10" },
        { 3, "99\n", "version '99'" },
        { 3, "", "version ''" },
        { 3, "3x", "version '3x'" },
        { 3, "-3", "version '-3'" },
        { 3, "00000000003", "version '00000000003'" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct case_entry e[ENTRIES];
        fill(e);
        e[cases[i].entry].data = cases[i].content;
        e[cases[i].entry].size = strlen(cases[i].content);
        expect(e, ENTRIES, CXN_E_FORMAT, cases[i].text);
    }
}

static void test_pickle_with_a_tail(void **state)
{
    (void)state;
    struct case_entry e[ENTRIES];
    fill(e);
    e[0].size = sizeof pickle; /* the final NUL */
    expect(e, ENTRIES, CXN_E_FORMAT, "data.pkl goes on behind its end");
}

#define PICKLE(bytes, text) { bytes, sizeof(bytes) - 1, text }

static void test_other_objects(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        PICKLE("\x80\2K\1.", "something else than a dict"),
        PICKLE("\x80\2}U\5epochK\1s.", "'epoch' is not a tensor"),
        PICKLE("\x80\2}K\1K\1s.", "a key of the state_dict is not a string"),
        PICKLE("\x80\2}.", "an empty state_dict"),
        PICKLE("\x80\2}(U\12state_dict}U\5model}u.", "both 'state_dict' and 'model'"),
        PICKLE("\x80\2}(U\5model}U\5model}u.", "key 'model' is there twice"),
        PICKLE("\x80\2}q\0U\5modelh\0s.", "over 4 levels"), /* holds itself */
        PICKLE("\x80\2}(U\1w" TENSOR("K\4\x85", "K\1\x85") "q\1U\1wh\1u.",
               "tensor 'w' is there twice"),
        PICKLE("\x80\2}U\0" TENSOR("K\4\x85", "K\1\x85") "s.", "an empty name"),
        PICKLE("\x80\2}U\2w\0" TENSOR("K\4\x85", "K\1\x85") "s.", "holds a NUL byte"),
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct case_entry e[ENTRIES];
        fill(e);
        e[0].data = cases[i].bytes;
        e[0].size = cases[i].size;
        expect(e, ENTRIES, CXN_E_FORMAT, cases[i].text);
    }
}

static void test_views(void **state) /* 7 */
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text; /* "": it can be read */
    } cases[] = {
        PICKLE("\x80\2}U\1w" TENSOR("K\2K\2\x86", "K\1K\2\x86") "s.", ""),
        PICKLE("\x80\2}U\1w" TENSOR("K\1K\4\x86", "K\0K\1\x86") "s.", ""),
        PICKLE("\x80\2}U\1w" TENSOR("K\0\x85", "K\7\x85") "s.", ""),
        PICKLE("\x80\2}U\1w" TENSOR("K\4\x85", "K\0\x85") "s.", "repeated elements"),
        PICKLE("\x80\2}U\1w" TENSOR("K\2\x85", "K\2\x85") "s.", "a view with gaps"),
        PICKLE("\x80\2}U\1w" TENSOR("K\2K\2\x86", "K\1K\1\x86") "s.", "repeated elements"),
        PICKLE("\x80\2}U\1w" TENSOR("J\xff\xff\xff\x7f\x85", "K\0\x85") "s.", "repeated"),
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct case_entry e[ENTRIES];
        struct cxn_tensors list;
        struct cxn_error err = { "" };
        float values[4];
        fill(e);
        e[0].data = cases[i].bytes;
        e[0].size = cases[i].size;
        e[2].data = "\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40"; /* 0 1 2 3 */
        struct case_bytes b = case_zip(e, ENTRIES);
        const struct cxn_source source = cxn_source_memory(b.data, b.size);
        assert_int_equal(cxn_tensors_open(&list, NULL, &source, &err), CXN_OK);
        const enum cxn_status status = cxn_tensors_read_f32(&list, &source, 0, values, &err);
        assert_int_equal(status, cases[i].text[0] ? CXN_E_FORMAT : CXN_OK);
        if (!strstr(err.text, cases[i].text)) fail_msg("view %zu: '%s'", i, err.text);
        if (i == 0) assert_memory_equal(values, ((float[]){ 0, 2, 1, 3 }), 16); /* transposed */
        cxn_tensors_close(&list);
        put_free(&b);
    }
}

static void test_many_entries(void **state)
{
    (void)state;
    enum { MANY = 65534 };
    static struct case_entry entries[MANY];
    static char names[MANY][8];
    for (size_t i = 0; i < MANY; i++) {
        static const char digits[] = "0123456789abcdef";
        for (int d = 0; d < 4; d++) names[i][d] = digits[i >> (4 * d) & 15];
        entries[i] = (struct case_entry){ .name = names[i], .data = "" };
    }
    expect(entries, MANY, CXN_E_FORMAT, "a zip without NAME/data.pkl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_storage_of_another_size),
        cmocka_unit_test(test_local_header_differs),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_names_twice),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_end_record),
        cmocka_unit_test(test_data_in_front),
        cmocka_unit_test(test_entries_not_listed),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_zip64_extra),
        cmocka_unit_test(test_strange_names),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_pickle_with_a_tail),
        cmocka_unit_test(test_other_objects),
        cmocka_unit_test(test_many_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
