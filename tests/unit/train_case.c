/* SPDX-License-Identifier: Apache-2.0 */
#include "train_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "formula.h"
#include "unit/unit.h"

/* Those at which a row picks other kernels than at the one below. */
static const char *const levels_c[] = { "c", NULL };
static const char *const levels_f32[] = { "c", "avx2", "avx512", NULL };
static const char *const levels_bf16[] = { "c", "avx2", "avx512", "vnni", "amx", NULL };

/*
 * Twenty steps of the shrunken network change a tensor by up to 9.6e-4 more or less in double, too,
 * where its first weights are moved by two units in the last place of a float: some value passes
 * ReLU in one case and not in the other. Those of AdamW on the full network, calm: by up to 5.9e-4,
 * eight tensors by more than 1e-4; those of SGD there by 4.4e-6. So float has these floors there.
 *
 * bfloat16 is held against PyTorch's autocast on the same cases, to less than three times its
 * distance. A network that is not calm says little: there its gradients are up to 0.58 away,
 * and the changes of some tensors more than twice their own length. The full network's gradient is
 * held to autocast's tensor by tensor (test_trainer_full.c).
 */
static const struct train_row rows[] = {
    { .trainer = &cxn_trainer_ref64, .levels = levels_c,
      .small = { 1e-8, { 1e-8, 1e-8 }, 1e-9, 1e-9, 1e-10 },
      .full = { 1e-7, { 1e-8, 1e-8 }, 1e-9, 1e-9, 1e-10 },
      .calm = 1e-12, .logits = 1e-8 },
    { .trainer = &cxn_trainer_cpu, .precision = CXN_PRECISION_F32, .levels = levels_f32,
      .factor = 3.0, .small = { 1e-5, { 1e-3, 1e-3 }, 1e-2, 1e-4, 1e-5 },
      .full = { 1e-5, { 1e-4, 1e-3 }, 1e-2, 1e-4, 1e-5 }, .calm = 3e-6, .logits = 1e-5 },
    { .trainer = &cxn_trainer_cpu, .precision = CXN_PRECISION_BF16, .levels = levels_bf16,
      .small = { 0.9, { 7.4, 7.4 }, 0.9, 5e-2, 2.7e-4 },
      .full = { 1e-2, { 8.2, 8.2 }, 0.25, 2e-2, 6.6e-4 },
      .calm = 1e-2, .logits = 3e-2 },
};

bool train_setup_next(struct train_setup *s)
{
    const uint32_t machine = cxn_cpu_detect();
    do {
        if (s->row && s->row->levels[s->level + 1]) {
            s->level++;
        } else {
            s->row = s->row ? s->row + 1 : rows;
            s->level = 0;
        }
        if (s->row == rows + CXN_COUNTOF(rows)) return false;
    } while (cxn_cpu_limit(machine, s->row->levels[s->level], &s->cpu, NULL) != CXN_OK);
    snprintf(s->name, sizeof s->name, "%s %s %s", s->row->trainer->name,
             s->row->precision == CXN_PRECISION_BF16 ? "bf16" : "f32",
             s->row->levels[s->level]);
    return true;
}

bool train_setup_is_best(const struct train_setup *setup)
{
    uint32_t cpu;
    for (const char *const *above = setup->row->levels + setup->level + 1; *above; above++)
        if (cxn_cpu_limit(cxn_cpu_detect(), *above, &cpu, NULL) == CXN_OK) return false;
    return true;
}

void train_setup_say_skipped(void)
{
    const uint32_t machine = cxn_cpu_detect();
    for (size_t i = 0; i < CXN_COUNTOF(rows); i++) {
        for (const char *const *level = rows[i].levels; *level; level++) {
            uint32_t cpu;
            struct cxn_error err = { "" };
            if (cxn_cpu_limit(machine, *level, &cpu, &err) != CXN_OK)
                print_message("skipped: trainer %s at level %s (%s)\n", rows[i].trainer->name,
                              *level, err.text);
        }
    }
}

