/* SPDX-License-Identifier: Apache-2.0 */
/* The engines, each at every level that it has: PyTorch's numbers, the same bits for any threads
 * and batch, no allocation while running, and clean failure. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cpu/cpu.h"
#include "fuse/engine.h"
#include "kern/window_f32.h"
#include "nn/walk.h"
#include "quant/engine.h"
#include "unit/unit.h"
#include "quantized_case.h"
#include "small_net.h"

enum { OUTPUTS = SMALL_VIEWS * SMALL_CLASSES };

/* What the tests of a group are about: main() sets them. */
static const struct cxn_engine *engine = &cxn_engine_reference;
static uint32_t cpu;
static double allowed = 1e-6; /* difference from PyTorch in double */
static cxn_quantized *quantized; /* of engine int8 */

static struct cxn_engine_source source_of(const struct small_net *s)
{
    return (struct cxn_engine_source){ .net = s->net, .block = s->block, .quantized = quantized };
}

static cxn_engine_state *open_engine(const struct cxn_engine *which, const struct small_net *s,
                                     const struct cxn_env *env)
{
    const struct cxn_engine_source source = source_of(s);
    cxn_engine_state *state = NULL;
    struct cxn_error err = { "" };
    assert_int_equal(which->open(&state, &source, env, &err), CXN_OK);
    return state;
}

static double worst_difference(const double *got, const double *want)
{
    double worst = 0.0;
    for (size_t i = 0; i < OUTPUTS; i++) {
        const double d = fabs(got[i] - want[i]);
        if (!(d <= worst)) worst = d; /* a NaN too */
    }
    return worst;
}

static void numbers_are_pytorchs(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { 0 };
    double got[OUTPUTS];
    cxn_engine_state *state = open_engine(&cxn_engine_ref64, s, &env);
    assert_int_equal(cxn_walk_run64(state, s->views, SMALL_VIEWS, got, NULL), CXN_OK);
    cxn_engine_ref64.close(&state);
    assert_null(state);
    assert_true(worst_difference(got, s->want64) < 1e-12);
    state = open_engine(&cxn_engine_reference, s, &env);
    assert_int_equal(cxn_walk_run64(state, s->views, SMALL_VIEWS, got, NULL), CXN_OK);
    cxn_engine_reference.close(&state);
    assert_true(worst_difference(got, s->want64) < 1e-6);
    assert_true(worst_difference(got, s->want32) < 1e-6);
}

/* Each grey level becomes the float that torchvision makes of it, to the bit. */
static void levels_are_torchvisions(void **unused)
{
    (void)unused;
    float want[256 * 3], got[256 * 3], mirrored[256 * 3];
    uint8_t levels[256];
    FILE *f = fopen("tests/golden/nn_window.f32", "rb");
    assert_non_null(f);
    assert_int_equal(fread(want, sizeof want[0], CXN_COUNTOF(want), f), CXN_COUNTOF(want));
    fclose(f);
    for (size_t i = 0; i < 256; i++) levels[i] = (uint8_t)i;
    struct cxn_window_f32 window = { .src = levels, .stride_bytes = 256, .width = 256,
                                     .height = 1, .channels = 1 };
    cxn_window_f32_pick(0)->run(got, &window);
    assert_memory_equal(got, want, sizeof got);
    window.mirror = true;
    cxn_window_f32_pick(0)->run(mirrored, &window);
    for (size_t i = 0; i < 256; i++)
        assert_memory_equal(mirrored + 3 * i, want + 3 * (255 - i), 3 * sizeof *want);
}

static void numbers_are_close(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    float prob[OUTPUTS];
    double got[OUTPUTS];
    cxn_engine_state *state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, s->views, SMALL_VIEWS, prob, NULL), CXN_OK);
    for (size_t i = 0; i < OUTPUTS; i++) got[i] = (double)prob[i];
    engine->close(&state);
    assert_null(state);
    assert_true(worst_difference(got, s->want64) < allowed);
}

struct shape_case {
    struct cxn_view view;
    double want[SMALL_CLASSES];
};

