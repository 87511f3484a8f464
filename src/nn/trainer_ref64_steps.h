/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAINER_REF64_STEPS_H
#define CXN_NN_TRAINER_REF64_STEPS_H

#include "base/pool.h"
#include "nn/steps.h"
#include "nn/trainer.h"

/*
 * One step of the list (nn/steps.h) for all views of a shard, forward and backward, in double.
 * A map is [views][height][width][channels of a whole place]; pointers are to the first channel
 * that the step reads or writes. dx stands for the gradient of the loss by x.
 */
struct cxn_ref64_pass {
    const struct cxn_step *step;
    size_t views;
    size_t height, width;         /* of src */
    size_t dst_height, dst_width;
    const struct cxn_train_view *view; /* [views]; CXN_STEP_WINDOW */
    uint8_t *samples;                  /* [views][height][width][3], room for cut views */
    const double *src;
    double *dst;
    double *dsrc;                 /* NULL: nobody needs it */
    const double *ddst;
    const double *weights;        /* the flat block */
    double *slot;
    size_t param_count;
    double *used;                 /* means and biased variances that norms used; its number i is of
                                     the block's number param_count + i */
    bool frozen;                  /* norms use the running statistics */
    double *packed, *dpacked;     /* room for a convolution's weights, each */
    cxn_pool *pool;
};

/* Logits are the last step's dst: the head has no sigmoid here. */
void cxn_ref64_forward(struct cxn_ref64_pass *pass);

/* Writes the slot's gradients of the step's parameters, and dsrc: added to what is there where
 * earlier readers of a dense block's map follow, else overwritten. */
void cxn_ref64_backward(struct cxn_ref64_pass *pass);

#endif
