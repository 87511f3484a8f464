/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy form of .pth: what its five pickles and its storages must agree on. */
#include "weights_case.h"

/* A part of the file; tests change one. */
struct part {
    const char *bytes;
    size_t size;
};
#define PART(content) { content, sizeof(content) - 1 }

enum { MAGIC, PROTOCOL, SYSTEM, OBJECT, KEYS, STORAGE, PARTS };

#define TENSOR(type, key, count) \
    "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n" type "\nU\1" key "U\6cuda:0" \
    "K" count "NtQK\0K\2\x85K\1\x85\x89" "ccollections\nOrderedDict\n)RtR"

static const struct part good[PARTS] = {
    [MAGIC] = PART("\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
    [PROTOCOL] = PART("\x80\2M\xe9\3."),
    [SYSTEM] = PART("\x80\2}U\15little_endian\x88s."),
    [OBJECT] = PART("\x80\2}(U\1w" TENSOR("FloatStorage", "7", "\2") "U\1v"
                    TENSOR("FloatStorage", "7", "\2") "u."),
    [KEYS] = PART("\x80\2]U\1" "7a."),
    [STORAGE] = PART("\2\0\0\0\0\0\0\0" "12345678"),
};

static void expect(size_t changed, struct part with, enum cxn_status status, const char *text)
{
    struct case_bytes b = { 0 };
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = i == changed ? &with : &good[i];
        put(&b, p->bytes, p->size);
    }
    case_expect(&b, status, text);
    put_free(&b);
}

#define EXPECT(changed, bytes, text) \
    expect(changed, (struct part)PART(bytes), CXN_E_FORMAT, text)

static void test_accepted(void **state)
{
    (void)state;
    expect(PARTS, good[0], CXN_OK, "");
}

static void test_first_pickles(void **state)
{
    (void)state;
    EXPECT(MAGIC, "\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18.", "not one of torch.save");
    EXPECT(MAGIC, "\x80\4\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "not one of torch.save");
    EXPECT(PROTOCOL, "\x80\2M\xea\3.", "protocol other than 1001");
    EXPECT(PROTOCOL, "\x80\2N.", "protocol other than 1001");
    EXPECT(SYSTEM, "\x80\2}U\15little_endian\x89s.", "not saved on a little-endian machine");
    EXPECT(SYSTEM, "\x80\2}U\15little_endianK\1s.", "not saved on a little-endian machine");
    EXPECT(SYSTEM, "\x80\2}.", "not saved on a little-endian machine");
    EXPECT(SYSTEM, "\x80\2].", "no description of the system");
    EXPECT(OBJECT, "\x80\2cos\nsystem\n.", "refused name os.system");
    EXPECT(OBJECT, "\x80\2N.", "'7' is used by no tensor");
}

static void test_keys(void **state)
{
    (void)state;
    EXPECT(KEYS, "\x80\2N.", "no list of storage keys");
    EXPECT(KEYS, "\x80\2]K\7a.", "a storage key that is not a string");
    EXPECT(KEYS, "\x80\2]U\1" "8a.", "storage '8' is used by no tensor");
    EXPECT(KEYS, "\x80\2].", "storage '7' is not in the file");
    EXPECT(KEYS, "\x80\2](U\1" "7U\1" "7e.", "truncated");
}

static void test_storages(void **state)
{
    (void)state;
    EXPECT(STORAGE, "\3\0\0\0\0\0\0\0" "123456789012", "'7' is described in two ways");
    EXPECT(STORAGE, "\1\0\0\0\0\0\0\0" "1234", "'7' is described in two ways");
    EXPECT(STORAGE, "\2\0\0\0\0\0\0\0" "1234567", "reaches beyond the file");
    EXPECT(STORAGE, "\2\0\0\0\0\0\0\0" "123456789", "1 bytes behind the last storage");
    EXPECT(STORAGE, "\xff\xff\xff\xff\xff\xff\xff\xff" "12345678", "reaches beyond the file");
    EXPECT(STORAGE, "\2\0\0\0\0\0\0\x40" "12345678", "reaches beyond the file"); /* 2^64 + 8 */
    EXPECT(STORAGE, "\2\0\0", "truncated");
    EXPECT(OBJECT, "\x80\2}(U\1w" TENSOR("FloatStorage", "7", "\2") "U\1v"
                   TENSOR("IntStorage", "7", "\2") "u.", "'7' is described in two ways");
    EXPECT(OBJECT, "\x80\2}(U\1w" TENSOR("FloatStorage", "7", "\2") "U\1v"
                   TENSOR("FloatStorage", "7", "\3") "u.", "'7' is described in two ways");
    EXPECT(OBJECT, "\x80\2}(U\1w" TENSOR("FloatStorage", "7", "\2") "U\1v"
                   TENSOR("FloatStorage", "8", "\2") "u.", "storage '8' is not in the file");
}

/* A key is compared with those of all other storages: its length is bounded. */
static void test_long_key(void **state)
{
    (void)state;
    enum { KEY_BYTES = 513 };
    static const char head[] = "\x80\2}U\1w" "ctorch._utils\n_rebuild_tensor_v2\n"
                               "((U\7storagectorch\nFloatStorage\nX";
    static const char tail[] = "U\3cpuK\2NtQK\0K\2\x85K\1\x85\x89"
                               "ccollections\nOrderedDict\n)RtRs.";
    struct case_bytes b = { 0 };
    put(&b, good[MAGIC].bytes, good[MAGIC].size);
    put(&b, good[PROTOCOL].bytes, good[PROTOCOL].size);
    put(&b, good[SYSTEM].bytes, good[SYSTEM].size);
    put(&b, head, sizeof head - 1);
    put(&b, "\1\2\0\0", 4); /* 513 */
    for (int i = 0; i < KEY_BYTES; i++) put(&b, "k", 1);
    put(&b, tail, sizeof tail - 1);
    case_expect(&b, CXN_E_LIMIT, "a storage key of 513 bytes, at most 512");
    put_free(&b);
}

/* One storage listed and stored twice: which of the two would count? */
static void test_storage_twice(void **state)
{
    (void)state;
    struct case_bytes b = { 0 };
    for (size_t i = 0; i < KEYS; i++) put(&b, good[i].bytes, good[i].size);
    put(&b, "\x80\2](U\1" "7U\1" "7e.", 12);
    put(&b, good[STORAGE].bytes, good[STORAGE].size);
    put(&b, good[STORAGE].bytes, good[STORAGE].size);
    case_expect(&b, CXN_E_FORMAT, "'7' is described in two ways");
    put_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),      cmocka_unit_test(test_first_pickles),
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_storages),
        cmocka_unit_test(test_storage_twice), cmocka_unit_test(test_long_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