/* One line of nn_shapes.txt; false at its end. */
static bool read_shape(FILE *f, const struct small_net *s, struct shape_case *c)
{
    unsigned picture, mirror;
    struct cxn_view *v = &c->view;
    const int read = fscanf(f, "%u %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %u", &picture,
                            &v->x, &v->y, &v->width, &v->height, &mirror);
    if (read == EOF) return false;
    assert_int_equal(read, 6);
    assert_in_range(picture, 0, SMALL_PICTURES - 1);
    v->picture = &s->pictures[picture];
    v->mirror = mirror == 1;
    for (size_t i = 0; i < SMALL_CLASSES; i++) assert_int_equal(fscanf(f, "%lf", &c->want[i]), 1);
    return true;
}

/* Every view of nn_shapes.txt, by one thread and by a team of three. */
static void check_shapes(const struct cxn_engine *which, const struct small_net *s, double bound)
{
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct cxn_env env = { .cpu = cpu };
        struct shape_case c;
        float prob[SMALL_CLASSES];
        size_t count = 0;
        FILE *f = fopen("tests/golden/nn_shapes.txt", "r");
        assert_non_null(f);
        assert_int_equal(cxn_pool_open(&env.pool, threads, NULL), CXN_OK);
        cxn_engine_state *state = open_engine(which, s, &env);
        for (; read_shape(f, s, &c); count++) {
            assert_int_equal(which->run(state, &c.view, 1, prob, NULL), CXN_OK);
            for (size_t i = 0; i < SMALL_CLASSES; i++)
                if (!(fabs((double)prob[i] - c.want[i]) < bound))
                    fail_msg("%ux%u, output %zu: %.9g, PyTorch %.9g", c.view.width,
                             c.view.height, i, (double)prob[i], c.want[i]);
        }
        assert_true(count >= 9);
        which->close(&state);
        cxn_pool_close(&env.pool);
        fclose(f);
    }
}

static void any_shape_is_pytorchs(void **fixture)
{
    check_shapes(engine, *fixture, allowed);
}

static void any_shape_is_pytorchs_in_ref64(void **fixture)
{
    check_shapes(&cxn_engine_ref64, *fixture, 1e-7); /* its answer is rounded to float */
}

/* Views of all sorts of sides at many offsets, some mirrored. */
static size_t fill_views(const struct small_net *s, struct cxn_view *views, size_t most)
{
    size_t count = 0;
    for (uint32_t i = 0; count < most; i++)
        views[count++] = (struct cxn_view){ .picture = &s->pictures[i % SMALL_PICTURES],
                                            .x = i % 2 ? 0 : i * 5 % 24, .y = i * 7 % 24,
                                            .width = i % 2 ? 64 : 32 + i * 3 % 9,
                                            .height = 32 + i * 11 % 9, .mirror = i % 3 == 0 };
    return count;
}

/* The same bits with 1, 2, 3 and 7 threads, and whether a view comes alone or among others. */
static void bits_are_independent(const struct cxn_engine *which, const struct small_net *s)
{
    enum { VIEWS = 23 };
    static const unsigned threads[] = { 1, 2, 3, 7 };
    struct cxn_view views[VIEWS];
    float want[VIEWS * SMALL_CLASSES], got[VIEWS * SMALL_CLASSES];
    assert_int_equal(fill_views(s, views, VIEWS), VIEWS);
    for (size_t t = 0; t < CXN_COUNTOF(threads); t++) {
        struct cxn_env env = { .cpu = cpu };
        assert_int_equal(cxn_pool_open(&env.pool, threads[t], NULL), CXN_OK);
        cxn_engine_state *state = open_engine(which, s, &env);
        for (size_t i = 0; t == 0 && i < VIEWS; i++)
            assert_int_equal(which->run(state, &views[i], 1, want + i * SMALL_CLASSES, NULL),
                             CXN_OK);
        assert_int_equal(which->run(state, views, VIEWS, got, NULL), CXN_OK);
        assert_memory_equal(got, want, sizeof got);
        which->close(&state);
        cxn_pool_close(&env.pool);
    }
    assert_memory_not_equal(want, want + SMALL_CLASSES, SMALL_CLASSES * sizeof *want);
}

static void the_bits_are_independent(void **fixture)
{
    bits_are_independent(engine, *fixture);
}

static void ref64_bits_are_independent(void **fixture)
{
    bits_are_independent(&cxn_engine_ref64, *fixture);
}

