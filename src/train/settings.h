/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_SETTINGS_H
#define CXN_TRAIN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/hash.h"
#include "nn/trainer.h"

/*
 * What decides the numbers of a training besides its images, lists and first weights. One table
 * (settings.c) gives each setting its name, kind, limits and initial value; the command line, the
 * public header, run.json and the check that all ranks have the same all go through it.
 */

enum cxn_schedule_kind {
    CXN_SCHEDULE_CONSTANT,
    CXN_SCHEDULE_STEP,
    CXN_SCHEDULE_COSINE,
    CXN_SCHEDULE_PLATEAU,
    CXN_SCHEDULE_ONE_CYCLE,
};

enum cxn_loss_kind { CXN_LOSS_BCE, CXN_LOSS_WEIGHTED_BCE, CXN_LOSS_FOCAL, CXN_LOSS_SEED_CE };

enum cxn_train_crops { CXN_TRAIN_CROPS_RANDOM, CXN_TRAIN_CROPS_CENTER, CXN_TRAIN_CROPS_TEN };

enum cxn_switch { CXN_SWITCH_OFF, CXN_SWITCH_ON, CXN_SWITCH_AUTO };

enum { CXN_SHARDS_MAX = 64 };

struct cxn_settings {
    /* how long */
    uint64_t epochs;
    uint64_t max_steps;  /* updates; 0: no limit but the epochs */
    uint64_t early_stop; /* epochs without a better validation after which it ends; 0: never */

    /* what a step is */
    uint64_t batch;      /* images of one pass over all shards and ranks */
    uint64_t shards;     /* 0: cxn_settings_finish() chooses */
    uint64_t accumulate; /* passes summed before an update; each is of `batch` images */
    int precision;       /* enum cxn_precision */
    int loss;            /* enum cxn_loss_kind */
    double focal_gamma;

    /* update */
    int optimizer; /* enum cxn_rule */
    double lr, weight_decay;
    double momentum; /* SGD */
    bool nesterov;
    double beta1, beta2; /* AdamW */
    double clip;         /* largest norm of the whole gradient; 0: any */
    double ema;          /* decay of the average; 0: none is kept */
    int freeze;          /* enum cxn_freeze */

    /* learning rate */
    int schedule; /* enum cxn_schedule_kind */
    uint64_t warmup;       /* updates */
    uint64_t decay_epochs; /* step: between two decays; plateau: without improvement before one */
    double decay;

    /* data */
    int crops; /* enum cxn_train_crops */
    int augment; /* enum cxn_switch; auto is on with random crops alone */
    bool shuffle;
    uint64_t seed;
    bool skip_bad;

    /* keeping, and talking to other ranks */
    uint64_t save_every; /* updates between checkpoints, besides those after each epoch; 0: none */
    double deadline;     /* seconds that a silent rank is waited for */
};

enum cxn_freeze { CXN_FREEZE_NONE, CXN_FREEZE_BACKBONE };

/* ---- the table ---------------------------------------------------------------------------- */

enum cxn_setting_kind { CXN_SETTING_COUNT, CXN_SETTING_NUMBER, CXN_SETTING_WORD, CXN_SETTING_FLAG };

struct cxn_setting_row {
    const char *name; /* of the option, without dashes; run.json has it too */
    enum cxn_setting_kind kind;
    size_t offset;       /* of the member of struct cxn_settings */
    const char *words;   /* WORD and FLAG: "bce|focal", the first is 0 */
    const char *initial; /* as text */
    double lo, hi;       /* COUNT and NUMBER */
};

extern const struct cxn_setting_row cxn_setting_rows[];
extern const size_t cxn_setting_count;

/* The initial values. */
void cxn_settings_init(struct cxn_settings *s);

/* One setting from text. CXN_E_ARG for an unknown name or value, saying what is expected. */
enum cxn_status cxn_settings_set(struct cxn_settings *s, const char *name, const char *value,
                                 struct cxn_error *err);

enum { CXN_SETTING_TEXT_BYTES = 32 };

/* The value as text that cxn_settings_set() reads back to the same bits; returns text. */
const char *cxn_setting_text(const struct cxn_settings *s, const struct cxn_setting_row *row,
                             char text[CXN_SETTING_TEXT_BYTES]);

/*
 * Check what no single value shows, and replace shards 0 and augment auto by what they mean; ranks
 * is how many processes share the work. CXN_E_ARG with the values to use instead. May be called
 * again for another number of ranks.
 */
enum cxn_status cxn_settings_finish(struct cxn_settings *s, unsigned ranks, struct cxn_error *err);

/* SHA-256 of all names and values. */
void cxn_settings_hash(const struct cxn_settings *s, char hex[CXN_SHA256_HEX_BYTES]);

/* Images of one update. */
static inline uint64_t cxn_settings_images(const struct cxn_settings *s)
{
    return s->batch * s->accumulate;
}

/* Blocks of moments that the optimiser needs. */
static inline unsigned cxn_settings_moments(const struct cxn_settings *s)
{
    return s->optimizer == CXN_RULE_ADAMW ? 2 : s->momentum > 0 ? 1 : 0;
}

static inline size_t cxn_settings_views(const struct cxn_settings *s)
{
    return s->crops == CXN_TRAIN_CROPS_TEN ? 10 : 1;
}

/* Updates in one epoch of so many images; the incomplete last one is left out. */
static inline uint64_t cxn_settings_epoch_steps(const struct cxn_settings *s, size_t images)
{
    return images / cxn_settings_images(s);
}

#endif
