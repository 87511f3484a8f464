/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "unit/unit.h"

enum { COUNT = 1000 };

struct work {
    atomic_uint done[COUNT];
    atomic_uint busy[CXN_THREADS_MAX];
    unsigned threads;
    atomic_uint wrong;
};

static void piece(void *ctx, size_t index, unsigned thread)
{
    struct work *w = ctx;
    if (thread >= w->threads || index >= COUNT) {
        atomic_fetch_add(&w->wrong, 1);
        return;
    }
    if (atomic_fetch_add(&w->busy[thread], 1) != 0) atomic_fetch_add(&w->wrong, 1);
    atomic_fetch_add(&w->done[index], 1);
    if (index % 64 == 0) sched_yield();
    atomic_fetch_sub(&w->busy[thread], 1);
}

static void test_every_index_once_for_any_number_of_threads(void **state)
{
    (void)state;
    static const unsigned threads[] = { 1, 2, 3, 7, 33 };
    static const size_t counts[] = { 0, 1, 2, 5, COUNT };
    static struct work w;
    for (size_t t = 0; t < 5; t++) {
        cxn_pool *pool = NULL;
        assert_int_equal(cxn_pool_open(&pool, threads[t], NULL), CXN_OK);
        assert_int_equal(cxn_pool_threads(pool), threads[t]);
        for (size_t c = 0; c < 5; c++) {
            memset(&w, 0, sizeof w);
            w.threads = threads[t];
            cxn_pool_run(pool, counts[c], piece, &w);
            assert_int_equal(w.wrong, 0);
            for (size_t i = 0; i < COUNT; i++) assert_int_equal(w.done[i], i < counts[c]);
        }
        cxn_pool_close(&pool);
        assert_null(pool);
    }
}

static void test_without_a_pool_the_caller_does_it_in_order(void **state)
{
    (void)state;
    static struct work w = { .threads = 1 };
    assert_int_equal(cxn_pool_threads(NULL), 1);
    cxn_pool_run(NULL, COUNT, piece, &w);
    assert_int_equal(w.wrong, 0);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(w.done[i], 1);
    cxn_pool *none = NULL;
    cxn_pool_close(&none);
    cxn_pool_close(NULL);
}

static void add_one(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    size_t *sums = ctx;
    sums[index]++; /* not atomic: rounds must not overlap */
}

static void test_rounds_do_not_overlap(void **state)
{
    (void)state;
    size_t sums[5] = { 0 };
    cxn_pool *pool = NULL;
    assert_int_equal(cxn_pool_open(&pool, 4, NULL), CXN_OK);
    for (size_t round = 0; round < 3000; round++)
        cxn_pool_run(pool, 2 + round % 4, add_one, sums);
    cxn_pool_close(&pool);
    assert_int_equal(sums[0], 3000);
    assert_int_equal(sums[1], 3000);
    assert_int_equal(sums[2], 2250);
    assert_int_equal(sums[4], 750);
}

struct order {
    size_t next[8]; /* by thread: its next index is at least this */
    atomic_uint wrong;
};

static void check_order(void *ctx, size_t index, unsigned thread)
{
    struct order *o = ctx;
    if (index < o->next[thread]) atomic_fetch_add(&o->wrong, 1);
    o->next[thread] = index + 1;
}

static void test_indices_start_in_rising_order(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads++) {
        struct order order = { 0 };
        cxn_pool *pool = NULL;
        assert_int_equal(cxn_pool_open(&pool, threads, NULL), CXN_OK);
        cxn_pool_run(pool, COUNT, check_order, &order);
        cxn_pool_close(&pool);
        assert_int_equal(order.wrong, 0);
        if (threads == 1) assert_int_equal(order.next[0], COUNT);
    }
}

static void test_numbers_of_threads(void **state)
{
    (void)state;
    struct cxn_error err;
    cxn_pool *pool = NULL;
    assert_int_equal(cxn_pool_open(&pool, CXN_THREADS_MAX + 1, &err), CXN_E_ARG);
    assert_string_equal(err.text, "257 threads asked for, at most 256 are supported");
    assert_null(pool);
    assert_in_range(cxn_cpu_count(), 1, CXN_THREADS_MAX);
    assert_int_equal(cxn_pool_open(&pool, 0, &err), CXN_OK);
    assert_int_equal(cxn_pool_threads(pool), cxn_cpu_count());
    cxn_pool_close(&pool);
}

static void test_cpus_are_those_of_the_process(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &before)) first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(cxn_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

/* The budget is shared by threads. */
static void take_and_give(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    for (size_t i = 0; i < 200; i++) {
        void *p = cxn_alloc(ctx, 1 + index % 5, 1000);
        void *q = cxn_alloc(ctx, 1, 1);
        cxn_free(p);
        cxn_free(q);
    }
}

static void test_the_budget_is_thread_safe(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 20000);
    cxn_pool *pool = NULL;
    assert_int_equal(cxn_pool_open(&pool, 4, NULL), CXN_OK);
    cxn_pool_run(pool, 1000, take_and_give, &mem);
    cxn_pool_close(&pool);
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(mem.blocks, 0);
    assert_in_range(mem.peak_bytes, 5000, 20000);
    assert_int_equal(mem.calls, 400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_index_once_for_any_number_of_threads),
        cmocka_unit_test(test_without_a_pool_the_caller_does_it_in_order),
        cmocka_unit_test(test_rounds_do_not_overlap),
        cmocka_unit_test(test_indices_start_in_rising_order),
        cmocka_unit_test(test_numbers_of_threads),
        cmocka_unit_test(test_cpus_are_those_of_the_process),
        cmocka_unit_test(test_the_budget_is_thread_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
