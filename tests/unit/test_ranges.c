/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms whose bins grow, and the ends of ranges that each method finds in made ones. */
#include <math.h>

#include "base/random.h"
#include "quant/ranges.h"
#include "unit/unit.h"

static uint32_t bins[2][CXN_HISTOGRAM_BINS];
static double scratch[CXN_RANGE_SCRATCH];

static struct cxn_histogram empty(size_t which, bool from_zero)
{
    memset(bins[which], 0, sizeof bins[which]);
    return (struct cxn_histogram){ .exponent = CXN_HISTOGRAM_EXPONENT_MIN,
                                   .first = from_zero ? 0 : -CXN_HISTOGRAM_BINS / 2,
                                   .counts = bins[which] };
}

static uint64_t count_all(const struct cxn_histogram *h)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CXN_HISTOGRAM_BINS; i++) sum += h->counts[i];
    return sum;
}

/* ---- counting ----------------------------------------------------------------------------- */

static void test_order(void **state)
{
    (void)state;
    enum { NUMBERS = 5000 };
    static float numbers[NUMBERS];
    struct cxn_random r = cxn_random_make(5, 0);
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = (float)(cxn_random_normal(&r) * pow(10, 20 * cxn_random_unit(&r) - 16));
    numbers[7] = 0;
    numbers[8] = -0.0f;
    numbers[9] = -1e-45f;
    for (unsigned from_zero = 0; from_zero < 2; from_zero++) {
        struct cxn_histogram a = empty(0, from_zero), b = empty(1, from_zero);
        for (size_t i = 0; from_zero && i < NUMBERS; i++) numbers[i] = fabsf(numbers[i]);
        cxn_histogram_count(&a, numbers, NUMBERS, 1);
        for (size_t i = NUMBERS; i-- > 0;) cxn_histogram_count(&b, &numbers[i], 1, 1);
        assert_int_equal(a.exponent, b.exponent);
        assert_memory_equal(a.counts, b.counts, sizeof bins[0]);
        assert_int_equal(count_all(&a), NUMBERS);
        b = empty(1, from_zero); /* every third, then the others: in steps */
        for (size_t i = 0; i < 3; i++)
            cxn_histogram_count(&b, numbers + i, (NUMBERS - i + 2) / 3, 3);
        assert_memory_equal(a.counts, b.counts, sizeof bins[0]);
    }
}

/* 0 is in a bin of any width: alone it leaves those of small numbers as they are. */
static void test_zeros(void **state)
{
    (void)state;
    for (unsigned from_zero = 0; from_zero < 2; from_zero++) {
        struct cxn_histogram a = empty(0, from_zero), b = empty(1, from_zero);
        const float numbers[] = { 0, 0x1p-20f, 0x1.8p-20f, -0.0f };
        cxn_histogram_count(&a, numbers, 4, 1);
        for (size_t i = 0; i < 4; i++) cxn_histogram_count(&b, &numbers[i], 1, 1);
        assert_int_equal(a.exponent, from_zero ? -30 : -29);
        assert_int_equal(b.exponent, a.exponent);
        assert_memory_equal(a.counts, b.counts, sizeof bins[0]);
        assert_int_equal(a.counts[-a.first], 2);
    }
}

/* Each bin has what lies between its edges. */
static void test_edges(void **state)
{
    (void)state;
    struct cxn_histogram h = empty(0, false);
    const float numbers[] = { -8, -7.999f, -0.001f, 0, 0.001f, 3.5f, 7.999f, INFINITY, NAN };
    cxn_histogram_count(&h, numbers, sizeof numbers / sizeof numbers[0], 1);
    assert_int_equal(count_all(&h), 7);
    for (size_t i = 0; i < CXN_HISTOGRAM_BINS; i++) {
        const double lo = cxn_histogram_edge(&h, i), hi = cxn_histogram_edge(&h, i + 1);
        uint32_t want = 0;
        for (size_t k = 0; k < 7; k++) want += (double)numbers[k] >= lo && (double)numbers[k] < hi;
        assert_int_equal(h.counts[i], want);
    }
    const float extremes[] = { 3.4e38f, -3.4e38f, 1e-45f, -1e-45f };
    cxn_histogram_count(&h, extremes, 4, 1);
    assert_int_equal(count_all(&h), 11);
    assert_true(h.exponent <= CXN_HISTOGRAM_EXPONENT_MAX);
}

