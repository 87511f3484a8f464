/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of SGD with momentum on BATCH crops, one shard.
 *
 * train_bench fp32|bf16 LEVEL THREADS BATCH STEPS: of a picture of noise, from random weights.
 * Prints the median ms a crop of the forward pass, the backward pass and the update, of the fastest
 * and the median step, and the peak of memory.
 *
 * train_bench fp32|bf16 LEVEL THREADS BATCH WEIGHTS CROPS: of the first BATCH grey crops of a file,
 * uint8 [][224][224], from a file of weights. Says what it runs with; then each line on standard
 * input asks for a step, and is answered with the loss before that step. bench/peers/ asks.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/random.h"
#include "cpu/cpu.h"
#include "model/weights.h"
#include "nn/trainer.h"

enum { SIDE = 256, VIEW = 224, BATCH_MAX = 256, STEPS_MAX = 1000, CLASSES = 14, PARTS = 4 };

struct bench {
    struct cxn_env env;
    struct cxn_trainer_options options;
    cxn_net *net;
    float *block;
    uint8_t *pixels;
    struct cxn_picture pictures[BATCH_MAX];
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

static struct cxn_train_view view_of(const struct cxn_picture *picture, uint32_t x, uint32_t y,
                                     bool mirror)
{
    return (struct cxn_train_view){
        .view = { .picture = picture, .x = x, .y = y, .width = VIEW, .height = VIEW,
                  .mirror = mirror },
        .matrix = { { 1.0f, 0.0f }, { 0.0f, 1.0f } }, .gain = 1.0f
    };
}

static struct cxn_picture grey(uint8_t *pixels, uint32_t side)
{
    return (struct cxn_picture){ .pixels = pixels, .stride_bytes = side, .width = side,
                                 .height = side, .channels = 1 };
}

static enum cxn_status draw_all(struct bench *b, struct cxn_error *err)
{
    struct cxn_random random = cxn_random_make(1, 1);
    b->block = cxn_alloc(NULL, b->net->float_count, sizeof *b->block);
    b->pixels = cxn_alloc(NULL, SIDE, SIDE);
    if (!b->block || !b->pixels) return cxn_fail_nomem(err, NULL, SIDE * SIDE, "a picture");
    for (size_t i = 0; i < SIDE * SIDE; i++) b->pixels[i] = (uint8_t)cxn_random_below(&random, 256);
    for (size_t i = 0; i < b->net->tensor_count; i++)
        fill_tensor(&b->net->tensors[i], b->block + b->net->tensors[i].offset, &random);
    b->pictures[0] = grey(b->pixels, SIDE);
    for (uint32_t i = 0; i < b->options.views_max; i++)
        b->views[i] = view_of(&b->pictures[0], i % 32, i / 32, i % 2 > 0);
    return CXN_OK;
}

static enum cxn_status read_all(struct bench *b, const char *weights, const char *crops,
                                struct cxn_error *err)
{
    const size_t count = b->options.views_max, view_bytes = VIEW * VIEW;
    const enum cxn_status status = cxn_weights_load(&b->env, weights, b->net, &b->block, NULL, err);
    if (status != CXN_OK) return status;
    b->pixels = cxn_alloc(NULL, count, view_bytes);
    if (!b->pixels) return cxn_fail_nomem(err, NULL, count * view_bytes, "crops");
    FILE *file = fopen(crops, "rb");
    if (!file) return cxn_fail_errno(err, errno, "open", crops);
    const size_t got = fread(b->pixels, view_bytes, count, file);
    fclose(file);
    if (got < count)
        return cxn_fail(err, CXN_E_FORMAT, "'%s': %zu crops, expected %zu", crops, got, count);
    for (size_t i = 0; i < count; i++) {
        b->pictures[i] = grey(b->pixels + i * view_bytes, VIEW);
        b->views[i] = view_of(&b->pictures[i], 0, 0, false);
    }
    return CXN_OK;
}

/* Mean binary cross-entropy; the logits become its gradient. A third of the labels is 1, as
 * bench/peers/train_worker.py has them. */
static double turn_to_gradient(double *logits, size_t views)
{
    const double share = 1.0 / (double)(views * CLASSES);
    double loss = 0.0;
    for (size_t k = 0; k < views * CLASSES; k++) {
        const double z = logits[k], label = (k / CLASSES + k % CLASSES) % 3 == 0 ? 1.0 : 0.0;
        loss += share * (fmax(z, 0.0) - z * label + log1p(exp(-fabs(z))));
        logits[k] = share * (1.0 / (1.0 + exp(-z)) - label);
    }
    return loss;
}

/* seconds: of the forward pass, the backward pass, the update, all */
static enum cxn_status step(struct bench *b, cxn_trainer_state *state, uint64_t number,
                            double *loss, double seconds[static PARTS], struct cxn_error *err)
{
    const size_t views = b->options.views_max;
    const struct cxn_update update = { .rule = CXN_RULE_SGD, .step = number, .lr = 1e-2,
                                       .momentum = 0.9, .gradient_scale = 1.0,
                                       .statistic_scale = 1.0 };
    const double begin = cxn_clock_seconds();
    enum cxn_status status = cxn_trainer_cpu.forward(state, b->views, views, 0, b->logits, err);
    if (status != CXN_OK) return status;
    const double there = cxn_clock_seconds();
    *loss = turn_to_gradient(b->logits, views);
    status = cxn_trainer_cpu.backward(state, b->logits, 0, NULL, NULL, err);
    if (status != CXN_OK) return status;
    const double back = cxn_clock_seconds();
    cxn_trainer_cpu.update(state, 0, &update);
    const double end = cxn_clock_seconds();
    seconds[0] = there - begin;
    seconds[1] = back - there;
    seconds[2] = end - back;
    seconds[3] = end - begin;
    return CXN_OK;
}

static enum cxn_status serve(struct bench *b, cxn_trainer_state *state, struct cxn_error *err)
{
    char line[16];
    double loss, seconds[PARTS];
    printf("level %s threads %u\n", cxn_trainer_cpu.level(b->env.cpu, b->options.precision),
           cxn_pool_threads(b->env.pool));
    fflush(stdout);
    for (uint64_t number = 1; fgets(line, sizeof line, stdin); number++) {
        const enum cxn_status status = step(b, state, number, &loss, seconds, err);
        if (status != CXN_OK) return status;
        printf("%.9f\n", loss);
        fflush(stdout);
    }
    return CXN_OK;
}

static enum cxn_status measure(struct bench *b, cxn_trainer_state *state, size_t steps,
                               struct cxn_error *err)
{
    double loss, seconds[PARTS];
    for (size_t i = 0; i < steps; i++) {
        const enum cxn_status status = step(b, state, i + 1, &loss, seconds, err);
        if (status != CXN_OK) return status;
        for (size_t part = 0; part < PARTS; part++) b->seconds[part][i] = seconds[part];
    }
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

/* argv from BATCH on: STEPS, or WEIGHTS and CROPS. */
static enum cxn_status run(struct bench *b, char **argv, size_t steps, struct cxn_error *err)
{
    cxn_trainer_state *state = NULL;
    enum cxn_status status = cxn_net_open(&b->net, &cxn_densenet121, NULL, err);
    if (status == CXN_OK) status = steps ? draw_all(b, err) : read_all(b, argv[1], argv[2], err);
    if (status != CXN_OK) return status;
    const struct cxn_engine_source source = { .net = b->net, .block = b->block };
    status = cxn_trainer_cpu.open(&state, &source, &b->options, &b->env, err);
    if (status == CXN_OK) status = steps ? measure(b, state, steps, err) : serve(b, state, err);
    cxn_trainer_cpu.close(&state);
    return status;
}

static int usage(void)
{
    fprintf(stderr, "usage: train_bench fp32|bf16 LEVEL THREADS BATCH STEPS | WEIGHTS CROPS\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct cxn_error err = { { 0 } };
    if (argc != 6 && argc != 7) return usage();
    const size_t batch = strtoul(argv[4], NULL, 10);
    const size_t steps = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
    if (batch < 1 || batch > BATCH_MAX || (argc == 6 && steps < 1) || steps > STEPS_MAX)
        return usage();
    b.options = (struct cxn_trainer_options){
        .precision = strcmp(argv[1], "bf16") == 0 ? CXN_PRECISION_BF16 : CXN_PRECISION_F32,
        .views_max = batch, .side = VIEW, .slots = 1, .moments = 1
    };
    enum cxn_status status = cxn_cpu_limit(cxn_cpu_detect(), argv[2], &b.env.cpu, &err);
    if (status == CXN_OK)
        status = cxn_pool_open(&b.env.pool, (unsigned)strtoul(argv[3], NULL, 10), &err);
    if (status == CXN_OK) status = run(&b, argv + 4, steps, &err);
    if (status != CXN_OK) fprintf(stderr, "train_bench: %s\n", err.text);
    cxn_pool_close(&b.env.pool);
    cxn_net_close(&b.net);
    cxn_free(b.block);
    cxn_free(b.pixels);
    return status == CXN_OK ? 0 : 1;
}
