/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_FEED_H
#define CXN_TRAIN_FEED_H

#include "data/loader.h"
#include "train/augment.h"
#include "train/order.h"
#include "train/settings.h"
#include "train/step.h"

/*
 * The pictures of one rank in the order in which its steps ask for them, decoded ahead. With
 * --on-bad skip an image that cannot be read is replaced by the next one of the epoch's order that
 * can: a function of data and seed alone, so that every layout computes the same.
 */

struct cxn_feed_options {
    const cxn_images *images;
    const cxn_list *list;
    const struct cxn_settings *settings; /* finished */
    const struct cxn_log *notes;         /* gets the rank's first replacement; may be NULL */
    unsigned rank, ranks;
};

typedef struct cxn_feed cxn_feed;

/* Borrows everything. CXN_E_NOMEM. */
enum cxn_status cxn_feed_open(cxn_feed **feed, const struct cxn_feed_options *options,
                              const struct cxn_env *env, struct cxn_error *err);

/* Go to update `step` of the epoch (both from 0). What was delivered before is given back. */
enum cxn_status cxn_feed_seek(cxn_feed *feed, uint64_t epoch, uint64_t step,
                              struct cxn_error *err);

/* What cxn_train_step_run() takes its pictures from. Its next(): CXN_E_NOMEM, or what reading an
 * image came to, with the file's name; where no image at all is readable, of the last one. */
struct cxn_shard_source cxn_feed_source(cxn_feed *feed);

void cxn_feed_close(cxn_feed **feed);

#endif