/* A window of a larger picture gives what the same pixels give by themselves. */
static void windows_are_cut(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    enum { WIDTH = 100, HEIGHT = 81, X = 29, Y = 17 };
    uint8_t *large = malloc((size_t)3 * WIDTH * HEIGHT);
    assert_non_null(large);
    memset(large, 77, (size_t)3 * WIDTH * HEIGHT);
    const struct cxn_picture *small = &s->pictures[2];
    for (size_t y = 0; y < SMALL_SIDE; y++)
        memcpy(large + ((Y + y) * WIDTH + X) * 3, small->pixels + y * small->stride_bytes,
               (size_t)3 * SMALL_SIDE);
    const struct cxn_picture picture = { large, WIDTH, HEIGHT, 3, (size_t)3 * WIDTH };
    struct cxn_view view = s->views[4];
    float want[SMALL_CLASSES], got[SMALL_CLASSES];
    cxn_engine_state *state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, &view, 1, want, NULL), CXN_OK);
    view.picture = &picture;
    view.x = X;
    view.y = Y;
    assert_int_equal(engine->run(state, &view, 1, got, NULL), CXN_OK);
    assert_memory_equal(got, want, sizeof got);
    engine->close(&state);
    free(large);
}

static void running_allocates_nothing(void **fixture)
{
    const struct small_net *s = *fixture;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    struct cxn_env env = { .mem = &mem, .cpu = cpu };
    assert_int_equal(cxn_pool_open(&env.pool, 3, NULL), CXN_OK);
    cxn_engine_state *state = open_engine(engine, s, &env);
    const size_t calls = atomic_load(&mem.calls), used = atomic_load(&mem.used_bytes);
    float prob[OUTPUTS];
    assert_true(calls > 0);
    assert_int_equal(engine->run(state, s->views, SMALL_VIEWS, prob, NULL), CXN_OK);
    assert_int_equal(atomic_load(&mem.calls), calls);
    assert_int_equal(atomic_load(&mem.used_bytes), used);
    engine->close(&state);
    assert_int_equal(atomic_load(&mem.blocks), 0);
    cxn_pool_close(&env.pool);
}

static void failing_allocations_leave_nothing(void **fixture)
{
    const struct cxn_engine_source source = source_of(*fixture);
    size_t failures = 0;
    for (size_t k = 1;; k++) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        mem.fail_at = k;
        const struct cxn_env env = { .mem = &mem, .cpu = cpu };
        cxn_engine_state *state = NULL;
        struct cxn_error err = { "" };
        const enum cxn_status status = engine->open(&state, &source, &env, &err);
        if (status == CXN_OK) {
            engine->close(&state);
            break;
        }
        assert_int_equal(status, CXN_E_NOMEM);
        assert_null(state);
        assert_non_null(strstr(err.text, "no memory for"));
        assert_int_equal(atomic_load(&mem.blocks), 0);
        failures++;
    }
    assert_true(failures >= 5);
}

static void huge_room_is_refused_by_the_budget(void **fixture)
{
    const struct small_net *s = *fixture;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 64 << 20);
    const struct cxn_env env = { .mem = &mem, .cpu = cpu };
    static const struct cxn_room rooms[] = {
        { 1 << 15, 1 << 15 }, { 32, UINT32_MAX }, { UINT32_MAX, UINT32_MAX }
    };
    float want[SMALL_CLASSES], got[SMALL_CLASSES];
    cxn_engine_state *state = open_engine(engine, s, &env);
    const size_t used = atomic_load(&mem.used_bytes);
    assert_int_equal(engine->run(state, s->views, 1, want, NULL), CXN_OK);
    for (size_t i = 0; i < CXN_COUNTOF(rooms); i++) {
        struct cxn_error err = { "" };
        assert_int_equal(engine->fit(state, &rooms[i], &err), CXN_E_NOMEM);
        assert_non_null(strstr(err.text, "feature maps"));
        assert_int_equal(atomic_load(&mem.used_bytes), used);
        assert_int_equal(engine->run(state, s->views, 1, got, NULL), CXN_OK);
        assert_memory_equal(got, want, sizeof got);
    }
    engine->close(&state);
    assert_int_equal(atomic_load(&mem.blocks), 0);
}

