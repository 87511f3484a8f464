/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_STATE_H
#define CXN_TRAIN_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/*
 * Where a training is, besides the trainer's blocks (weights, moments, average). Everything random
 * is a function of the seed and of these counts, so that there is no other random state: the epoch
 * is step / steps of an epoch, and so on. A checkpoint holds exactly this and the blocks.
 */

/* What one validation found; a NaN AUC where no finding has one. */
struct cxn_epoch_result {
    double val_loss, val_mean_auc;
};

struct cxn_train_state {
    uint64_t step;      /* updates done */
    uint64_t skipped;   /* images replaced by --on-bad skip, over all ranks */
    size_t epoch_count; /* validations done */
    struct cxn_epoch_result *epochs; /* [epoch_count], room for as many as the settings allow */
};

/* The validation (0-based) whose weights are the best: greatest mean AUC; where that is NaN, the
 * least loss. The earliest of equals. count at least 1. */
size_t cxn_state_best(const struct cxn_epoch_result *epochs, size_t count);

#endif
