/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/status.h"
#include "unit/unit.h"

/* kat_vectors of Random123 1.14, philox4x32 10 rounds. */
static void test_philox_gives_the_published_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } cases[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        uint32_t out[4];
        cxn_philox4x32(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].want, sizeof out);
    }
}

static void test_numbers_depend_on_seed_stream_and_position_alone(void **state)
{
    (void)state;
    struct cxn_random a = cxn_random_make(0, 0);
    assert_int_equal(cxn_random_u32(&a), 0x6627e8d5);
    assert_int_equal(cxn_random_u32(&a), 0xe169c58d);
    struct cxn_random copy = a; /* a position can be kept and gone on from */
    uint32_t first[10];
    for (size_t i = 0; i < 10; i++) first[i] = cxn_random_u32(&a);
    for (size_t i = 0; i < 10; i++) assert_int_equal(cxn_random_u32(&copy), first[i]);
    /* All 64 bits of seed and stream count. */
    static const uint64_t words[] = { 1, UINT64_C(1) << 32, UINT64_C(1) << 63 };
    for (size_t i = 0; i < CXN_COUNTOF(words); i++) {
        struct cxn_random by_seed = cxn_random_make(words[i], 0);
        struct cxn_random by_stream = cxn_random_make(0, words[i]);
        const uint32_t s = cxn_random_u32(&by_seed), t = cxn_random_u32(&by_stream);
        assert_true(s != 0x6627e8d5 && t != 0x6627e8d5 && s != t);
    }
}

/* Chi-square over n cells of equal chance: below its mean plus 5 standard deviations. */
static void check_uniform(const unsigned *cells, unsigned n, unsigned draws)
{
    const double expected = (double)draws / n;
    double chi = 0;
    for (unsigned i = 0; i < n; i++) chi += pow(cells[i] - expected, 2) / expected;
    assert_true(chi < n - 1 + 5 * sqrt(2.0 * (n - 1)));
    assert_true(chi > n - 1 - 5 * sqrt(2.0 * (n - 1)));
}

static void test_below_is_uniform(void **state)
{
    (void)state;
    static const uint32_t ns[] = { 1, 2, 3, 14, 100 };
    struct cxn_random r = cxn_random_make(7, 1);
    for (size_t i = 0; i < CXN_COUNTOF(ns); i++) {
        unsigned cells[100] = { 0 };
        for (int k = 0; k < 100000; k++) {
            const uint32_t v = cxn_random_below(&r, ns[i]);
            assert_true(v < ns[i]);
            cells[v]++;
        }
        if (ns[i] > 1) check_uniform(cells, ns[i], 100000);
    }
    /* 3 * 2^30: without the rejection a third of the values would come twice as often, and the
     * share of even thirds would be .5 instead of 1/3. */
    unsigned thirds[3] = { 0 };
    for (int k = 0; k < 60000; k++) thirds[cxn_random_below(&r, 3u << 30) % 3]++;
    check_uniform(thirds, 3, 60000);
}

static void test_unit_and_normal_have_their_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct cxn_random r = cxn_random_make(3, 9);
    double sum = 0, squares = 0, lowest = 1, highest = 0;
    for (int i = 0; i < N; i++) {
        const double u = cxn_random_unit(&r);
        assert_true(u >= 0 && u < 1);
        lowest = fmin(lowest, u);
        highest = fmax(highest, u);
        sum += u;
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(lowest < 1e-4 && highest > 1 - 1e-4);
    sum = 0;
    double cubes = 0, fourths = 0;
    for (int i = 0; i < N; i++) {
        const double z = cxn_random_normal(&r);
        assert_true(isfinite(z));
        sum += z;
        squares += z * z;
        cubes += z * z * z;
        fourths += z * z * z * z;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(cubes / N) < 5 * sqrt(15.0 / N));
    assert_true(fabs(fourths / N - 3) < 5 * sqrt(96.0 / N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_gives_the_published_values),
        cmocka_unit_test(test_numbers_depend_on_seed_stream_and_position_alone),
        cmocka_unit_test(test_below_is_uniform),
        cmocka_unit_test(test_unit_and_normal_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