/* Each allocation of fit() may fail: the old room stays, and nothing leaks. */
static void a_failing_fit_changes_nothing(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_room room = { 256, 300 };
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem, .cpu = cpu };
    cxn_engine_state *state = open_engine(engine, s, &env);
    const size_t used = atomic_load(&mem.used_bytes);
    size_t failures = 0;
    for (mem.fail_at = atomic_load(&mem.calls) + 1; engine->fit(state, &room, NULL) != CXN_OK;
         mem.fail_at = atomic_load(&mem.calls) + 1 + failures) {
        assert_int_equal(atomic_load(&mem.used_bytes), used);
        failures++;
        assert_true(failures < 9);
    }
    assert_true(failures > 0);
    assert_true(atomic_load(&mem.used_bytes) > used);
    engine->close(&state);
    assert_int_equal(atomic_load(&mem.blocks), 0);
}

static void wrong_views_are_refused(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    const struct cxn_picture two_channels = { s->pixels, 64, 64, 2, 128 };
    const struct cxn_picture wide = { s->pixels, 1024, 64, 1, 0 }; /* one row, again and again */
    const struct cxn_view bad[] = {
        { .picture = &s->pictures[0], .width = 31, .height = 32 },
        { .picture = &s->pictures[0], .width = 32, .height = 0 },
        { .picture = &s->pictures[0], .width = 96, .height = 32 },
        { .picture = &s->pictures[0], .x = 1, .width = 64, .height = 64 },
        { .picture = &s->pictures[0], .y = UINT32_MAX, .width = 32, .height = 32 },
        { .picture = &two_channels, .width = 32, .height = 32 },
        { .picture = &wide, .width = 225, .height = 64 }, /* the usual room is 224x224 */
    };
    cxn_engine_state *state = open_engine(engine, s, &env);
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
        const struct cxn_view views[2] = { s->views[0], bad[i] };
        float prob[2 * SMALL_CLASSES];
        struct cxn_error err = { "" };
        assert_int_equal(engine->run(state, views, 2, prob, &err), CXN_E_ARG);
        assert_non_null(strstr(err.text, "view 1: "));
    }
    engine->close(&state);
}

/* Finite weights can still drive the sums to infinity minus infinity. */
static void overflow_is_an_error(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    float *block = malloc(s->net->float_count * sizeof *block);
    assert_non_null(block);
    memcpy(block, s->block, s->net->float_count * sizeof *block);
    const struct cxn_net_tensor *head = cxn_net_find(s->net, "classifier.weight");
    for (size_t i = 0; i < head->count; i++) block[head->offset + i] = i % 2 ? 3e38f : -3e38f;
    const struct cxn_net_tensor *norm = cxn_net_find(s->net, "features.norm5.bias");
    for (size_t i = 0; i < norm->count; i++) block[norm->offset + i] = 1e5f;
    const struct cxn_engine_source source = { .net = s->net, .block = block };
    cxn_engine_state *state = NULL;
    float prob[SMALL_CLASSES];
    struct cxn_error err = { "" };
    assert_int_equal(engine->open(&state, &source, &env, NULL), CXN_OK);
    assert_int_equal(engine->run(state, s->views, 1, prob, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "not a number"));
    engine->close(&state);
    free(block);
}

/* More room lets a larger view through, and no view keeps traces of another. */
static void views_may_be_larger(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    enum { WIDTH = 1023, HEIGHT = 65 };
    uint8_t *pixels = malloc(WIDTH * HEIGHT);
    assert_non_null(pixels);
    for (size_t i = 0; i < WIDTH * HEIGHT; i++) pixels[i] = (uint8_t)(i * 31 >> 4);
    const struct cxn_picture wide = { pixels, WIDTH, HEIGHT, 1, WIDTH };
    const struct cxn_view large = { .picture = &wide, .width = WIDTH, .height = HEIGHT };
    const struct cxn_room room = { HEIGHT, WIDTH };
    float first[SMALL_CLASSES], again[SMALL_CLASSES], prob[SMALL_CLASSES];
    cxn_engine_state *state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, s->views, 1, first, NULL), CXN_OK);
    assert_int_equal(engine->run(state, &large, 1, prob, NULL), CXN_E_ARG);
    assert_int_equal(engine->fit(state, &room, NULL), CXN_OK);
    assert_int_equal(engine->run(state, &large, 1, prob, NULL), CXN_OK);
    assert_int_equal(engine->run(state, s->views, 1, again, NULL), CXN_OK);
    assert_memory_equal(first, again, sizeof first);
    engine->close(&state);
    free(pixels);
}

