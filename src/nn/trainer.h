/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAINER_H
#define CXN_NN_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "nn/densenet.h"
#include "nn/engine.h"
#include "nn/precision.h"

/*
 * The seam of training between the loop (train/) and the device that computes. A row of the table
 * is one way of computing on one device. What crosses it is 8-bit pictures with a small record
 * each, logits and their gradients, and ranges of flat blocks: never feature maps or float
 * pictures.
 *
 * All flat blocks have the layout of cxn_net (nn/densenet.h): param_count numbers in state_dict
 * order, then the running means and variances. In a gradient slot the numbers behind the parameters
 * are the batch means and unbiased batch variances of the same norms, so that one sum over shards
 * serves both.
 */

enum cxn_number { CXN_NUMBER_F32, CXN_NUMBER_F64 };
static inline size_t cxn_number_bytes(enum cxn_number number)
{
    return number == CXN_NUMBER_F64 ? sizeof(double) : sizeof(float);
}

enum cxn_memory { CXN_MEMORY_HOST }; /* another device adds its own */

/* Part of a flat block, borrowed from whoever owns it. */
struct cxn_span {
    void *data;
    size_t count; /* numbers */
    enum cxn_number number;
    enum cxn_memory memory;
};

/*
 * One picture as one step sees it. The window is cut, resampled where asked, multiplied by gain,
 * rounded to 8 bits (ties to even) and clipped to 0..255, and mirrored at last. Resampling is
 * bilinear: the sample at (x, y) of the window, both from its centre, is the picture's at
 *     window centre + shift + matrix * (x, y),
 * places outside the picture being 0.
 */
struct cxn_train_view {
    struct cxn_view view;
    bool resampled;
    float matrix[2][2]; /* [to x, to y][from x, from y] */
    float shift[2];     /* in pixels of the picture */
    float gain;         /* 1: samples as they are */
};

struct cxn_trainer_options {
    enum cxn_precision precision; /* of maps and products; parameters, sums and moments are F32 */
    size_t views_max;             /* of one forward() */
    uint32_t side;                /* of every view; at least CXN_VIEW_SIDE_MIN */
    unsigned slots;               /* gradient slots, at least 1 */
    unsigned moments;             /* blocks: 1 for SGD with momentum, 2 for AdamW, else 0 */
    bool keeps_average;           /* an exponential moving average of the weights beside them */
    bool head_only;               /* the backbone is frozen: norms use and keep running statistics,
                                     gradients are of the head alone */
};

enum cxn_train_block {
    CXN_BLOCK_WEIGHTS,  /* float_count numbers */
    CXN_BLOCK_GRADIENT, /* float_count; which: the slot */
    CXN_BLOCK_MOMENT,   /* param_count; which: 0 or 1 */
    CXN_BLOCK_AVERAGE,  /* float_count */
};

enum cxn_rule { CXN_RULE_SGD, CXN_RULE_ADAMW };

/* One step of the optimiser, in the arithmetic of torch.optim 2.x: SGD without dampening, whose
 * first step sets the momentum buffer to the gradient; AdamW without amsgrad. */
struct cxn_update {
    enum cxn_rule rule;
    uint64_t step; /* of this block of moments, 1 for the first */
    double lr, weight_decay;
    double momentum; /* SGD */
    bool nesterov;
    double beta1, beta2, epsilon; /* AdamW */
    double gradient_scale;  /* of the slot's gradients: 1 / shards times the clipping factor */
    double statistic_scale; /* of its batch statistics: 1 / all forward passes in the sum */
    double average_decay;   /* average = decay * average + (1 - decay) * weights; unused without */
};

/* Numbers first..first + count - 1 of the gradient slot are final. Called in falling order of the
 * network's layers, from the thread that called backward(), so that sums may start early: for the
 * statistics first, then for the parameters. Not 0 ends the pass: backward() then returns
 * CXN_E_STOPPED. With head_only the head's parameters are all; the rest of the slot stays 0. */
typedef int cxn_gradient_fn(void *ctx, size_t first, size_t count);

typedef struct cxn_trainer_state cxn_trainer_state; /* each row has its own */

struct cxn_trainer {
    const char *name;        /* cpu, ref64 */
    enum cxn_number number;  /* of all its flat blocks */
    const char *(*level)(uint32_t cpu, enum cxn_precision precision);

    /* Allocates everything the calls below need; they allocate nothing. source->block gives the
     * first weights. net and env are borrowed for the life of the state.
     * CXN_E_ARG, CXN_E_NOMEM. */
    enum cxn_status (*open)(cxn_trainer_state **state, const struct cxn_engine_source *source,
                            const struct cxn_trainer_options *options, const struct cxn_env *env,
                            struct cxn_error *err);

    /*
     * One shard: norms use the statistics of these views alone, and write them into the slot.
     * logits: [count][classes], before the sigmoid. What backward() needs is kept until the next
     * forward(). The numbers depend neither on threads nor on what else the process computes.
     * CXN_E_ARG: no view, too many, sides other than options->side, or one view so small that its
     * last maps have one place, and no variance.
     * CXN_E_FORMAT: a logit is not finite.
     */
    enum cxn_status (*forward)(cxn_trainer_state *state, const struct cxn_train_view *views,
                               size_t count, unsigned slot, double *logits,
                               struct cxn_error *err);

    /* dlogits: [count][classes] of the forward pass before. Overwrites the slot's gradients. */
    enum cxn_status (*backward)(cxn_trainer_state *state, const double *dlogits, unsigned slot,
                                cxn_gradient_fn *ready, void *ctx, struct cxn_error *err);

    /* Slot to += slot from, in this range; each number in one addition. */
    void (*add)(cxn_trainer_state *state, unsigned to, unsigned from, size_t first, size_t count);

    /* Sum of squares of the slot's gradients (parameters alone), in a fixed order; not finite where
     * one of them is not. */
    double (*square_sum)(cxn_trainer_state *state, unsigned slot);

    /* Weights, moments, running statistics (momentum 0.1) and average from the slot. */
    void (*update)(cxn_trainer_state *state, unsigned slot, const struct cxn_update *update);

    /* The block itself. Whoever writes weights calls changed() afterwards. */
    struct cxn_span (*block)(cxn_trainer_state *state, enum cxn_train_block block, unsigned which);
    void (*changed)(cxn_trainer_state *state);

    void (*close)(cxn_trainer_state **state); /* frees and writes NULL */
};

/* Float32 blocks; the fastest kernels of the CPU in either precision. */
extern const struct cxn_trainer cxn_trainer_cpu;

/* Everything in double and in plain loops, written from the definitions: what the other rows are
 * compared with. options->precision does not matter to it. */
extern const struct cxn_trainer cxn_trainer_ref64;

#endif
