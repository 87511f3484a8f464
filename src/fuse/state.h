/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_STATE_H
#define CXN_FUSE_STATE_H

#include "fuse/observe.h"
#include "fuse/pack.h"
#include "nn/engine.h"

/* What the rows of the engine table have in common whose network is packed for the pass of
 * forward.c; nn/engine.h says what each is to do. */

/* Takes the packed network, also on error. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_fused_open(cxn_engine_state **state, struct cxn_packed **packed,
                               const struct cxn_env *env, struct cxn_error *err);
enum cxn_status cxn_fused_fit(cxn_engine_state *state, const struct cxn_room *room,
                              struct cxn_error *err);
enum cxn_status cxn_fused_run(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                              float *prob, struct cxn_error *err);
enum cxn_status cxn_fused_profile(cxn_engine_state *state, const struct cxn_view *view,
                                  cxn_operation_fn *tell, void *ctx, struct cxn_error *err);
/* run() with the same bits, each view wholly in one thread, for packed float32. observers: [count],
 * one a view. */
enum cxn_status cxn_fused_observe(cxn_engine_state *state, const struct cxn_view *views,
                                  size_t count, const struct cxn_observer *observers, float *prob,
                                  struct cxn_error *err);
void cxn_fused_close(cxn_engine_state **state);

#endif
