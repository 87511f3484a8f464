/* SPDX-License-Identifier: Apache-2.0 */
/* The restricted pickle reader: the hostile patterns, each refused where it begins. */
#include "weights_case.h"

#include <stdlib.h>
#include <string.h>

#include "model/pickle.h"

struct pickle_case {
    const char *name, *bytes;
    size_t size;
    enum cxn_status status;
    const char *text; /* part of the message */
};

#define CASE(name, bytes, status, text) { name, bytes, sizeof(bytes) - 1, status, text }

/* A storage of nine floats, and a function that makes tensors of it. */
#define STORAGE "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0X\3\0\0\0cpuK\tt"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define HOOKS "\x89" "ccollections\nOrderedDict\n)R"

static const struct pickle_case good[] = {
    CASE("a number", "\x80\2K\1.", CXN_OK, ""),
    CASE("a list that holds itself", "\x80\2]q\0h\0a.", CXN_OK, ""),
    CASE("a tensor", "\x80\2" REBUILD "(" STORAGE "QK\0K\3K\3\x86K\3K\1\x86" HOOKS "tR.",
         CXN_OK, ""),
    CASE("expanded", "\x80\2" REBUILD "(" STORAGE "QK\0K\3K\3\x86K\0K\0\x86" HOOKS "tR.",
         CXN_OK, ""),
    CASE("attributes of a dict", "\x80\2" "ccollections\nOrderedDict\n)R}X\1\0\0\0aK\1sb.", CXN_OK,
         ""),
    CASE("pairs of Python 2", "\x80\2" "ccollections\nOrderedDict\n(](](U\1aK\1eetR.", CXN_OK, ""),
    CASE("torch.Size", "\x80\2" "ctorch\nSize\n(K\1K\2t\x85R.", CXN_OK, ""),
};

