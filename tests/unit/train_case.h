/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_TRAIN_CASE_H
#define CXN_TESTS_TRAIN_CASE_H

#include "nn/trainer.h"
#include "small_net.h"

/*
 * Trainers under test, networks and batches made by formula, and what PyTorch made of them
 * (tests/golden/make_train.py).
 */

/* How far from PyTorch in double, L2-relative: tensor by tensor `factor` times as far as PyTorch in
 * float is, at least the floor. */
struct train_limits {
    double gradient; /* floor of a tensor's gradient */
    double change[2]; /* floor of a tensor's change by some steps: of SGD, of AdamW */
    double changes;  /* of all parameters together, whatever PyTorch's in float */
    double loss;     /* of each of these steps, relative */
    double seed_ce_loss; /* the same for steps in the reference's manner */
};

/* A row of the table of trainers. */
struct train_row {
    const struct cxn_trainer *trainer;
    enum cxn_precision precision;
    const char *const *levels; /* that it is tested at, lowest first, ends with NULL */
    double factor;
    struct train_limits small, full; /* the shrunken and the full network */
    double calm;   /* whole gradient of the shrunken network, calm, from ref64's */
    double logits; /* of the shrunken network, and batch statistics */
};

/* A row at one level. The walk over all rows and those of their levels that this CPU has:
 * `for (struct train_setup t = { 0 }; train_setup_next(&t);)`. */
struct train_setup {
    const struct train_row *row; /* NULL before the first */
    size_t level;                /* of row->levels */
    uint32_t cpu;
    char name[40]; /* for messages: ref64 f32 c */
};

bool train_setup_next(struct train_setup *setup);
/* Whether the walk has no higher level of this row. */
bool train_setup_is_best(const struct train_setup *setup);
/* A line for each level of a row that the walk leaves out. */
void train_setup_say_skipped(void);

enum { TRAIN_CLASSES = 14, TRAIN_VIEWS_MAX = 40, TRAIN_SIDE = 64, TRAIN_IMAGES = 4,
       TRAIN_IMAGES_MAX = 8 };

struct train_net {
    cxn_net *net;
    float *block;
    uint8_t *pixels;
    struct cxn_picture pictures[8]; /* FORMULA_TRAIN_PICTURES */
};

/* The shrunken network of make_nn.py as it is and calm; DenseNet-121 by formula, calm, and settled
 * for train_batch_full() (make_train.py tells what the words mean). Run in the project's root. */
void train_net_small(struct train_net *n);
void train_net_small_calm(struct train_net *n);
void train_net_calm(struct train_net *n);
void train_net_settled(struct train_net *n);
void train_net_close(struct train_net *n);

/* What the tests of the shrunken network share; cmocka's functions of a group. Skipped levels are
 * told at set-up. */
struct train_fixture {
    struct small_net golden; /* pictures and answers of make_nn.py */
    struct train_net net;
};
int train_set_up(void **state);
int train_tear_down(void **state);

/* A trainer that is open. */
struct trainee {
    const struct train_setup *setup;
    const struct train_net *net;
    struct cxn_env env;
    cxn_trainer_state *state;
};

static inline const struct cxn_trainer *trainer_of(const struct trainee *t)
{
    return t->setup->row->trainer;
}

/* threads: 0 for those of the machine. options->precision is the row's. */
void trainee_open(struct trainee *t, const struct train_setup *setup, const struct train_net *net,
                  const struct cxn_trainer_options *options, unsigned threads);
void trainee_close(struct trainee *t);

/* A copy of a block as doubles; free(). And back, followed by changed(). */
double *trainee_read(const struct trainee *t, enum cxn_train_block block, unsigned which);
void trainee_write(const struct trainee *t, enum cxn_train_block block, unsigned which,
                   const double *numbers);

enum train_loss { TRAIN_BCE, TRAIN_SEED_CE };

struct train_batch {
    enum train_loss loss;
    size_t count; /* views: one an image, or ten */
    struct cxn_train_view views[TRAIN_VIEWS_MAX];
    size_t images;
    double targets[TRAIN_IMAGES_MAX * TRAIN_CLASSES];
};

/* The four views of 224x224 of the full network. */
void train_batch_full(struct train_batch *b, const struct train_net *n);

/* The five views of make_nn.py; s must outlive it. */
void train_batch_golden(struct train_batch *b, const struct small_net *s);

/* Step `step` of a run; sides are TRAIN_SIDE. */
void train_batch_run(struct train_batch *b, const struct train_net *n, enum train_loss loss,
                     size_t step);

/* The loss, and its gradient by the logits: [count][TRAIN_CLASSES] each. */
double train_loss_of(const struct train_batch *b, const double *logits, double *dlogits);

/* Both passes; the loss. Fails the running test where a call does. */
double train_passes(const struct trainee *t, const struct train_batch *b, unsigned slot,
                    double *logits);

/* Zeros; free(). */
double *train_doubles(size_t count);

/* Unlike numbers in [-1, 1), which every row's blocks hold without rounding. */
double train_noise(size_t stream, size_t i);

/* Square root of the sum of squares, and of the differences' squares. */
double train_norm(const double *a, size_t count);
double train_distance(const double *a, const double *b, size_t count);

/* A golden file of doubles, whole; free(). count: how many it must hold. */
double *train_golden(const char *path, size_t count);

#endif
