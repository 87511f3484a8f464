/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "base/sort.h"
#include "unit/unit.h"

enum { N_MAX = 300 };

static bool key_before(const void *ctx, uint32_t a, uint32_t b)
{
    const uint32_t *keys = ctx;
    return keys[a] < keys[b];
}

/* Every length, few and many equal keys: in order, stable, and still a permutation. */
static void sorts_any_length(void **state)
{
    (void)state;
    uint32_t keys[N_MAX], index[N_MAX], scratch[N_MAX];
    struct cxn_random random = cxn_random_make(1, 0);
    for (uint32_t n = 0; n <= N_MAX; n++) {
        const uint32_t kinds = n % 2 ? 5 : 100000;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            index[i] = i;
            keys[i] = cxn_random_below(&random, kinds);
        }
        cxn_sort_indices(index, scratch, n, key_before, keys);
        for (uint32_t i = 1; i < n; i++) {
            assert_true(keys[index[i - 1]] <= keys[index[i]]);
            if (keys[index[i - 1]] == keys[index[i]]) assert_true(index[i - 1] < index[i]);
        }
        for (uint32_t i = 0; i < n; i++) sum += index[i];
        assert_int_equal(sum, (uint64_t)n * (n > 0 ? n - 1 : 0) / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sorts_any_length) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
