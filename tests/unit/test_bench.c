/* SPDX-License-Identifier: Apache-2.0 */
/* cxn_bench() on an engine that takes known times: what is called how often, and the figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <chexnet/bench.h>

#include "api/model.h"

enum { BATCH = 4, RUNS = 20, QUICK_MS = 2, SLOW_MS = 150 };

/* Calls with BATCH crops are those timed per crop; the others hold one image's ten. */
struct cxn_engine_state {
    size_t crop_calls, image_calls, slow_from; /* from that call on SLOW_MS, before it QUICK_MS */
    bool fails;
};

static enum cxn_status run(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                           float *prob, struct cxn_error *err)
{
    if (state->fails) return cxn_fail(err, CXN_E_FORMAT, "out of range");
    bool slow = false;
    if (count == BATCH) slow = ++state->crop_calls > state->slow_from;
    else state->image_calls++;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(views[i].width, CXN_CROP_SIDE);
        assert_true(views[i].x + views[i].width <= views[i].picture->width);
    }
    memset(prob, 0, count * CXN_FINDINGS * sizeof *prob);
    const struct timespec t = { .tv_nsec = (slow ? SLOW_MS : QUICK_MS) * 1000000L };
    nanosleep(&t, NULL);
    return CXN_OK;
}

static const struct cxn_engine engine = { .name = "timed", .device = "cpu", .run = run };

static struct cxn_model model_of(const struct cxn_env *env, cxn_engine_state *state)
{
    return (struct cxn_model){ .env = env, .engine = &engine, .state = state,
                               .room = cxn_room_usual };
}

/* How many rounds a first call warms up with, to know which later ones are timed. */
static int count_rounds(void *ctx, double done)
{
    if (done == 0.0) ++*(size_t *)ctx;
    return 0;
}

static void figures_are_those_of_the_timed_rounds(void **unused)
{
    (void)unused;
    const struct cxn_env env = { 0 };
    cxn_engine_state state = { .slow_from = SIZE_MAX };
    struct cxn_model model = model_of(&env, &state);
    struct cxn_bench_result r;
    size_t warm_up = 0;
    const struct cxn_bench_options o = { .batch = BATCH, .runs = RUNS, .progress = count_rounds,
                                         .progress_ctx = &warm_up };
    assert_int_equal(cxn_bench(&model, &o, &r, NULL), CXN_OK);
    assert_true(warm_up >= 2);
    assert_int_equal(state.crop_calls, warm_up + RUNS);
    assert_int_equal(state.image_calls, warm_up + RUNS);
    assert_int_equal(r.batch, BATCH);
    assert_int_equal(r.runs, RUNS);
    assert_int_equal(r.pictures, 4);
    assert_true(r.crop_ms.min >= (double)QUICK_MS / BATCH && r.crop_ms.min < QUICK_MS);
    assert_true(r.image_ms.min >= QUICK_MS);
    assert_true(r.crop_ms.min <= r.crop_ms.median && r.crop_ms.median <= r.crop_ms.p95);
}

/* Two slow calls of twenty: the 95th percentile is the nineteenth value, the median is not. */
static int slow_at_the_end(void *ctx, double done)
{
    cxn_engine_state *state = ctx;
    if (done >= (RUNS - 2.5) / RUNS && state->slow_from == SIZE_MAX)
        state->slow_from = state->crop_calls;
    return 0;
}

static void median_and_p95_are_where_they_belong(void **unused)
{
    (void)unused;
    const struct cxn_env env = { 0 };
    cxn_engine_state state = { .slow_from = SIZE_MAX };
    struct cxn_model model = model_of(&env, &state);
    struct cxn_bench_result r;
    const struct cxn_bench_options o = { .batch = BATCH, .runs = RUNS,
                                         .progress = slow_at_the_end, .progress_ctx = &state };
    assert_int_equal(cxn_bench(&model, &o, &r, NULL), CXN_OK);
    assert_true(r.crop_ms.p95 >= (double)SLOW_MS / BATCH);
    assert_true(r.crop_ms.median < (double)SLOW_MS / BATCH);
    assert_true(r.image_ms.median < SLOW_MS);
}

