/* SPDX-License-Identifier: Apache-2.0 */
/* The tiled 3x3 convolution against its definition in double: every shape of the last tiles, and
 * tiles computed in any groups. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "cpu/cpu.h"
#include "fuse/winograd.h"
#include "unit/unit.h"

enum { SIDE_MAX = 43, IN = 19, OUT = 21, STEP = OUT + 5, ROW_MAX = 2 * SIDE_MAX };

struct problem {
    struct cxn_fuse_kernels kernels;
    size_t height, width, row_step;
    float w[OUT * IN * 9];
    float *map, *packed, *scratch; /* map: bordered, [..][row_step] */
    float dst[SIDE_MAX * ROW_MAX * STEP], again[SIDE_MAX * ROW_MAX * STEP];
};

static uint32_t cpu;

static struct problem *open_problem(size_t height, size_t width)
{
    struct problem *p = calloc(1, sizeof *p);
    assert_non_null(p);
    struct cxn_random random = cxn_random_make(height, width);
    p->kernels = cxn_fuse_kernels_f32(cpu);
    p->height = height;
    p->width = width;
    const size_t rows = 4 * cxn_winograd_tiles(height) + 2;
    p->row_step = (4 * cxn_winograd_tiles(width) + 2) * IN;
    p->map = cxn_alloc_zero(NULL, rows * p->row_step, sizeof *p->map);
    p->packed = cxn_alloc(NULL, cxn_winograd_packed_count(&p->kernels, IN, OUT), sizeof *p->packed);
    p->scratch = cxn_alloc(NULL, cxn_winograd_scratch_count(&p->kernels, IN, OUT),
                           sizeof *p->scratch);
    float *plain = malloc(cxn_winograd_plain_count(IN, OUT) * sizeof *plain);
    assert_true(p->map && p->packed && p->scratch && plain);
    for (size_t i = 0; i < CXN_COUNTOF(p->w); i++)
        p->w[i] = (float)(cxn_random_unit(&random) - 0.5);
    for (size_t y = 1; y <= height; y++)
        for (size_t i = IN; i < (width + 1) * IN; i++)
            p->map[y * p->row_step + i] = (float)cxn_random_unit(&random);
    cxn_winograd_pack(&p->kernels, p->packed, p->w, IN, OUT, plain);
    free(plain);
    return p;
}

static void close_problem(struct problem *p)
{
    cxn_free(p->map);
    cxn_free(p->packed);
    cxn_free(p->scratch);
    free(p);
}

/* Tiles in calls of `group`, the last call first. */
static void convolve(struct problem *p, float *dst, size_t group)
{
    const struct cxn_winograd conv = {
        .kernels = &p->kernels, .src = p->map, .in = IN, .src_row_step = p->row_step,
        .w = p->packed, .height = p->height, .width = p->width, .out = OUT, .dst = dst,
        .dst_place_step = STEP, .dst_row_step = p->width * STEP, .scratch = p->scratch
    };
    const size_t tiles = cxn_winograd_tiles(p->height) * cxn_winograd_tiles(p->width);
    for (size_t last = tiles, first; last > 0; last = first) {
        first = last > group ? last - group : 0;
        cxn_winograd_run(&conv, first, last);
    }
}

static double define(const struct problem *p, size_t y, size_t x, size_t o)
{
    double sum = 0.0;
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t i = 0; i < IN; i++)
            sum += (double)p->map[(y + tap / 3) * p->row_step + (x + tap % 3) * IN + i] *
                   (double)p->w[(tap * IN + i) * OUT + o];
    return sum;
}

static void check_numbers(const struct problem *p)
{
    for (size_t at = 0; at < p->height * p->width * STEP; at++) {
        const size_t y = at / STEP / p->width, x = at / STEP % p->width, o = at % STEP;
        if (o >= OUT) assert_true(isnan(p->dst[at]));
        else assert_true(fabs((double)p->dst[at] - define(p, y, x, o)) < 1e-5);
    }
}

static void every_shape_is_right(void **unused)
{
    (void)unused;
    static const size_t sides[][2] = {
        { 1, 1 }, { 1, 7 }, { 2, 3 }, { 3, 8 }, { 4, 4 }, { 5, 2 }, { 6, 14 }, { 7, 7 },
        { 14, 14 }, { SIDE_MAX, 5 }, { 9, ROW_MAX },
    };
    static const size_t groups[] = { 1, 3, 18, 100 };
    for (size_t i = 0; i < CXN_COUNTOF(sides); i++) {
        struct problem *p = open_problem(sides[i][0], sides[i][1]);
        memset(p->dst, 0xff, sizeof p->dst);
        convolve(p, p->dst, 1000);
        check_numbers(p);
        for (size_t k = 0; k < CXN_COUNTOF(groups); k++) {
            memset(p->again, 0xff, sizeof p->again);
            convolve(p, p->again, groups[k]);
            assert_memory_equal(p->again, p->dst, sizeof p->dst);
        }
        close_problem(p);
    }
}

int main(void)
{
    static const char *const levels[] = { "c", "avx2", "avx512" };
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_shape_is_right) };
    int failed = 0;
    for (size_t i = 0; i < CXN_COUNTOF(levels); i++) {
        struct cxn_error err = { "" };
        if (cxn_cpu_limit(cxn_cpu_detect(), levels[i], &cpu, &err) != CXN_OK) {
            printf("skipped: level %s (%s)\n", levels[i], err.text);
            continue;
        }
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