static const struct pickle_case bad[] = {
    /* 2: items for the wrong type */
    CASE("set item of a list", "\x80\2]K\1K\2s.",
         CXN_E_FORMAT, "byte 7: items added to something that is not a dict"),
    CASE("append to a dict", "\x80\2}K\1a.", CXN_E_FORMAT, "not a list"),
    CASE("set items of a storage", "\x80\2" STORAGE "Q(K\1K\2u.", CXN_E_FORMAT, "not a dict"),
    CASE("append to a tuple", "\x80\2)K\1a.", CXN_E_FORMAT, "not a list"),
    CASE("key without value", "\x80\2}(K\1u.", CXN_E_FORMAT, "key without a value"),
    /* 3: names */
    CASE("os.system", "\x80\2" "cos\nsystem\nX\4\0\0\0true\x85R.",
         CXN_E_FORMAT, "byte 2: refused name os.system"),
    CASE("posix.system", "\x80\2" "cposix\nsystem\n.", CXN_E_FORMAT, "refused name posix.system"),
    CASE("builtins.eval", "\x80\2" "cbuiltins\neval\n.",
         CXN_E_FORMAT, "refused name builtins.eval"),
    CASE("__builtin__.exec", "\x80\2" "c__builtin__\nexec\n.", CXN_E_FORMAT, "refused name"),
    CASE("torch.jit", "\x80\2" "ctorch.jit._pickle\nbuild_intlist\n.",
         CXN_E_FORMAT, "whole pickled module"),
    CASE("torch.load", "\x80\2" "ctorch\nload\n.", CXN_E_FORMAT, "refused name torch.load"),
    CASE("module", "\x80\2" "ctorch.nn.modules.linear\nLinear\n.",
         CXN_E_FORMAT, "torch.save(model.state_dict()"),
    CASE("torch.cuda else", "\x80\2" "ctorch.cuda\ninit\n.",
         CXN_E_FORMAT, "refused name torch.cuda.init"),
    CASE("known name elsewhere", "\x80\2" "cevil\nOrderedDict\n.", CXN_E_FORMAT,
         "refused name evil.OrderedDict"),
    CASE("name with NUL", "\x80\2" "ctorch\0x\nSize\n.", CXN_E_FORMAT, "name without an end"),
    CASE("name without end", "\x80\2" "cos", CXN_E_FORMAT, "name without an end"),
    CASE("call of a type", "\x80\2" "ctorch\nFloatStorage\n)R.", CXN_E_FORMAT, "not a function"),
    CASE("call of a number", "\x80\2K\1)R.", CXN_E_FORMAT, "REDUCE of something"),
    CASE("call with a list", "\x80\2" "ccollections\nOrderedDict\n]R.",
         CXN_E_FORMAT, "with a tuple"),
    CASE("INST", "\x80\2(ios\nsystem\n.", CXN_E_FORMAT, "instruction 0x69"),
    CASE("OBJ", "\x80\2(o.", CXN_E_FORMAT, "instruction 0x6f"),
    CASE("NEWOBJ", "\x80\2" "ccollections\nOrderedDict\n)\x81.", CXN_E_FORMAT, "instruction 0x81"),
    CASE("EXT1", "\x80\2\x82\1.", CXN_E_FORMAT, "instruction 0x82"),
    CASE("STACK_GLOBAL", "\x80\2" "U\2osU\6system\x93.", CXN_E_FORMAT, "instruction 0x93"),
    CASE("protocol 4", "\x80\4K\1.", CXN_E_FORMAT, "protocol 4"),
    /* 4: persistent ids */
    CASE("id is a number", "\x80\2K\1Q.", CXN_E_FORMAT, "persistent id"),
    CASE("id is empty", "\x80\2)Q.", CXN_E_FORMAT, "persistent id"),
    CASE("id of ten", "\x80\2(K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1tQ.", CXN_E_FORMAT, "persistent id"),
    CASE("id of nested tuples", "\x80\2)\x85\x85\x85\x85\x85\x85Q.", CXN_E_FORMAT, "persistent id"),
    CASE("id of a module", "\x80\2(U\6moduleU\1aU\1aU\1atQ.", CXN_E_FORMAT, "persistent id"),
    CASE("type is a string", "\x80\2(U\7storageU\1fU\1" "0U\3cpuK\1tQ.",
         CXN_E_FORMAT, "persistent id"),
    CASE("type is a function", "\x80\2(U\7storage" "ctorch\nSize\nU\1" "0U\3cpuK\1tQ.",
         CXN_E_FORMAT, "persistent id"),
    CASE("negative size",
         "\x80\2(U\7storage" "ctorch\nFloatStorage\nU\1" "0U\3cpuJ\xff\xff\xff\xfftQ.",
         CXN_E_FORMAT, "persistent id"),
    CASE("a view of a storage", "\x80\2(U\7storage" "ctorch\nFloatStorage\nU\1" "0U\3cpuK\tU\1xtQ.",
         CXN_E_FORMAT, "persistent id"),
    /* 5: the stack and the memo */
    CASE("underflow", "\x80\2\x85.", CXN_E_FORMAT, "missing on the stack"),
    CASE("underflow at a mark", "\x80\2K\1(\x85.", CXN_E_FORMAT, "missing on the stack"),
    CASE("call across a mark", "\x80\2" "ccollections\nOrderedDict\n)(R.", CXN_E_FORMAT,
         "missing on the stack"),
    CASE("append across a mark", "\x80\2](K\1a.", CXN_E_FORMAT, "missing on the stack"),
    CASE("append at the bottom", "\x80\2]a.", CXN_E_FORMAT, "missing on the stack"),
    CASE("set item at the bottom", "\x80\2}K\1s.", CXN_E_FORMAT, "missing on the stack"),
    CASE("items without a list", "\x80\2(K\1e.", CXN_E_FORMAT, "missing on the stack"),
    CASE("no mark", "\x80\2K\1t.", CXN_E_FORMAT, "no mark"),
    CASE("memo 2^32-1", "\x80\2K\1r\xff\xff\xff\xff.", CXN_E_LIMIT, "memo number 4294967295"),
    CASE("get 2^32-1", "\x80\2j\xff\xff\xff\xff.",
         CXN_E_FORMAT, "memo number 4294967295 is not set"),
    CASE("get of unset", "\x80\2K\1q\5h\4.", CXN_E_FORMAT, "memo number 4 is not set"),
    CASE("put of nothing", "\x80\2q\1.", CXN_E_FORMAT, "nothing to remember"),
    CASE("two values left", "\x80\2K\1K\2.", CXN_E_FORMAT, "2 values"),
    CASE("nothing left", "\x80\2.", CXN_E_FORMAT, "0 values"),
    CASE("open mark", "\x80\2K\1(.", CXN_E_FORMAT, "1 open marks"),
    CASE("no STOP", "\x80\2K\1", CXN_E_FORMAT, "without STOP"),
    CASE("empty", "", CXN_E_FORMAT, "without STOP"),
    CASE("ends in a number", "\x80\2J\1\1", CXN_E_FORMAT, "ends within"),
    CASE("attributes of a list", "\x80\2]}b.", CXN_E_FORMAT, "attributes"),
    /* 6: lengths and strings */
    CASE("string of 2^32-1", "\x80\2X\xff\xff\xff\xff" "a.",
         CXN_E_FORMAT, "a string of 4294967295 bytes, 2 are left"),
    CASE("LONG1 of 255", "\x80\2\x8a\xff.", CXN_E_FORMAT, "a number of 255 bytes"),
    CASE("LONG4 of -1", "\x80\2\x8b\xff\xff\xff\xff.", CXN_E_FORMAT, "instruction 0x8b"),
    CASE("surrogate", "\x80\2X\3\0\0\0\xed\xa0\x80.", CXN_E_FORMAT, "not UTF-8"),
    CASE("overlong", "\x80\2X\2\0\0\0\xc0\x80.", CXN_E_FORMAT, "not UTF-8"),
    CASE("cut sequence", "\x80\2X\1\0\0\0\xe2.", CXN_E_FORMAT, "not UTF-8"),
    /* 7: tensors beyond their storage */
    CASE("offset", "\x80\2" REBUILD "(" STORAGE "QJ\0\xca\x9a;K\3K\3\x86K\3K\1\x86" HOOKS "tR.",
         CXN_E_FORMAT, "beyond its storage of 9"),
    CASE("offset by one", "\x80\2" REBUILD "(" STORAGE "QK\1K\3K\3\x86K\3K\1\x86" HOOKS "tR.",
         CXN_E_FORMAT, "beyond its storage"),
    CASE("stride", "\x80\2" REBUILD "(" STORAGE "QK\0K\3K\3\x86J\0\xca\x9a;K\1\x86" HOOKS "tR.",
         CXN_E_FORMAT, "beyond its storage"),
    CASE("negative offset",
         "\x80\2" REBUILD "(" STORAGE "QJ\xff\xff\xff\xffK\3\x85K\1\x85" HOOKS "tR.",
         CXN_E_FORMAT, "sizes >= 0"),
    CASE("negative stride",
         "\x80\2" REBUILD "(" STORAGE "QK\0K\3\x85J\xff\xff\xff\xff\x85" HOOKS "tR.",
         CXN_E_FORMAT, "sizes >= 0"),
    CASE("wrapping",
         "\x80\2" REBUILD "(" STORAGE "QK\0\x8a\5\0\0\0\0\1\x85\x8a\5\0\0\0\0\1\x85" HOOKS "tR.",
         CXN_E_FORMAT, "beyond its storage"),
    CASE("empty beyond", "\x80\2" REBUILD "(" STORAGE "QK\nK\0\x85K\1\x85" HOOKS "tR.",
         CXN_E_FORMAT, "beyond its storage"),
    CASE("ranks differ", "\x80\2" REBUILD "(" STORAGE "QK\0K\3K\3\x86K\3\x85" HOOKS "tR.",
         CXN_E_FORMAT, "a tensor that is not"),
    CASE("nine dimensions",
         "\x80\2" REBUILD "(" STORAGE "QK\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1tq\1h\1" HOOKS "tR.",
         CXN_E_FORMAT, "up to 8"),
    CASE("of a list", "\x80\2" REBUILD "(]K\0K\3\x85K\1\x85" HOOKS "tR.",
         CXN_E_FORMAT, "a tensor that is not"),
    CASE("three arguments", "\x80\2" REBUILD "(" STORAGE "QK\0K\3\x85tR.",
         CXN_E_FORMAT, "a tensor that is not"),
    CASE("size is a float",
         "\x80\2" REBUILD "(" STORAGE "QK\0G@\0\0\0\0\0\0\0\x85K\1\x85" HOOKS "tR.",
         CXN_E_FORMAT, "a tensor that is not"),
};