/* ---- ranges ------------------------------------------------------------------------------- */

/* `count` numbers evenly from lo to hi. */
static void spread(struct cxn_histogram *h, double lo, double hi, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float x = (float)(lo + (hi - lo) * ((double)i + 0.5) / (double)count);
        cxn_histogram_count(h, &x, 1, 1);
    }
}

static struct cxn_range narrow(const struct cxn_histogram *h, struct cxn_range range,
                               enum cxn_calibration_method method, double percentile)
{
    const struct cxn_range_rule rule = { method, percentile };
    cxn_range_narrow(&range, &rule, h, scratch);
    return range;
}

static void expect(struct cxn_range got, double lo, double hi, double tolerance)
{
    if (fabs(got.lo - lo) > tolerance || fabs(got.hi - hi) > tolerance)
        fail_msg("%g..%g, expected %g..%g", got.lo, got.hi, lo, hi);
}

/* 0..100 evenly: shares are numbers. A bin is 1/8 wide. */
static void test_percentile(void **state)
{
    (void)state;
    struct cxn_histogram h = empty(0, false);
    spread(&h, 0, 100, 100000);
    const struct cxn_range whole = { 0.0005, 99.9995, false };
    expect(narrow(&h, whole, CXN_CALIBRATION_MINMAX, 0), whole.lo, whole.hi, 0);
    expect(narrow(&h, whole, CXN_CALIBRATION_PERCENTILE, 90), 10, 90, 0.125);
    expect(narrow(&h, whole, CXN_CALIBRATION_PERCENTILE, 99.9999), whole.lo, whole.hi, 0);
    struct cxn_histogram relu = empty(1, true);
    spread(&relu, 0, 100, 100000);
    const struct cxn_range above = { 0, 99.9995, true };
    expect(narrow(&relu, above, CXN_CALIBRATION_PERCENTILE, 90), 0, 90, 0.0625);
}

/* Evenly filled ranges are kept; a single far number is not worth the coarser steps. */
static void test_mse(void **state)
{
    (void)state;
    struct cxn_histogram h = empty(0, false);
    spread(&h, -3, 5, 100000);
    const struct cxn_range even = { -2.99996, 4.99996, false };
    expect(narrow(&h, even, CXN_CALIBRATION_MSE, 0), even.lo, even.hi, 0.05);
    /* n numbers behind the first bin, which is 1/64 wide, and one at t: the error at an end e is
     * n e^2 / (12 255^2) + (t - e)^2, the least at e = t / (1 + n / (12 255^2)). */
    const double n = 12 * 255.0 * 255 * 3, t = 16;
    struct cxn_histogram relu = empty(1, true);
    const float far = (float)t;
    spread(&relu, 1.0 / 64, 1, (size_t)n);
    cxn_histogram_count(&relu, &far, 1, 1);
    expect(narrow(&relu, (struct cxn_range){ 0, t, true }, CXN_CALIBRATION_MSE, 0), 0, t / 4,
           16.0 / 512);
    /* Behind ReLU 0 has no error, however often it is there. */
    relu = empty(1, true);
    const float zero = 0;
    for (size_t i = 0; i < (size_t)n; i++) cxn_histogram_count(&relu, &zero, 1, 1);
    cxn_histogram_count(&relu, &far, 1, 1);
    expect(narrow(&relu, (struct cxn_range){ 0, t, true }, CXN_CALIBRATION_MSE, 0), 0, t, 0);
}

