/* SPDX-License-Identifier: Apache-2.0 */
#include "train/order.h"

#include "base/random.h"

uint64_t cxn_random_stream(enum cxn_random_use use, uint64_t round, uint64_t item)
{
    return (uint64_t)use << 60 | round << 32 | item;
}

void cxn_order_epoch(uint32_t *order, size_t count, uint64_t seed, uint64_t epoch, bool shuffle)
{
    struct cxn_random r = cxn_random_make(seed, cxn_random_stream(CXN_RANDOM_ORDER, epoch, 0));
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    for (size_t i = count; shuffle && i > 1; i--) {
        const uint32_t j = cxn_random_below(&r, (uint32_t)i);
        const uint32_t taken = order[j];
        order[j] = order[i - 1];
        order[i - 1] = taken;
    }
}

size_t cxn_layout_place(const struct cxn_layout *l, uint64_t step, size_t own, size_t pass)
{
    const size_t shard = l->rank * cxn_layout_own_shards(l) + own;
    return ((size_t)step * l->accumulate + pass) * l->batch + shard * cxn_layout_shard_images(l);
}
