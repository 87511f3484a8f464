/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_FORWARD_H
#define CXN_FUSE_FORWARD_H

#include "base/barrier.h"
#include "fuse/pack.h"
#include "fuse/maps.h"
#include "fuse/observe.h"
#include "fuse/watch.h"
#include "nn/engine.h"

/* One member of the team that computes one view; its rows are the team's rows cut evenly. A team of
 * one needs no barrier. Whatever the team, each number is computed by the same operations. */
struct cxn_forward {
    const struct cxn_packed *packed;
    const struct cxn_maps_plan *plan;
    uint32_t cpu;
    uint8_t *maps;    /* the view's, plan->view_bytes */
    uint8_t *scratch; /* the member's own, plan->scratch_bytes */
    struct cxn_watch *watch; /* told of each operation; NULL: nobody is; for a team of one */
    const struct cxn_observer *observer; /* the same; maps and panels are float32 */
    unsigned member, team;
    struct cxn_barrier *barrier;
};

/* prob: [classes], written by member 0. Every member calls it. Allocates nothing. */
void cxn_forward(const struct cxn_forward *run, const struct cxn_view *view, float *prob);

#endif