/* What a profile told, by name. */
struct told {
    struct { char name[64]; double flops; } rows[32];
    size_t count;
    double seconds;
};

static void note_operation(void *ctx, const char *name, double seconds, double flops)
{
    struct told *t = ctx;
    size_t i = 0;
    assert_true(seconds >= 0.0 && flops >= 0.0);
    while (i < t->count && strcmp(t->rows[i].name, name) != 0) i++;
    assert_true(i < CXN_COUNTOF(t->rows));
    if (i == t->count) snprintf(t->rows[t->count++].name, sizeof t->rows[i].name, "%s", name);
    t->rows[i].flops += flops;
    t->seconds += seconds;
}

static double flops_of(const struct told *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].name, name) == 0) return t->rows[i].flops;
    fail_msg("no operation '%s'", name);
    return 0.0;
}

static void profile_view(const struct cxn_engine *which, const struct small_net *s,
                         const struct cxn_view *view, struct told *told)
{
    const struct cxn_env env = { .cpu = cpu };
    cxn_engine_state *state = open_engine(which, s, &env);
    *told = (struct told){ .count = 0 };
    const double started = cxn_clock_seconds();
    assert_int_equal(which->profile(state, view, note_operation, told, NULL), CXN_OK);
    assert_true(told->seconds > 0.0 && told->seconds <= cxn_clock_seconds() - started);
    which->close(&state);
}

/* Every engine tells the network's convolutions, with the products of their definition, however it
 * computes them; no more time than there was; and refuses what run() refuses. */
static void a_profile_is_the_networks(void **fixture)
{
    const struct small_net *s = *fixture;
    struct told want, got;
    struct cxn_view views[3] = { s->views[0], s->views[3], s->views[4] };
    views[1].width = 57;
    views[1].height = 63;
    for (size_t v = 0; v < CXN_COUNTOF(views); v++) {
        profile_view(&cxn_engine_reference, s, &views[v], &want);
        profile_view(engine, s, &views[v], &got);
        for (size_t i = 0; i < want.count; i++) {
            const double flops = want.rows[i].flops;
            if (flops == 0.0) continue;
            assert_true(fabs(flops_of(&got, want.rows[i].name) - flops) < 1e-9 * flops);
        }
        for (size_t i = 0; i < got.count; i++)
            if (got.rows[i].flops > 0.0) flops_of(&want, got.rows[i].name);
    }
    const struct cxn_env env = { .cpu = cpu };
    cxn_engine_state *state = open_engine(engine, s, &env);
    views[0].width = 65;
    assert_int_equal(engine->profile(state, views, note_operation, &got, NULL), CXN_E_ARG);
    engine->close(&state);
}

/* One whose layers are computed in many pieces. */
static struct cxn_view draw_large_view(void)
{
    enum { WIDTH = 224, HEIGHT = 173 };
    static uint8_t pixels[WIDTH * HEIGHT];
    static const struct cxn_picture picture = { pixels, WIDTH, HEIGHT, 1, WIDTH };
    for (size_t i = 0; i < WIDTH * HEIGHT; i++) pixels[i] = (uint8_t)(i * i * 7 >> 9);
    return (struct cxn_view){ .picture = &picture, .width = WIDTH, .height = HEIGHT };
}

/* A view whose layers are computed in many pieces: right, and the same bits alone and shared. */
static void large_views_are_close(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_view view = draw_large_view();
    struct cxn_env env = { .cpu = cpu };
    double want[SMALL_CLASSES];
    float alone[SMALL_CLASSES], shared[SMALL_CLASSES];
    cxn_engine_state *state = open_engine(&cxn_engine_ref64, s, &env);
    assert_int_equal(cxn_walk_run64(state, &view, 1, want, NULL), CXN_OK);
    cxn_engine_ref64.close(&state);
    state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, &view, 1, alone, NULL), CXN_OK);
    engine->close(&state);
    for (size_t i = 0; i < SMALL_CLASSES; i++)
        assert_true(fabs((double)alone[i] - want[i]) < allowed);
    assert_int_equal(cxn_pool_open(&env.pool, 3, NULL), CXN_OK);
    state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, &view, 1, shared, NULL), CXN_OK);
    assert_memory_equal(shared, alone, sizeof alone);
    engine->close(&state);
    cxn_pool_close(&env.pool);
}

/* ---- bytes -------------------------------------------------------------------------------- */

