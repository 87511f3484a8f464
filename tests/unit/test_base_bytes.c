/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, cursor, arena, hashes. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/size.h"
#include "base/status.h"
#include "unit/unit.h"

static void test_sizes_do_not_wrap(void **state)
{
    (void)state;
    size_t out = 5;
    assert_true(cxn_size_add(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
    out = 5;
    assert_false(cxn_size_add(SIZE_MAX, 1, &out));
    assert_false(cxn_size_mul((size_t)1 << 32, (size_t)1 << 32, &out));
    assert_int_equal(out, 5);
    assert_true(cxn_size_mul((size_t)1 << 32, ((size_t)1 << 32) - 1, &out));
    assert_true(out == (SIZE_MAX - UINT32_MAX));
    const size_t factors[] = { 65536, 65536, 65536, 65536, 0 };
    assert_true(cxn_size_product(factors, 0, &out));
    assert_int_equal(out, 1);
    assert_true(cxn_size_product(factors, 3, &out));
    assert_true(out == (size_t)1 << 48);
    assert_false(cxn_size_product(factors, 4, &out));
    assert_false(cxn_size_product(factors, 5, &out)); /* a later 0 does not hide it */
    assert_true(out == (size_t)1 << 48);
}

static void test_cursor_reads_numbers_of_both_orders(void **state)
{
    (void)state;
    static const uint8_t data[] = { 1, 0x80, 0x02, 0xff, 1, 2, 3, 0xff, 1, 2, 3,
                                    1, 2, 3, 4, 5, 6, 7, 0xf8 };
    struct cxn_cursor c = cxn_cursor_make(data, sizeof data);
    assert_int_equal(cxn_cursor_u8(&c), 1);
    assert_int_equal(cxn_cursor_u16le(&c), 0x0280);
    assert_int_equal(cxn_cursor_u32le(&c), 0x030201ff);
    assert_int_equal(cxn_cursor_u32be(&c), 0xff010203);
    assert_true(cxn_cursor_u64le(&c) == UINT64_C(0xf807060504030201));
    assert_false(c.failed);
    assert_int_equal(cxn_cursor_left(&c), 0);
}

static void test_cursor_fails_at_the_end_and_stays_failed(void **state)
{
    (void)state;
    static const uint8_t data[3] = { 1, 2, 3 };
    struct cxn_cursor c = cxn_cursor_make(data, sizeof data);
    assert_ptr_equal(cxn_cursor_bytes(&c, 0), data);
    assert_int_equal(cxn_cursor_u32le(&c), 0);
    assert_true(c.failed);
    assert_int_equal(c.pos, 0);
    assert_int_equal(cxn_cursor_left(&c), 0);
    assert_int_equal(cxn_cursor_u8(&c), 0);
    assert_null(cxn_cursor_bytes(&c, 0));
    assert_false(cxn_cursor_seek(&c, 0));

    c = cxn_cursor_make(data, sizeof data);
    assert_true(cxn_cursor_seek(&c, 3));
    assert_null(cxn_cursor_bytes(&c, SIZE_MAX)); /* pos + n wraps */
    c = cxn_cursor_make(data, sizeof data);
    assert_false(cxn_cursor_seek(&c, 4));
    assert_true(c.failed);

    c = cxn_cursor_make(NULL, 0);
    assert_non_null(cxn_cursor_bytes(&c, 0));
    assert_null(cxn_cursor_bytes(&c, 1));
}

static void test_cursor_lines(void **state)
{
    (void)state;
    static const char text[] = "one\r\n\n\r\ntwo\rthree\r";
    static const char *const lines[] = { "one", "", "", "two\rthree" };
    struct cxn_cursor c = cxn_cursor_make(text, sizeof text - 1);
    const char *line;
    size_t n;
    for (size_t i = 0; i < CXN_COUNTOF(lines); i++) {
        assert_true(cxn_cursor_line(&c, &line, &n));
        assert_int_equal(n, strlen(lines[i]));
        assert_memory_equal(line, lines[i], n);
    }
    assert_false(cxn_cursor_line(&c, &line, &n));
    assert_false(c.failed); /* the end of the lines is no error */
    c = cxn_cursor_make("a\n", 2);
    assert_true(cxn_cursor_line(&c, &line, &n));
    assert_false(cxn_cursor_line(&c, &line, &n));
}

static void test_arena_aligns_and_ends(void **state)
{
    (void)state;
    uint8_t *block = aligned_alloc(64, 256);
    assert_non_null(block);
    struct cxn_arena a = cxn_arena_make(block, 256);
    assert_ptr_equal(cxn_arena_take(&a, 1), block);
    const size_t mark = a.used;
    assert_ptr_equal(cxn_arena_take(&a, 65), block + 64);
    assert_null(cxn_arena_take(&a, 65));
    assert_null(cxn_arena_take(&a, SIZE_MAX));
    assert_ptr_equal(cxn_arena_take(&a, 64), block + 192);
    assert_int_equal(a.used, 256);
    assert_null(cxn_arena_take(&a, 1));
    cxn_arena_rewind(&a, mark);
    assert_ptr_equal(cxn_arena_take(&a, 192), block + 64);
    free(block);
    a = cxn_arena_make(NULL, 0);
    assert_null(cxn_arena_take(&a, 1));
}

/* FIPS 180-4's examples, and the published check value of CRC-32. */
static void test_hashes_give_the_published_values(void **state)
{
    (void)state;
    char hex[CXN_SHA256_HEX_BYTES];
    cxn_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cxn_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cxn_sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    cxn_sha256_hex(million, 1000000, hex);
    free(million);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

    assert_int_equal(cxn_crc32(0, "", 0), 0);
    assert_int_equal(cxn_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(cxn_crc32(cxn_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
}

static void test_hex_digits(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x00, 0x9a, 0xff, 0x07 };
    uint8_t back[4] = { 1, 1, 1, 1 };
    char hex[9] = "";
    cxn_hex_print(hex, bytes, sizeof bytes);
    assert_string_equal(hex, "009aff07");
    assert_true(cxn_hex_parse(hex, back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_true(cxn_hex_parse("", back, 0));
    assert_false(cxn_hex_parse("009aff0", back, 4));
    assert_false(cxn_hex_parse("009aff071", back, 4));
    assert_false(cxn_hex_parse("009aff0700", back, 4));
    assert_false(cxn_hex_parse("009AFF07", back, 4));
    assert_false(cxn_hex_parse("009aff0g", back, 4));
    assert_false(cxn_hex_parse("009aff07 ", back, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_do_not_wrap),
        cmocka_unit_test(test_cursor_reads_numbers_of_both_orders),
        cmocka_unit_test(test_cursor_fails_at_the_end_and_stays_failed),
        cmocka_unit_test(test_cursor_lines),
        cmocka_unit_test(test_arena_aligns_and_ends),
        cmocka_unit_test(test_hashes_give_the_published_values),
        cmocka_unit_test(test_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
