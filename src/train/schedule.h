/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_SCHEDULE_H
#define CXN_TRAIN_SCHEDULE_H

#include "train/settings.h"
#include "train/state.h"

/*
 * The learning rate as a function of the update's number and of the validations before it, and of
 * nothing else, so that a resumed training has no state to restore. In torch.optim.lr_scheduler's
 * words, with T updates in all and W of --warmup:
 *     constant   LR
 *     step       StepLR(--decay-epochs, --decay), by epochs
 *     cosine     CosineAnnealingLR(T - W), by updates
 *     plateau    ReduceLROnPlateau('min', --decay, --decay-epochs) on the validation loss
 *     one-cycle  OneCycleLR(max_lr=LR, total_steps=T, cycle_momentum=False), by updates
 * In the first W updates the rate of the schedule is multiplied by (update + 1) / W, and a cosine
 * begins after them; one-cycle has a rise of its own and refuses --warmup.
 */
struct cxn_schedule {
    const struct cxn_settings *settings;
    uint64_t epoch_steps; /* updates in an epoch */
    uint64_t total;       /* in the whole training */
};

struct cxn_schedule cxn_schedule_make(const struct cxn_settings *settings, size_t images);

/* step: 0 for the first update. */
double cxn_schedule_lr(const struct cxn_schedule *schedule, uint64_t step,
                       const struct cxn_epoch_result *epochs, size_t epoch_count);

#endif