/* Any shape, grey and colour, mirrored, shared by any number of threads: docs/int8.md to the
 * bit. */
static void bytes_are_the_definitions(void **fixture)
{
    enum { VIEWS = 13 };
    const struct small_net *s = *fixture;
    struct cxn_view views[VIEWS];
    float want[VIEWS * SMALL_CLASSES], got[VIEWS * SMALL_CLASSES];
    size_t count = fill_views(s, views, VIEWS - 2);
    views[count++] = (struct cxn_view){ .picture = &s->pictures[2], .x = 1, .width = 57,
                                        .height = 63, .mirror = true };
    views[count++] = (struct cxn_view){ .picture = &s->pictures[0], .y = 3, .width = 63,
                                        .height = 33, .mirror = true };
    for (size_t i = 0; i < VIEWS; i++)
        walk_quantized(quantized, &views[i], want + i * SMALL_CLASSES);
    assert_memory_not_equal(want, want + SMALL_CLASSES, SMALL_CLASSES * sizeof *want);
    for (unsigned threads = 1; threads <= 7; threads++) {
        struct cxn_env env = { .cpu = cpu };
        assert_int_equal(cxn_pool_open(&env.pool, threads, NULL), CXN_OK);
        cxn_engine_state *state = open_engine(engine, s, &env);
        memset(got, 0xff, sizeof got); /* NaNs, not what the threads before left */
        for (size_t first = 0, n = threads % 3 + 1; first < VIEWS; first += n) {
            if (n > VIEWS - first) n = VIEWS - first;
            assert_int_equal(engine->run(state, views + first, n, got + first * SMALL_CLASSES,
                                         NULL), CXN_OK);
        }
        assert_memory_equal(got, want, sizeof got);
        engine->close(&state);
        cxn_pool_close(&env.pool);
    }
}

/* The same of a view whose layers are computed in many pieces. */
static void large_views_are_the_definitions(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_view view = draw_large_view();
    float want[SMALL_CLASSES], got[SMALL_CLASSES];
    walk_quantized(quantized, &view, want);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct cxn_env env = { .cpu = cpu };
        assert_int_equal(cxn_pool_open(&env.pool, threads, NULL), CXN_OK);
        cxn_engine_state *state = open_engine(engine, s, &env);
        memset(got, 0xff, sizeof got);
        assert_int_equal(engine->run(state, &view, 1, got, NULL), CXN_OK);
        assert_memory_equal(got, want, sizeof got);
        engine->close(&state);
        cxn_pool_close(&env.pool);
    }
}

/* b of output 0 of each convolution, by its part; saved, if not NULL: what it was. */
static void set_first_b(const float *b, float *saved)
{
    for (size_t i = 0; i < quantized->fold->count; i++) {
        if (!quantized->parts[i].m) continue;
        if (saved) saved[i] = quantized->parts[i].b[0];
        quantized->parts[i].b[0] = b[i];
    }
}

/* Values beyond int32 become the greatest byte in every layer: none may be packed as bounded. */
static void bytes_beyond_int32_are_the_definitions(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    const size_t count = quantized->fold->count;
    float *beyond = calloc(2 * count, sizeof *beyond), *saved = beyond + count;
    float want[SMALL_CLASSES], got[SMALL_CLASSES];
    assert_non_null(beyond);
    for (size_t i = 0; i < count; i++) beyond[i] = 3e9f;
    set_first_b(beyond, saved);
    walk_quantized(quantized, &s->views[0], want);
    cxn_engine_state *state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, s->views, 1, got, NULL), CXN_OK);
    assert_memory_equal(got, want, sizeof got);
    engine->close(&state);
    set_first_b(saved, NULL);
    free(beyond);
}

static void byte_overflow_is_an_error(void **fixture)
{
    const struct small_net *s = *fixture;
    const struct cxn_env env = { .cpu = cpu };
    const size_t last = quantized->fold->count - 1;
    float *linear = quantized->parts[last].linear;
    const size_t bytes = quantized->fold->parts[last].first_count * sizeof *linear;
    float *saved = malloc(bytes), prob[SMALL_CLASSES];
    struct cxn_error err = { "" };
    assert_non_null(saved);
    memcpy(saved, linear, bytes);
    for (size_t i = 0; i < bytes / sizeof *linear; i++) linear[i] = i % 2 ? 3e38f : -3e38f;
    cxn_engine_state *state = open_engine(engine, s, &env);
    assert_int_equal(engine->run(state, s->views, 1, prob, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "not a number"));
    engine->close(&state);
    memcpy(linear, saved, bytes);
    free(saved);
}