static void duration_is_kept_with_three_rounds_at_least(void **unused)
{
    (void)unused;
    const struct cxn_env env = { 0 };
    cxn_engine_state state = { .slow_from = SIZE_MAX };
    struct cxn_model model = model_of(&env, &state);
    struct cxn_bench_result r;
    assert_int_equal(cxn_bench(&model, &(struct cxn_bench_options){ .batch = 1, .seconds = 1e-6 },
                               &r, NULL), CXN_OK);
    assert_int_equal(r.runs, 3);
    assert_int_equal(cxn_bench(&model, &(struct cxn_bench_options){ .batch = 1, .seconds = 0.5 },
                               &r, NULL), CXN_OK);
    assert_true(r.runs > 3 && r.runs <= 500 / (2 * QUICK_MS) + 1);
}

static int stop(void *ctx, double done)
{
    (void)ctx;
    return done > 0.0;
}

static void errors_end_it(void **unused)
{
    (void)unused;
    const struct cxn_env env = { 0 };
    cxn_engine_state state = { .slow_from = SIZE_MAX };
    struct cxn_model model = model_of(&env, &state);
    struct cxn_error err = { "" };
    struct cxn_bench_result r;
    const char *const missing[] = { "/none.png" };
    const struct cxn_bench_options bad[] = {
        { .batch = CXN_BENCH_BATCH_MAX + 1 }, { .runs = CXN_BENCH_RUNS_MAX + 1 },
        { .seconds = -1.0 }, { .seconds = CXN_BENCH_SECONDS_MAX + 1.0 }, { .file_count = 1 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
        err.text[0] = '\0';
        assert_int_equal(cxn_bench(&model, &bad[i], &r, &err), CXN_E_ARG);
        assert_true(err.text[0] != '\0');
    }
    assert_int_equal(cxn_bench(NULL, NULL, &r, &err), CXN_E_ARG);
    assert_int_equal(cxn_bench(&model, NULL, NULL, &err), CXN_E_ARG);
    const struct cxn_bench_options file = { .files = missing, .file_count = 1 };
    assert_int_equal(cxn_bench(&model, &file, &r, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "/none.png"));
    assert_int_equal(cxn_bench(&model, &(struct cxn_bench_options){ .progress = stop }, &r, &err),
                     CXN_E_STOPPED);
    state.fails = true;
    assert_int_equal(cxn_bench(&model, NULL, &r, &err), CXN_E_FORMAT);
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    enum cxn_status status = CXN_E_NOMEM;
    size_t n = 0;
    while (status != CXN_OK) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        n += n < 20 ? 1 : 100; /* from there on it is the same two of every round */
        mem.fail_at = n;
        const struct cxn_env env = { .mem = &mem };
        cxn_engine_state state = { .slow_from = SIZE_MAX };
        struct cxn_model model = model_of(&env, &state);
        struct cxn_bench_result r;
        status = cxn_bench(&model, &(struct cxn_bench_options){ .runs = 1 }, &r, NULL);
        if (status != CXN_OK) assert_int_equal(status, CXN_E_NOMEM);
        assert_int_equal(mem.blocks, 0);
    }
    assert_true(n > 10);
}

static enum cxn_status tell_twice(cxn_engine_state *state, const struct cxn_view *view,
                                  cxn_operation_fn *tell, void *ctx, struct cxn_error *err)
{
    if (state->fails) return cxn_fail(err, CXN_E_FORMAT, "out of range");
    assert_int_equal(view->width, CXN_CROP_SIDE);
    /* A slower run each time: the first is not counted, of the others the least is. */
    const double seconds = 0.001 * (double)++state->crop_calls;
    tell(ctx, "conv", seconds, 1e9);
    tell(ctx, "pool", 1.0, 0.0);
    tell(ctx, "conv", seconds, 2e9);
    for (size_t i = 0; i < state->image_calls; i++) {
        char name[40];
        snprintf(name, sizeof name, "other %zu", i);
        tell(ctx, name, 1.0, 0.0);
    }
    return CXN_OK;
}