static void make_pictures(struct train_net *n)
{
    const size_t plane = (size_t)FORMULA_TRAIN_SIDE * FORMULA_TRAIN_SIDE;
    n->pixels = malloc(CXN_COUNTOF(n->pictures) * 3 * plane);
    assert_non_null(n->pixels);
    assert_int_equal(CXN_COUNTOF(n->pictures), FORMULA_TRAIN_PICTURES);
    for (uint32_t k = 0; k < FORMULA_TRAIN_PICTURES; k++) {
        const uint32_t channels = formula_train_channels(k);
        uint8_t *pixels = n->pixels + k * 3 * plane;
        formula_train_picture(k, pixels);
        n->pictures[k] = (struct cxn_picture){ pixels, FORMULA_TRAIN_SIDE, FORMULA_TRAIN_SIDE,
                                               channels, (size_t)FORMULA_TRAIN_SIDE * channels };
    }
}

void train_net_small(struct train_net *n)
{
    FILE *f = fopen("tests/golden/nn_small.f32", "rb");
    assert_non_null(f);
    assert_int_equal(cxn_net_open(&n->net, &small_config, NULL, NULL), CXN_OK);
    n->block = malloc(n->net->float_count * sizeof *n->block);
    assert_non_null(n->block);
    assert_int_equal(fread(n->block, sizeof *n->block, n->net->float_count, f),
                     n->net->float_count);
    fclose(f);
    make_pictures(n);
}

void train_net_small_calm(struct train_net *n)
{
    train_net_small(n);
    formula_calm(n->net, n->block);
}

static void open_full(struct train_net *n)
{
    assert_int_equal(cxn_net_open(&n->net, &cxn_densenet121, NULL, NULL), CXN_OK);
    n->block = malloc(n->net->float_count * sizeof *n->block);
    assert_non_null(n->block);
    formula_weights(n->net, n->block);
    make_pictures(n);
}

void train_net_calm(struct train_net *n)
{
    open_full(n);
    formula_calm(n->net, n->block);
}

void train_net_settled(struct train_net *n)
{
    FILE *f = fopen("tests/golden/train_settled.f64", "rb");
    double pair[2];
    assert_non_null(f);
    train_net_calm(n);
    while (fread(pair, sizeof pair, 1, f) == 1) {
        assert_true(pair[0] >= 0.0 && pair[0] < (double)n->net->param_count);
        n->block[(size_t)pair[0]] = (float)pair[1];
    }
    fclose(f);
}

void train_net_close(struct train_net *n)
{
    cxn_net_close(&n->net);
    free(n->block);
    free(n->pixels);
}

void trainee_open(struct trainee *t, const struct train_setup *setup, const struct train_net *net,
                  const struct cxn_trainer_options *options, unsigned threads)
{
    const struct cxn_engine_source source = { .net = net->net, .block = net->block };
    struct cxn_trainer_options own = *options;
    struct cxn_error err = { "" };
    own.precision = setup->row->precision;
    *t = (struct trainee){ .setup = setup, .net = net, .env = { .cpu = setup->cpu } };
    assert_int_equal(cxn_pool_open(&t->env.pool, threads, NULL), CXN_OK);
    if (setup->row->trainer->open(&t->state, &source, &own, &t->env, &err) != CXN_OK)
        fail_msg("%s: %s", setup->name, err.text);
}

void trainee_close(struct trainee *t)
{
    t->setup->row->trainer->close(&t->state);
    assert_null(t->state);
    cxn_pool_close(&t->env.pool);
}

double *trainee_read(const struct trainee *t, enum cxn_train_block block, unsigned which)
{
    const struct cxn_span span = t->setup->row->trainer->block(t->state, block, which);
    double *copy = malloc(span.count * sizeof *copy);
    assert_true(span.count > 0);
    assert_non_null(copy);
    assert_int_equal(span.number, t->setup->row->trainer->number);
    assert_int_equal(span.memory, CXN_MEMORY_HOST);
    for (size_t i = 0; i < span.count; i++)
        copy[i] = span.number == CXN_NUMBER_F64 ? ((const double *)span.data)[i]
                                                : (double)((const float *)span.data)[i];
    return copy;
}