static void run_case(const struct pickle_case *c)
{
    struct cxn_mem mem;
    struct cxn_pickle p;
    struct cxn_error err = { "" };
    cxn_mem_init(&mem, 0);
    uint8_t *exact = copy_exactly(c->bytes, c->size);
    const enum cxn_status status = cxn_pickle_open(&p, &mem, exact, c->size, 0, &err);
    cxn_pickle_close(&p);
    free(exact);
    assert_int_equal(mem.blocks, 0);
    if (status != c->status || !strstr(err.text, c->text))
        fail_msg("%s: got %s with '%s'", c->name, cxn_status_name(status), err.text);
}

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < CXN_COUNTOF(good); i++) run_case(&good[i]);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) run_case(&bad[i]);
}

/* 8, 9 and the like: many of something, the unit repeated up to the size that is read at all. */
static void run_repeated(const char *head, size_t head_size, const char *unit, size_t unit_size,
                         const char *text)
{
    struct cxn_mem mem;
    struct cxn_pickle p;
    struct cxn_error err = { "" };
    struct case_bytes b = { 0 };
    cxn_mem_init(&mem, 0);
    put(&b, head, head_size);
    while (b.size + unit_size <= CXN_PICKLE_MAX_BYTES) put(&b, unit, unit_size);
    const double start = case_seconds();
    const enum cxn_status status = cxn_pickle_open(&p, &mem, b.data, b.size, 0, &err);
    const double seconds = case_seconds() - start;
    cxn_pickle_close(&p);
    put_free(&b);
    assert_int_equal(status, CXN_E_LIMIT);
    if (!strstr(err.text, text)) fail_msg("expected '%s', got '%s'", text, err.text);
    assert_int_equal(mem.blocks, 0);
    assert_true(mem.peak_bytes < (64 << 20) - CXN_PICKLE_MAX_BYTES);
    assert_true(seconds < CASE_SECONDS_MAX);
}

