/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "unit/unit.h"

static void test_blocks_are_aligned_and_counted(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    void *blocks[5];
    for (size_t i = 0; i < 5; i++) {
        blocks[i] = cxn_alloc_zero(&mem, i * 33, 2);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        for (size_t k = 0; k < i * 66; k++) assert_int_equal(((uint8_t *)blocks[i])[k], 0);
        memset(blocks[i], 0xa5, i * 66);
    }
    assert_int_equal(mem.blocks, 5);
    assert_true(mem.used_bytes >= 66 * 10);
    const size_t most = mem.used_bytes;
    for (size_t i = 0; i < 5; i++) cxn_free(blocks[i]);
    cxn_free(NULL);
    assert_int_equal(mem.blocks, 0);
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(mem.peak_bytes, most);

    void *p = cxn_alloc(NULL, 10, 10); /* no budget at all */
    assert_non_null(p);
    cxn_free(p);
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    static const size_t sizes[][2] = {
        { SIZE_MAX, 2 }, { (size_t)1 << 32, (size_t)1 << 32 }, { SIZE_MAX, 1 },
        { SIZE_MAX - 64, 1 }, { SIZE_MAX - 126, 1 }, { SIZE_MAX / 2, 1 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(cxn_alloc(&mem, sizes[i][0], sizes[i][1]));
        assert_null(cxn_alloc_zero(&mem, sizes[i][0], sizes[i][1]));
        assert_null(cxn_alloc(NULL, sizes[i][0], sizes[i][1]));
    }
    assert_null(cxn_strndup(&mem, "x", SIZE_MAX));
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(mem.blocks, 0);
}

static void test_the_budget_holds_and_comes_back(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 1 << 20);
    void *half = cxn_alloc(&mem, 1, 512 << 10);
    assert_non_null(half);
    assert_null(cxn_alloc(&mem, 1, 512 << 10)); /* the block's own header counts */
    void *rest = cxn_alloc(&mem, 1, (512 << 10) - 128);
    assert_non_null(rest);
    assert_true(mem.used_bytes <= mem.limit_bytes);
    assert_null(cxn_alloc(&mem, 1, 1));

    struct cxn_error err;
    assert_int_equal(cxn_fail_nomem(&err, &mem, 3 << 20, "the picture"), CXN_E_NOMEM);
    assert_string_equal(err.text, "no memory for the picture: 3.0 MiB wanted, 1.0 of the limit of "
                                  "1.0 MiB in use");
    cxn_free(half);
    cxn_free(rest);
    half = cxn_alloc(&mem, 1, 900 << 10);
    assert_non_null(half);
    cxn_free(half);
    assert_int_equal(cxn_fail_nomem(&err, NULL, 3 << 20, "it"), CXN_E_NOMEM);
    assert_string_equal(err.text, "no memory for it (3.0 MiB)");
}

static void test_realloc_keeps_what_fits(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 1 << 20);
    char *p = cxn_realloc(&mem, NULL, 10, 1);
    assert_non_null(p);
    memcpy(p, "123456789", 10);
    p = cxn_realloc(&mem, p, 100000, 1);
    assert_string_equal(p, "123456789");
    p = cxn_realloc(&mem, p, 4, 1);
    assert_memory_equal(p, "1234", 4);
    assert_int_equal(mem.blocks, 1);
    assert_null(cxn_realloc(&mem, p, 2 << 20, 1));
    assert_memory_equal(p, "1234", 4);
    cxn_free(p);
    char *copy = cxn_strndup(&mem, "abcdef", 3);
    assert_string_equal(copy, "abc");
    cxn_free(copy);
    assert_int_equal(mem.used_bytes, 0);
}

static void test_the_nth_allocation_can_be_made_to_fail(void **state)
{
    (void)state;
    struct cxn_mem mem;
    for (int sticky = 0; sticky < 2; sticky++) {
        cxn_mem_init(&mem, 0);
        mem.fail_at = 2;
        mem.fail_after = sticky == 1;
        void *first = cxn_alloc(&mem, 1, 1), *second = cxn_alloc(&mem, 1, 1);
        void *third = cxn_alloc(&mem, 1, 1);
        assert_non_null(first);
        assert_null(second);
        assert_int_equal(third != NULL, sticky == 0);
        cxn_free(first);
        cxn_free(third);
        assert_int_equal(mem.calls, 3);
        assert_int_equal(mem.blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_aligned_and_counted),
        cmocka_unit_test(test_impossible_sizes_are_refused),
        cmocka_unit_test(test_the_budget_holds_and_comes_back),
        cmocka_unit_test(test_realloc_keeps_what_fits),
        cmocka_unit_test(test_the_nth_allocation_can_be_made_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
