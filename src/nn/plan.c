/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include <stdint.h>

#include "base/size.h"

enum { LINE_BYTES = 64 };

static bool meet_in_time(const struct cxn_plan_buffer *a, const struct cxn_plan_buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The end of a placed buffer that is in the way of b at b->offset, or 0. */
static size_t find_obstacle(const struct cxn_plan_buffer *buffers, size_t count,
                            const bool *placed, const struct cxn_plan_buffer *b)
{
    for (size_t i = 0; i < count; i++) {
        const struct cxn_plan_buffer *o = &buffers[i];
        if (!placed[i] || !meet_in_time(o, b)) continue;
        if (o->offset < b->offset + b->bytes && b->offset < o->offset + o->bytes)
            return o->offset + o->bytes;
    }
    return 0;
}

static size_t find_largest(const struct cxn_plan_buffer *buffers, size_t count, const bool *placed)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (!placed[i] && (best == count || buffers[i].bytes > buffers[best].bytes)) best = i;
    return best;
}

enum { BUFFERS_MAX = 32 };

bool cxn_plan(struct cxn_plan_buffer *buffers, size_t count, size_t *arena_bytes)
{
    bool placed[BUFFERS_MAX] = { false };
    size_t sum = 0;
    if (count > BUFFERS_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        if (!cxn_size_add(buffers[i].bytes, LINE_BYTES - 1, &buffers[i].bytes)) return false;
        buffers[i].bytes -= buffers[i].bytes % LINE_BYTES;
        if (!cxn_size_add(sum, buffers[i].bytes, &sum)) return false;
    }
    *arena_bytes = 0;
    for (size_t n = 0; n < count; n++) {
        const size_t i = find_largest(buffers, count, placed);
        struct cxn_plan_buffer *b = &buffers[i];
        b->offset = 0;
        for (size_t end; (end = find_obstacle(buffers, count, placed, b)) > 0;) b->offset = end;
        placed[i] = true;
        if (b->offset + b->bytes > *arena_bytes) *arena_bytes = b->offset + b->bytes;
    }
    return true;
}