/* The definition, written down once more for one end: Migacz's pseudocode. */
static double divergence_at(const struct cxn_histogram *h, size_t hi)
{
    static double p[CXN_HISTOGRAM_BINS], q[CXN_HISTOGRAM_BINS];
    double all = 0, within = 0, sum = 0;
    for (size_t i = 0; i < CXN_HISTOGRAM_BINS; i++) {
        const double count = h->counts[i == 0 ? 1 : i];
        all += count;
        if (i < hi) p[i] = q[i] = count, within += count;
        else p[hi - 1] += count;
    }
    for (size_t level = 0; level < 256; level++) {
        const size_t from = level * hi / 256, to = (level + 1) * hi / 256;
        double filled = 0, total = 0;
        for (size_t i = from; i < to; i++) filled += q[i] > 0, total += q[i];
        for (size_t i = from; i < to; i++) q[i] = q[i] > 0 ? total / filled : 0;
    }
    for (size_t i = 0; i < hi; i++)
        if (p[i] > 0) sum += q[i] > 0 ? p[i] / all * log(p[i] / all / (q[i] / within)) : INFINITY;
    return sum;
}

static void test_entropy(void **state)
{
    (void)state;
    struct cxn_histogram h = empty(0, true);
    struct cxn_random r = cxn_random_make(3, 0);
    double most = 0;
    for (size_t i = 0; i < 200000; i++) { /* a long tail; its bins are 1/128 wide or wider */
        const float x = (float)(-log(1 - cxn_random_unit(&r)));
        most = fmax(most, (double)x);
        cxn_histogram_count(&h, &x, 1, 1);
    }
    const struct cxn_range got =
        narrow(&h, (struct cxn_range){ 0, most, true }, CXN_CALIBRATION_ENTROPY, 0);
    size_t last = CXN_HISTOGRAM_BINS, best = 0;
    while (h.counts[last - 1] == 0) last--;
    double least = INFINITY;
    const size_t stride = (last + 127) / 128;
    for (size_t hi = last; hi >= 256; hi -= stride) {
        const double d = divergence_at(&h, hi);
        if (d < least) least = d, best = hi;
    }
    assert_true(best < last);
    expect(got, 0, cxn_histogram_edge(&h, best), 0);
    /* Fewer bins than levels lose nothing. */
    h = empty(0, true);
    const float few[] = { 1, 2, 3 };
    cxn_histogram_count(&h, few, 3, 1);
    expect(narrow(&h, (struct cxn_range){ 0, 3, true }, CXN_CALIBRATION_ENTROPY, 0), 0, 3, 0);
}

/* Ends stay within minimum and maximum and in their order, whatever was counted. */
static void test_any(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct cxn_random r = cxn_random_make(seed, 1);
        const bool from_zero = seed % 2;
        struct cxn_histogram h = empty(0, from_zero);
        struct cxn_range whole = { INFINITY, -INFINITY, from_zero };
        const size_t count = seed < 20 ? 1 + seed / 2 : 300;
        for (size_t i = 0; i < count; i++) {
            float x = (float)(cxn_random_normal(&r) * exp(3 * cxn_random_normal(&r)));
            if (from_zero) x = x > 0 ? x : 0;
            cxn_histogram_count(&h, &x, 1, 1);
            whole.lo = fmin(whole.lo, (double)x);
            whole.hi = fmax(whole.hi, (double)x);
        }
        if (from_zero) whole.lo = 0;
        for (int m = 0; m < CXN_CALIBRATION_METHODS; m++) {
            const struct cxn_range got = narrow(&h, whole, (enum cxn_calibration_method)m, 99);
            assert_true(got.lo >= whole.lo && got.hi <= whole.hi && got.lo <= got.hi);
            assert_true(whole.lo == whole.hi || got.lo < got.hi);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order), cmocka_unit_test(test_zeros), cmocka_unit_test(test_edges),
        cmocka_unit_test(test_percentile), cmocka_unit_test(test_mse),
        cmocka_unit_test(test_entropy), cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
