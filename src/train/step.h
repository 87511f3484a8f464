/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_STEP_H
#define CXN_TRAIN_STEP_H

#include "nn/trainer.h"
#include "train/comm.h"
#include "train/loss.h"
#include "train/order.h"
#include "train/settings.h"

/*
 * One update: this rank's shards one after the other, their gradients added in the fixed binary
 * tree, the exchange with the other ranks, checks, clipping, the optimiser. The weights come out to
 * the same bits for any number of ranks and threads.
 *
 * While the last backward pass is running, ranges of the sum that are final are handed to the comm
 * in pieces of some megabytes.
 */

/* A trainer and a comm that are open; the states are borrowed. */
struct cxn_worker {
    const struct cxn_trainer *trainer;
    cxn_trainer_state *state;
    const struct cxn_comm *comm;
    cxn_comm_state *peers;
};

/* Where the pictures come from. next() fills the views and labels of this rank's next pass of a
 * shard, in the order in which cxn_train_step_run() asks: own shard by own shard, and within one
 * pass by pass. Pictures are borrowed until the call after. */
struct cxn_shard_source {
    enum cxn_status (*next)(void *ctx, struct cxn_train_view *views, uint16_t *labels,
                            struct cxn_error *err);
    uint64_t (*take_skipped)(void *ctx); /* images replaced since the call before */
    void *ctx;
};

/* Gradient slots that the trainer is to be opened with. */
unsigned cxn_train_step_slots(const struct cxn_settings *settings, unsigned ranks);

struct cxn_train_step_options {
    const struct cxn_settings *settings; /* finished for comm->ranks() */
    const struct cxn_loss *loss;
    const cxn_net *net;
    struct cxn_shard_source source;
};

typedef struct cxn_train_step cxn_train_step;

/* Borrows everything. CXN_E_NOMEM. */
enum cxn_status cxn_train_step_open(cxn_train_step **step, const struct cxn_worker *worker,
                                    const struct cxn_train_step_options *options,
                                    const struct cxn_env *env, struct cxn_error *err);
void cxn_train_step_close(cxn_train_step **step);

/* What a rank adds to the exchange of a step, and what all ranks got from it. */
struct cxn_train_step_call {
    uint64_t number;  /* of the update, 1 for the first */
    double lr;
    enum cxn_status status; /* in: what this rank's work since the step before came to; where it is
                               not CXN_OK its text is in *err, and every rank returns it */
    bool stop;        /* in: this rank is asked to stop; out: some rank is */
    uint64_t skipped; /* out: images that all ranks replaced in it */
    double loss;      /* out: mean over all images of the update, before it */
    double norm;      /* out: of the gradient, before clipping */
};

/*
 * The same status on every rank, unless a peer is lost. CXN_E_FORMAT: the loss, the gradient or
 * the statistics of a norm are not finite, and no weight has been changed; or what source.next()
 * returned on the first rank where it failed; CXN_E_PEER.
 */
enum cxn_status cxn_train_step_run(cxn_train_step *step, struct cxn_train_step_call *call,
                                   struct cxn_error *err);

#endif