static void operations_of_one_name_are_added(void **unused)
{
    (void)unused;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_engine telling = engine;
    cxn_engine_state state = { 0 };
    struct cxn_model model = { .env = &env, .engine = &telling, .state = &state };
    struct cxn_bench_operation rows[CXN_BENCH_OPERATIONS_MAX];
    struct cxn_error err = { "" };
    size_t count = 0;
    assert_int_equal(cxn_bench_operations(&model, 3, rows, &count, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "timed"));
    telling.profile = tell_twice;
    assert_int_equal(cxn_bench_operations(&model, 0, rows, &count, &err), CXN_E_ARG);
    assert_int_equal(cxn_bench_operations(&model, 3, NULL, &count, &err), CXN_E_ARG);
    assert_int_equal(cxn_bench_operations(&model, 3, rows, &count, &err), CXN_OK);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].name, "conv");
    assert_string_equal(rows[1].name, "pool");
    assert_int_equal(rows[0].calls, 2);
    assert_float_equal(rows[0].ms, 4.0, 1e-9); /* of the second run: 2 + 2 */
    assert_float_equal(rows[0].gflop, 3.0, 1e-9);
    assert_float_equal(rows[1].gflop, 0.0, 0.0);
    state.image_calls = CXN_BENCH_OPERATIONS_MAX - 2;
    assert_int_equal(cxn_bench_operations(&model, 1, rows, &count, &err), CXN_OK);
    assert_int_equal(count, CXN_BENCH_OPERATIONS_MAX);
    state.image_calls++;
    assert_int_equal(cxn_bench_operations(&model, 1, rows, &count, &err), CXN_E_LIMIT);
    state.fails = true;
    assert_int_equal(cxn_bench_operations(&model, 1, rows, &count, &err), CXN_E_FORMAT);
    assert_int_equal(mem.blocks, 0);
}

#ifdef CXN_SANITIZED
enum { RATES_COUNT = 0 }; /* instrumented loops say nothing about the machine */
#else
enum { RATES_COUNT = 1 };
#endif

/* The widest level beats plain C, and no machine does a tenth or a thousandfold of this. */
static void check_peak(double (*peak)(const cxn_context *), const char *const levels[], size_t n,
                       double most)
{
    double first = 0, last = 0;
    for (size_t i = 0; i < n; i++) {
        cxn_context *ctx = NULL;
        const struct cxn_options o = { .threads = 1, .cpu = levels[i] };
        if (cxn_context_open(&ctx, &o, NULL) != CXN_OK) {
            printf("skipped: no %s\n", levels[i]);
            continue;
        }
        last = peak(ctx);
        if (i == 0) first = last;
        cxn_context_close(&ctx);
        assert_true(last > 0.01 && last < most);
    }
    /* Twice as wide and fused at least: a busy neighbour does not eat that much. */
    if (RATES_COUNT && last != first) assert_true(last > 1.2 * first);
}

static void peak_rises_with_the_level(void **unused)
{
    (void)unused;
    static const char *const floats[] = { "c", "avx2", "avx512" };
    static const char *const bytes[] = { "c", "avx2", "avxvnni", "vnni", "amx" };
    check_peak(cxn_bench_peak_gflops, floats, CXN_COUNTOF(floats), 2000.0);
    check_peak(cxn_bench_peak_int8_gops, bytes, CXN_COUNTOF(bytes), 64000.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_timed_rounds),
        cmocka_unit_test(median_and_p95_are_where_they_belong),
        cmocka_unit_test(duration_is_kept_with_three_rounds_at_least),
        cmocka_unit_test(errors_end_it),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(operations_of_one_name_are_added),
        cmocka_unit_test(peak_rises_with_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