#define REPEATED(head, unit, text) \
    run_repeated(head, sizeof(head) - 1, unit, sizeof(unit) - 1, text)

static void test_bounded(void **state)
{
    (void)state;
    REPEATED("\x80\2", "(", "open marks");
    REPEATED("\x80\2", "N", "values");
    REPEATED("\x80\2)", "\x85", "nested");
    REPEATED("\x80\2Nq\1", "h\1", "values on the stack");
    REPEATED("\x80\2Nq\1]", "h\1a", "items");
    REPEATED("\x80\2]", "(NNNNNNNNNNNNNNNNe", "values");
    REPEATED("\x80\2" STORAGE "q\1", "h\1Q", "storages");
    REPEATED("\x80\2" REBUILD "q\1(" STORAGE "QK\0K\3\x85K\1\x85tq\2", "h\1h\2R", "tensors");
}

static void test_depth(void **state)
{
    (void)state;
    struct cxn_pickle p;
    for (int depth = 64; depth <= 65; depth++) {
        struct case_bytes b = { 0 };
        put(&b, "N", 1);
        for (int i = 0; i < depth; i++) put(&b, "\x85", 1);
        put(&b, ".", 1);
        assert_int_equal(cxn_pickle_open(&p, NULL, b.data, b.size, 0, NULL),
                         depth == 64 ? CXN_OK : CXN_E_LIMIT);
        cxn_pickle_close(&p);
        put_free(&b);
    }
}

static void test_nested_lists(void **state)
{
    (void)state;
    struct case_bytes b = { 0 };
    struct cxn_pickle p;
    struct cxn_error err = { "" };
    put(&b, "\x80\2", 2);
    for (int i = 0; i < 100000; i++) put(&b, "]", 1);
    for (int i = 0; i < 99999; i++) put(&b, "a", 1);
    put(&b, ".", 1);
    assert_int_equal(cxn_pickle_open(&p, NULL, b.data, b.size, 0, &err), CXN_E_LIMIT);
    assert_non_null(strstr(err.text, "nested"));
    cxn_pickle_close(&p);
    put_free(&b);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int64_t value;
    } numbers[] = {
        { "K\xff.", 3, 255 },
        { "M\xff\xff.", 4, 65535 },
        { "J\xff\xff\xff\xff.", 6, -1 },
        { "\x8a\0.", 3, 0 },
        { "\x8a\1\xff.", 4, -1 },
        { "\x8a\2\xff\0.", 5, 255 },
        { "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f.", 11, INT64_MAX },
        { "\x8a\x8\0\0\0\0\0\0\0\x80.", 11, INT64_MIN },
    };
    for (size_t i = 0; i < CXN_COUNTOF(numbers); i++) {
        struct cxn_pickle p;
        const uint8_t *bytes = (const uint8_t *)numbers[i].bytes;
        assert_int_equal(cxn_pickle_open(&p, NULL, bytes, numbers[i].size, 0, NULL), CXN_OK);
        assert_int_equal(p.values[p.root].kind, CXN_PICKLE_INT);
        assert_true(p.values[p.root].as.number == numbers[i].value);
        assert_int_equal(p.end, numbers[i].size);
        cxn_pickle_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounded),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_nested_lists), cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