void trainee_write(const struct trainee *t, enum cxn_train_block block, unsigned which,
                   const double *numbers)
{
    const struct cxn_span span = t->setup->row->trainer->block(t->state, block, which);
    assert_true(span.count > 0);
    for (size_t i = 0; i < span.count; i++) {
        if (span.number == CXN_NUMBER_F64) ((double *)span.data)[i] = numbers[i];
        else ((float *)span.data)[i] = (float)numbers[i];
    }
    t->setup->row->trainer->changed(t->state);
}

static struct cxn_train_view window(const struct train_net *n, size_t picture, size_t x, size_t y,
                                    uint32_t side, bool mirror)
{
    return (struct cxn_train_view){
        .view = { .picture = &n->pictures[picture], .x = (uint32_t)x, .y = (uint32_t)y,
                  .width = side, .height = side, .mirror = mirror },
        .gain = 1.0f
    };
}

void train_batch_full(struct train_batch *b, const struct train_net *n)
{
    *b = (struct train_batch){ .loss = TRAIN_BCE, .count = TRAIN_IMAGES, .images = TRAIN_IMAGES };
    for (uint32_t i = 0; i < TRAIN_IMAGES; i++) {
        b->views[i] = window(n, i + 1, (size_t)5 * i, (size_t)3 * i, 224, i % 2 == 1);
        formula_labels(i + 1, TRAIN_CLASSES, b->targets + (size_t)i * TRAIN_CLASSES);
    }
}

/* Five windows of picture k and their mirror images, as far apart as margin. */
static void add_crops(struct train_batch *b, const struct train_net *n, size_t k, size_t x,
                      size_t y)
{
    enum { MARGIN = 12 };
    static const size_t places[][2] = {
        { 0, 0 }, { MARGIN, 0 }, { 0, MARGIN }, { MARGIN, MARGIN }, { MARGIN / 2, MARGIN / 2 }
    };
    for (size_t i = 0; i < 2 * CXN_COUNTOF(places); i++) {
        const size_t *place = places[i % CXN_COUNTOF(places)];
        b->views[b->count++] = window(n, k, x + place[0], y + place[1], TRAIN_SIDE,
                                      i >= CXN_COUNTOF(places));
    }
}

void train_batch_run(struct train_batch *b, const struct train_net *n, enum train_loss loss,
                     size_t step)
{
    *b = (struct train_batch){ .loss = loss, .images = TRAIN_IMAGES };
    for (size_t i = 0; i < TRAIN_IMAGES; i++) {
        const size_t k = (step * TRAIN_IMAGES + i) % FORMULA_TRAIN_PICTURES;
        const size_t x = (7 * step + 3 * i) % 100, y = (5 * step + 11 * i) % 100;
        formula_labels((uint32_t)k, TRAIN_CLASSES, b->targets + i * TRAIN_CLASSES);
        if (loss == TRAIN_SEED_CE) add_crops(b, n, k, x, y);
        else b->views[b->count++] = window(n, k, x, y, TRAIN_SIDE, (step + i) % 2 == 1);
    }
}

void train_batch_golden(struct train_batch *b, const struct small_net *s)
{
    *b = (struct train_batch){ .loss = TRAIN_BCE, .count = SMALL_VIEWS, .images = SMALL_VIEWS };
    for (size_t i = 0; i < SMALL_VIEWS; i++)
        b->views[i] = (struct cxn_train_view){ .view = s->views[i], .gain = 1.0f };
    for (uint32_t i = 0; i < SMALL_VIEWS; i++)
        formula_labels(i, TRAIN_CLASSES, b->targets + (size_t)i * TRAIN_CLASSES);
}

