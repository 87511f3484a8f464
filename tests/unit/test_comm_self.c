/* SPDX-License-Identifier: Apache-2.0 */
#include "train/comm.h"
#include "unit/unit.h"

static const struct cxn_comm *const comm = &cxn_comm_self;

static int open_self(void **state)
{
    struct cxn_comm_options options = { .deadline = 1 };
    struct cxn_env env = { 0 };
    return comm->open((cxn_comm_state **)state, &options, &env, NULL) != CXN_OK;
}

static int close_self(void **state)
{
    comm->close((cxn_comm_state **)state, false);
    return *state != NULL;
}

static void test_one_rank_of_one(void **state)
{
    assert_int_equal(comm->rank(*state), 0);
    assert_int_equal(comm->ranks(*state), 1);
}

static void test_a_sum_of_one_is_itself(void **state)
{
    float numbers[3] = { 1.5f, -0.0f, 3e-40f }, before[3];
    memcpy(before, numbers, sizeof before);
    const struct cxn_span span = { numbers, 3, CXN_NUMBER_F32, CXN_MEMORY_HOST };
    assert_int_equal(comm->start_sum(*state, &span, NULL), CXN_OK);
    assert_int_equal(comm->progress(*state, NULL), CXN_OK);
    assert_int_equal(comm->finish(*state, NULL), CXN_OK);
    assert_memory_equal(numbers, before, sizeof before);
}

static void test_sums_in_flight_are_counted(void **state)
{
    float number = 1;
    const struct cxn_span span = { &number, 1, CXN_NUMBER_F32, CXN_MEMORY_HOST };
    for (int round = 0; round < 2; round++) { /* finish() makes room again */
        for (int i = 0; i < CXN_COMM_SUMS_MAX; i++)
            assert_int_equal(comm->start_sum(*state, &span, NULL), CXN_OK);
        struct cxn_error err;
        assert_int_equal(comm->start_sum(*state, &span, &err), CXN_E_INTERNAL);
        assert_string_equal(err.text, "more than 256 sums at a time");
        assert_int_equal(comm->finish(*state, NULL), CXN_OK);
    }
}

static void test_gather_and_broadcast_keep_the_bytes(void **state)
{
    const char own[4] = "abc";
    char all[4] = "", same[4] = "abc";
    assert_int_equal(comm->gather(*state, own, all, sizeof own, NULL), CXN_OK);
    assert_string_equal(all, "abc");
    assert_int_equal(comm->gather(*state, NULL, NULL, 0, NULL), CXN_OK);
    assert_int_equal(comm->broadcast(*state, same, sizeof same, NULL), CXN_OK);
    assert_string_equal(same, "abc");
}

static void test_without_memory_there_is_none(void **unused)
{
    (void)unused;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 1);
    struct cxn_comm_options options = { .deadline = 1 };
    struct cxn_env env = { .mem = &mem };
    cxn_comm_state *state = NULL;
    struct cxn_error err;
    assert_int_equal(comm->open(&state, &options, &env, &err), CXN_E_NOMEM);
    assert_null(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_rank_of_one, open_self, close_self),
        cmocka_unit_test_setup_teardown(test_a_sum_of_one_is_itself, open_self, close_self),
        cmocka_unit_test_setup_teardown(test_sums_in_flight_are_counted, open_self, close_self),
        cmocka_unit_test_setup_teardown(test_gather_and_broadcast_keep_the_bytes, open_self,
                                        close_self),
        cmocka_unit_test(test_without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
