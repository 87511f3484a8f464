/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_WALK_H
#define CXN_NN_WALK_H

#include "nn/engine.h"
#include "nn/steps.h"

/*
 * An engine that follows the list of steps: each view wholly by one thread, in that thread's own
 * maps. What the numbers are (float, double) and how a step is computed is the arithmetic's.
 */

/* What one step of one view works on. Pointers are to the arithmetic's own number type. */
struct cxn_operands {
    const struct cxn_view *view;
    size_t height, width; /* of src; for CXN_STEP_WINDOW of the view */
    size_t dst_height, dst_width;
    const void *src;      /* the map from its first channel on */
    void *dst;            /* the map from channel dst_first on */
    const void *weights;  /* as load() left them; 64-byte aligned */
    const void *zeros;    /* in_max zeros */
};

struct cxn_arithmetic {
    size_t number_bytes;

    /* Numbers that load() writes for this step, 0 for most kinds. */
    size_t (*weight_count)(const struct cxn_step *step);
    void (*load)(const struct cxn_step *step, const float *block, void *weights);
    void (*compute)(const struct cxn_step *step, const struct cxn_operands *at);

    /* Number i of an array, for the result. */
    double (*read)(const void *numbers, size_t i);
};

/* The functions of a cxn_engine. arithmetic has static lifetime. Errors of open and fit:
 * CXN_E_NOMEM. Of run: CXN_E_ARG for a view that breaks the contract, CXN_E_FORMAT where the
 * weights drive a number out of its type's range. */
enum cxn_status cxn_walk_open(cxn_engine_state **state, const struct cxn_arithmetic *arithmetic,
                              const struct cxn_engine_source *source, const struct cxn_env *env,
                              struct cxn_error *err);
enum cxn_status cxn_walk_fit(cxn_engine_state *state, const struct cxn_room *room,
                             struct cxn_error *err);
enum cxn_status cxn_walk_run(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                             float *prob, struct cxn_error *err);
enum cxn_status cxn_walk_profile(cxn_engine_state *state, const struct cxn_view *view,
                                 cxn_operation_fn *tell, void *ctx, struct cxn_error *err);
void cxn_walk_close(cxn_engine_state **state);

/* As cxn_walk_run(), not rounded to float. */
enum cxn_status cxn_walk_run64(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                               double *prob, struct cxn_error *err);

#endif