int train_set_up(void **state)
{
    struct train_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    small_net_open(&f->golden);
    train_net_small(&f->net);
    train_setup_say_skipped();
    *state = f;
    return 0;
}

int train_tear_down(void **state)
{
    struct train_fixture *f = *state;
    small_net_close(&f->golden);
    train_net_close(&f->net);
    free(f);
    return 0;
}

static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

/* Binary cross-entropy, the mean over views and classes. */
static double bce(const struct train_batch *b, const double *logits, double *dlogits)
{
    const size_t count = b->count * TRAIN_CLASSES;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double z = logits[i], t = b->targets[i];
        sum += (z > 0.0 ? z : 0.0) - z * t + log1p(exp(-fabs(z)));
        dlogits[i] = (sigmoid(z) - t) / (double)count;
    }
    return sum / (double)count;
}

/* One image: cross-entropy with class probabilities of the mean of its crops' sigmoid outputs. */
static double seed_ce_image(const double *targets, const double *logits, size_t crops,
                            double *dlogits, size_t images)
{
    double mean[TRAIN_CLASSES] = { 0.0 }, sum = 0.0, all = 0.0, loss = 0.0;
    for (size_t i = 0; i < crops * TRAIN_CLASSES; i++)
        mean[i % TRAIN_CLASSES] += sigmoid(logits[i]) / (double)crops;
    for (size_t c = 0; c < TRAIN_CLASSES; c++) {
        sum += exp(mean[c]);
        all += targets[c];
    }
    for (size_t c = 0; c < TRAIN_CLASSES; c++) loss -= targets[c] * (mean[c] - log(sum));
    for (size_t i = 0; i < crops * TRAIN_CLASSES; i++) {
        const size_t c = i % TRAIN_CLASSES;
        const double p = sigmoid(logits[i]), dmean = all * exp(mean[c]) / sum - targets[c];
        dlogits[i] = dmean * p * (1.0 - p) / (double)(crops * images);
    }
    return loss / (double)images;
}

double train_loss_of(const struct train_batch *b, const double *logits, double *dlogits)
{
    if (b->loss == TRAIN_BCE) return bce(b, logits, dlogits);
    const size_t crops = b->count / b->images, numbers = crops * TRAIN_CLASSES;
    double sum = 0.0;
    for (size_t i = 0; i < b->images; i++)
        sum += seed_ce_image(b->targets + i * TRAIN_CLASSES, logits + i * numbers, crops,
                             dlogits + i * numbers, b->images);
    return sum;
}

double train_passes(const struct trainee *t, const struct train_batch *b, unsigned slot,
                    double *logits)
{
    const struct cxn_trainer *trainer = t->setup->row->trainer;
    double dlogits[TRAIN_VIEWS_MAX * TRAIN_CLASSES];
    struct cxn_error err = { "" };
    if (trainer->forward(t->state, b->views, b->count, slot, logits, &err) != CXN_OK)
        fail_msg("%s: %s", t->setup->name, err.text);
    const double loss = train_loss_of(b, logits, dlogits);
    if (trainer->backward(t->state, dlogits, slot, NULL, NULL, &err) != CXN_OK)
        fail_msg("%s: %s", t->setup->name, err.text);
    return loss;
}

double *train_doubles(size_t count)
{
    double *p = calloc(count, sizeof *p);
    assert_non_null(p);
    return p;
}

double train_noise(size_t stream, size_t i)
{
    return (double)formula_sample(stream, i, 1 << 20) / (1 << 19) - 1.0;
}

double train_norm(const double *a, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += a[i] * a[i];
    return sqrt(sum);
}

double train_distance(const double *a, const double *b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

double *train_golden(const char *path, size_t count)
{
    FILE *f = fopen(path, "rb");
    double *numbers = malloc(count * sizeof *numbers);
    assert_non_null(f);
    assert_non_null(numbers);
    assert_int_equal(fread(numbers, sizeof *numbers, count, f), count);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    return numbers;
}
