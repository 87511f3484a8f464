/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_bench MODEL MODE LEVEL THREADS BATCH ROUNDS: times an engine on BATCH crops of a picture
 * of noise, and prints ms a crop (minimum and median of the rounds), the time to open, and, of
 * weights as trained, the largest difference from mode reference.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/engines.h"
#include "api/numbers.h"
#include "base/clock.h"
#include "base/random.h"
#include "cpu/cpu.h"

enum { SIDE = 256, VIEW = 224, BATCH_MAX = 64, ROUNDS_MAX = 1000, CLASSES = 14 };

struct bench {
    struct cxn_env env;
    struct cxn_numbers numbers;
    struct cxn_picture picture;
    struct cxn_view views[BATCH_MAX];
    size_t batch;
    float prob[BATCH_MAX * CLASSES], want[BATCH_MAX * CLASSES];
    double seconds[ROUNDS_MAX];
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum cxn_status measure(struct bench *b, const struct cxn_engine *engine, size_t rounds,
                               float *prob, struct cxn_error *err)
{
    cxn_engine_state *state = NULL;
    const double begin = cxn_clock_seconds();
    enum cxn_status status = engine->open(&state, &b->numbers.source, &b->env, err);
    const double opened = cxn_clock_seconds() - begin;
    for (size_t i = 0; status == CXN_OK && i < rounds; i++) {
        const double start = cxn_clock_seconds();
        status = engine->run(state, b->views, b->batch, prob, err);
        b->seconds[i] = cxn_clock_seconds() - start;
    }
    engine->close(&state);
    if (status != CXN_OK || rounds == 1) return status;
    qsort(b->seconds, rounds, sizeof b->seconds[0], by_value);
    const double unit = 1e3 / (double)b->batch;
    printf("%s level %s threads %u batch %zu: %.3f ms/crop min, %.3f median, open %.1f ms",
           engine->name, cxn_cpu_level(b->env.cpu), cxn_pool_threads(b->env.pool), b->batch,
           b->seconds[0] * unit, b->seconds[rounds / 2] * unit, opened * 1e3);
    return status;
}

static void fill(struct bench *b)
{
    struct cxn_random random = cxn_random_make(1, 1);
    static uint8_t pixels[SIDE * SIDE];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i / SIDE / 2 + i % SIDE / 4 + cxn_random_below(&random, 60));
    b->picture = (struct cxn_picture){ pixels, SIDE, SIDE, 1, SIDE };
    for (uint32_t i = 0; i < b->batch; i++)
        b->views[i] = (struct cxn_view){ .picture = &b->picture, .x = i * 7 % 33, .y = i * 3 % 33,
                                         .width = VIEW, .height = VIEW, .mirror = i % 2 == 1 };
}

static enum cxn_status compare(struct bench *b, struct cxn_error *err)
{
    const enum cxn_status status = measure(b, &cxn_engine_reference, 1, b->want, err);
    double worst = 0.0;
    for (size_t i = 0; i < b->batch * CLASSES; i++)
        worst = fmax(worst, fabs((double)b->prob[i] - (double)b->want[i]));
    printf(", difference %.2g", worst);
    return status;
}

static enum cxn_status bench(struct bench *b, char **argv, struct cxn_error *err)
{
    const struct cxn_engine *engine;
    cxn_net *net;
    b->batch = strtoul(argv[5], NULL, 10);
    const size_t rounds = strtoul(argv[6], NULL, 10);
    if (b->batch < 1 || b->batch > BATCH_MAX || rounds < 2 || rounds > ROUNDS_MAX)
        return cxn_fail(err, CXN_E_ARG, "batch 1..%d, rounds 2..%d", BATCH_MAX, ROUNDS_MAX);
    fill(b);
    enum cxn_status status = cxn_cpu_limit(cxn_cpu_detect(), argv[3], &b->env.cpu, err);
    if (status == CXN_OK)
        status = cxn_pool_open(&b->env.pool, (unsigned)strtoul(argv[4], NULL, 10), err);
    if (status == CXN_OK) status = cxn_engine_choose(argv[2], b->env.cpu, &engine, err);
    if (status == CXN_OK) status = cxn_net_open(&net, &cxn_densenet121, NULL, err);
    if (status == CXN_OK) status = cxn_numbers_open(&b->numbers, &b->env, net, argv[1], err);
    if (status == CXN_OK) status = cxn_numbers_choose(&b->numbers, argv[2], &engine, err);
    if (status == CXN_OK) status = measure(b, engine, rounds, b->prob, err);
    if (status == CXN_OK && b->numbers.block) status = compare(b, err);
    if (status == CXN_OK) putchar('\n');
    return status;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct cxn_error err = { "" };
    if (argc != 7) {
        fputs("usage: engine_bench MODEL MODE LEVEL THREADS BATCH ROUNDS\n", stderr);
        return 2;
    }
    const enum cxn_status status = bench(&b, argv, &err);
    if (status != CXN_OK) fprintf(stderr, "engine_bench: %s\n", err.text);
    return cxn_status_exit(status);
}
