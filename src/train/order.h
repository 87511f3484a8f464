/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_ORDER_H
#define CXN_TRAIN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The order of images in an epoch, a function of seed and epoch alone, and the part of it that one
 * rank computes. An update takes the next batch * accumulate places of the order; pass a of it the
 * a-th `batch` of these, and shard s of the pass the s-th batch / shards of those.
 */

/* Streams of the generator (base/random.h) that training draws from. */
enum cxn_random_use { CXN_RANDOM_ORDER = 1, CXN_RANDOM_VIEW = 2, CXN_RANDOM_WEIGHTS = 3 };

/* Stream of draw `item` of `round`: items below 2^32, rounds below 2^28. */
uint64_t cxn_random_stream(enum cxn_random_use use, uint64_t round, uint64_t item);

/* Fisher and Yates's shuffle of 0..count-1 into order; unless shuffled they stand as listed. */
void cxn_order_epoch(uint32_t *order, size_t count, uint64_t seed, uint64_t epoch, bool shuffle);

/* How the places of the order are shared out. */
struct cxn_layout {
    size_t batch, shards, accumulate;
    size_t rank, ranks;
};

static inline size_t cxn_layout_shard_images(const struct cxn_layout *l)
{
    return l->batch / l->shards;
}

static inline size_t cxn_layout_own_shards(const struct cxn_layout *l)
{
    return l->shards / l->ranks;
}

/* First place in the epoch's order of pass `pass` of this rank's own shard `own` in update `step`
 * of the epoch; cxn_layout_shard_images() places follow each other. */
size_t cxn_layout_place(const struct cxn_layout *layout, uint64_t step, size_t own, size_t pass);

#endif