static int open_fixture(void **fixture)
{
    static struct small_net s;
    small_net_open(&s);
    *fixture = &s;
    return 0;
}

static int close_fixture(void **fixture)
{
    small_net_close(*fixture);
    return 0;
}

/* All that holds for every engine, as a group of that name. */
static int test_engine(const struct cxn_engine *which, uint32_t bits, double difference)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_close),
        cmocka_unit_test(the_bits_are_independent),
        cmocka_unit_test(windows_are_cut),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(any_shape_is_pytorchs),
        cmocka_unit_test(huge_room_is_refused_by_the_budget),
        cmocka_unit_test(a_failing_fit_changes_nothing),
        cmocka_unit_test(wrong_views_are_refused),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(views_may_be_larger),
        cmocka_unit_test(a_profile_is_the_networks),
        cmocka_unit_test(large_views_are_close),
    };
    engine = which;
    cpu = bits;
    allowed = difference;
    printf("engine %s, level %s\n", engine->name, cxn_cpu_level(cpu));
    fflush(stdout);
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}

/* The same for that of bytes, whose numbers are random; put_back: some layers in two parts. */
static int test_int8(uint32_t bits, bool put_back)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_definitions),
        cmocka_unit_test(large_views_are_the_definitions),
        cmocka_unit_test(bytes_beyond_int32_are_the_definitions),
        cmocka_unit_test(byte_overflow_is_an_error),
        cmocka_unit_test(the_bits_are_independent),
        cmocka_unit_test(windows_are_cut),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(huge_room_is_refused_by_the_budget),
        cmocka_unit_test(a_failing_fit_changes_nothing),
        cmocka_unit_test(wrong_views_are_refused),
        cmocka_unit_test(views_may_be_larger),
        cmocka_unit_test(a_profile_is_the_networks),
    };
    cxn_net *net;
    cxn_fold *fold;
    if (cxn_net_open(&net, &small_config, NULL, NULL) != CXN_OK) return 1;
    if (cxn_fold_open(&fold, net, NULL, NULL) != CXN_OK) return 1;
    engine = &cxn_engine_int8;
    cpu = bits;
    quantized = random_quantized(fold, put_back, 5);
    printf("engine %s%s, level %s\n", engine->name, put_back ? ", layers put back" : "",
           engine->level(cpu));
    fflush(stdout);
    const int failed = cmocka_run_group_tests(tests, open_fixture, close_fixture);
    cxn_quantized_close(&quantized);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
    return failed;
}

/* Those of plain C that all others are held against. */
static int test_references(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_pytorchs),
        cmocka_unit_test(levels_are_torchvisions),
        cmocka_unit_test(ref64_bits_are_independent),
        cmocka_unit_test(any_shape_is_pytorchs_in_ref64),
    };
    int failed = cmocka_run_group_tests(tests, open_fixture, close_fixture);
    failed += test_engine(&cxn_engine_reference, 0, 1e-6);
    failed += test_engine(&cxn_engine_bf16_dots, 0, 2e-2);
    return failed;
}

/* test_engine references|LEVEL: status 77 where this machine has no such level. */
int main(int argc, char **argv)
{
    uint32_t bits;
    struct cxn_error err = { "" };
    if (argc != 2) return 2;
    if (strcmp(argv[1], "references") == 0) return test_references();
    if (cxn_cpu_limit(cxn_cpu_detect(), argv[1], &bits, &err) != CXN_OK) {
        printf("skipped: engines at level %s (%s)\n", argv[1], err.text);
        return 77;
    }
    int failed = test_engine(&cxn_engine_fp32, bits, 1e-6);
    failed += test_engine(&cxn_engine_bf16, bits, 2e-2);
    /* What bf16 is where VDPBF16PS is fast, whether or not it is here. */
    if ((bits & CXN_CPU_AVX512_BF16) && !(bits & (CXN_CPU_AMX_BF16 | CXN_CPU_BF16_DOTS)))
        failed += test_engine(&cxn_engine_bf16_dots, bits, 2e-2);
    failed += test_int8(bits, false);
    failed += test_int8(bits, true);
    return failed;
}
