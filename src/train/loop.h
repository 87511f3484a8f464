/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_LOOP_H
#define CXN_TRAIN_LOOP_H

#include "data/loader.h"
#include "train/run.h"
#include "train/schedule.h"
#include "train/state.h"
#include "train/step.h"
#include "train/validate.h"

/* Where the loop stands, for whoever watches it. */
struct cxn_loop_news {
    uint64_t step, steps;   /* done, and of the whole training */
    uint64_t epoch, epochs; /* the one under way, 1 for the first */
    double loss, lr;        /* of the step */
    double images_per_second, seconds_left;
    bool validated;         /* an epoch has ended; the next two are its */
    double val_loss, val_mean_auc;
    bool validating;        /* one is under way; step and epoch are those before it */
};

/* Asked after each step, between the batches of a validation and after it, on every rank. Not 0:
 * end after the next step, or at once where a validation is under way or has ended, with a
 * checkpoint. */
typedef int cxn_loop_watch_fn(void *ctx, const struct cxn_loop_news *news);

/* Everything a training is of; all borrowed, all open. */
struct cxn_loop {
    const struct cxn_settings *settings; /* finished */
    const cxn_net *net;
    const cxn_images *images;
    const cxn_list *train, *val;
    const struct cxn_log *notes; /* of what this rank alone meets; env's log is rank 0's */
    const struct cxn_loss *loss;
    const struct cxn_engine *engine; /* validates */
    struct cxn_worker worker;
    cxn_run *run;                    /* rank 0's; NULL on the others */
    const struct cxn_out_pair *about_best; /* what best.safetensors says of itself */
    size_t about_best_count;
    cxn_loop_watch_fn *watch; /* may be NULL */
    void *watch_ctx;
};

enum cxn_loop_end {
    CXN_LOOP_DONE,       /* all steps */
    CXN_LOOP_EARLY_STOP, /* no better validation for --early-stop epochs */
    CXN_LOOP_STOPPED,    /* asked to; a resume goes on */
};

struct cxn_loop_result {
    enum cxn_loop_end end;
    double seconds;      /* of all steps and validations of this call */
    double step_seconds; /* of the steps alone */
    uint64_t steps;      /* of this call */
};

/*
 * Train from *state on: steps, after each epoch a checkpoint, a validation and another checkpoint
 * that tells of it, the best weights kept; one line of log.jsonl a step and an epoch. The same
 * status on every rank unless a peer is lost. On error the last checkpoint stays as it was. As
 * cxn_train_step_run(), cxn_validate(), cxn_run_save().
 */
enum cxn_status cxn_loop_run(const struct cxn_loop *loop, struct cxn_train_state *state,
                             const struct cxn_env *env, struct cxn_loop_result *result,
                             struct cxn_error *err);

/* The state as a checkpoint's object, and back: CXN_E_FORMAT for what no loop has written. epochs:
 * what state->epochs has room for. NULL where there is no memory. */
json_t *cxn_state_json(const struct cxn_train_state *state);
enum cxn_status cxn_state_read(struct cxn_train_state *state, const struct cxn_place *place,
                               const json_t *object, size_t epochs, struct cxn_error *err);

#endif
