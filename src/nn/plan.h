/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_PLAN_H
#define CXN_NN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

/* A buffer that is needed from stage `first` to stage `last`, both included. */
struct cxn_plan_buffer {
    size_t bytes, first, last;
    size_t offset; /* out: into the arena, a multiple of 64 */
};

/*
 * Offsets such that buffers needed at the same stage do not overlap: largest first, each as low as
 * it fits. False where the sum of the sizes does not fit a size_t.
 */
bool cxn_plan(struct cxn_plan_buffer *buffers, size_t count, size_t *arena_bytes);

#endif
