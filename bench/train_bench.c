/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train_bench fp32|bf16 LEVEL THREADS BATCH STEPS: steps of SGD on BATCH crops of a picture of
 * noise, one shard, from random weights. Prints the median ms a crop of the forward pass, the
 * backward pass and the update, of the fastest and the median step, and the peak of memory.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/random.h"
#include "cpu/cpu.h"
#include "nn/trainer.h"

enum { SIDE = 256, VIEW = 224, BATCH_MAX = 256, STEPS_MAX = 1000, CLASSES = 14, PARTS = 4 };

struct bench {
    struct cxn_env env;
    struct cxn_trainer_options options;
    cxn_net *net;
    float *block;
    struct cxn_picture picture;
    struct cxn_train_view views[BATCH_MAX];
    double logits[BATCH_MAX * CLASSES];
    double seconds[PARTS][STEPS_MAX]; /* forward, backward, update, all */
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* -1..1 */
static float draw(struct cxn_random *random)
{
    return (float)((double)cxn_random_below(random, 1u << 20) / (1 << 19) - 1.0);
}

/* Convolutions keep the variance through a ReLU; norms begin as PyTorch's. */
static void fill_tensor(const struct cxn_net_tensor *t, float *w, struct cxn_random *random)
{
    const double fan = t->rank == 4 ? (double)t->dims[1] * t->dims[2] * t->dims[3] : t->dims[1];
    for (size_t i = 0; i < t->count; i++) {
        switch (t->role) {
        case CXN_ROLE_CONV: w[i] = draw(random) * (float)sqrt(6.0 / fan); break;
        case CXN_ROLE_HEAD_WEIGHT: w[i] = draw(random) / (float)sqrt(fan); break;
        case CXN_ROLE_NORM_WEIGHT:
        case CXN_ROLE_NORM_VAR: w[i] = 1.0f; break;
        case CXN_ROLE_NORM_BIAS:
        case CXN_ROLE_NORM_MEAN:
        case CXN_ROLE_HEAD_BIAS: w[i] = 0.0f; break;
        }
    }
}

static enum cxn_status prepare(struct bench *b, struct cxn_error *err)
{
    struct cxn_random random = cxn_random_make(1, 1);
    const enum cxn_status status = cxn_net_open(&b->net, &cxn_densenet121, NULL, err);
    if (status != CXN_OK) return status;
    b->block = cxn_alloc(NULL, b->net->float_count, sizeof *b->block);
    uint8_t *pixels = cxn_alloc(NULL, SIDE, SIDE);
    if (!b->block || !pixels) return cxn_fail_nomem(err, NULL, SIDE * SIDE, "a picture");
    for (size_t i = 0; i < SIDE * SIDE; i++) pixels[i] = (uint8_t)cxn_random_below(&random, 256);
    for (size_t i = 0; i < b->net->tensor_count; i++)
        fill_tensor(&b->net->tensors[i], b->block + b->net->tensors[i].offset, &random);
    b->picture = (struct cxn_picture){ .pixels = pixels, .stride_bytes = SIDE, .width = SIDE,
                                       .height = SIDE, .channels = 1 };
    for (size_t i = 0; i < b->options.views_max; i++)
        b->views[i] = (struct cxn_train_view){
            .view = { .picture = &b->picture, .x = (uint32_t)i % 32, .y = (uint32_t)i / 32,
                      .width = VIEW, .height = VIEW, .mirror = i % 2 > 0 },
            .matrix = { { 1.0f, 0.0f }, { 0.0f, 1.0f } }, .gain = 1.0f
        };
    return CXN_OK;
}

/* Binary cross-entropy against labels that are all 0: its gradient is the probability. */
static enum cxn_status step(struct bench *b, cxn_trainer_state *state, size_t i,
                            struct cxn_error *err)
{
    const size_t views = b->options.views_max;
    const struct cxn_update update = { .rule = CXN_RULE_SGD, .step = i + 1, .lr = 1e-3,
                                       .momentum = 0.9, .gradient_scale = 1.0,
                                       .statistic_scale = 1.0 };
    const double begin = cxn_clock_seconds();
    enum cxn_status status = cxn_trainer_cpu.forward(state, b->views, views, 0, b->logits, err);
    const double there = cxn_clock_seconds();
    for (size_t k = 0; k < views * CLASSES; k++)
        b->logits[k] = 1.0 / (1.0 + exp(-b->logits[k])) / (double)(views * CLASSES);
    if (status == CXN_OK)
        status = cxn_trainer_cpu.backward(state, b->logits, 0, NULL, NULL, err);
    const double back = cxn_clock_seconds();
    cxn_trainer_cpu.update(state, 0, &update);
    const double end = cxn_clock_seconds();
    b->seconds[0][i] = there - begin;
    b->seconds[1][i] = back - there;
    b->seconds[2][i] = end - back;
    b->seconds[3][i] = end - begin;
    return status;
}

static enum cxn_status measure(struct bench *b, size_t steps, struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = b->net, .block = b->block };
    cxn_trainer_state *state = NULL;
    enum cxn_status status = cxn_trainer_cpu.open(&state, &source, &b->options, &b->env, err);
    for (size_t i = 0; status == CXN_OK && i < steps; i++) status = step(b, state, i, err);
    cxn_trainer_cpu.close(&state);
    if (status != CXN_OK) return status;
    const double unit = 1e3 / (double)b->options.views_max;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    for (size_t i = 0; i < PARTS; i++)
        qsort(b->seconds[i], steps, sizeof b->seconds[i][0], by_value);
    printf("level %s threads %u batch %zu: ms/crop forward %.2f, backward %.2f, update %.2f; step "
           "%.2f min, %.2f median; peak %.0f MB\n",
           cxn_trainer_cpu.level(b->env.cpu, b->options.precision),
           cxn_pool_threads(b->env.pool), b->options.views_max, b->seconds[0][steps / 2] * unit,
           b->seconds[1][steps / 2] * unit, b->seconds[2][steps / 2] * unit,
           b->seconds[3][0] * unit, b->seconds[3][steps / 2] * unit,
           (double)usage.ru_maxrss * 1024.0 / 1e6);
    return CXN_OK;
}

static int usage(void)
{
    fprintf(stderr, "usage: train_bench fp32|bf16 LEVEL THREADS BATCH STEPS\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct cxn_error err = { { 0 } };
    if (argc != 6) return usage();
    const size_t batch = strtoul(argv[4], NULL, 10), steps = strtoul(argv[5], NULL, 10);
    if (batch < 1 || batch > BATCH_MAX || steps < 1 || steps > STEPS_MAX) return usage();
    b.options = (struct cxn_trainer_options){
        .precision = strcmp(argv[1], "bf16") == 0 ? CXN_PRECISION_BF16 : CXN_PRECISION_F32,
        .views_max = batch, .side = VIEW, .slots = 1, .moments = 1
    };
    enum cxn_status status = cxn_cpu_limit(cxn_cpu_detect(), argv[2], &b.env.cpu, &err);
    if (status == CXN_OK)
        status = cxn_pool_open(&b.env.pool, (unsigned)strtoul(argv[3], NULL, 10), &err);
    if (status == CXN_OK) status = prepare(&b, &err);
    if (status == CXN_OK) status = measure(&b, steps, &err);
    if (status != CXN_OK) fprintf(stderr, "train_bench: %s\n", err.text);
    cxn_pool_close(&b.env.pool);
    cxn_net_close(&b.net);
    cxn_free(b.block);
    cxn_free((void *)(uintptr_t)b.picture.pixels);
    return status == CXN_OK ? 0 : 1;
}
