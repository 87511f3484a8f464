/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_STEPS_H
#define CXN_NN_STEPS_H

#include "nn/densenet.h"

/*
 * The forward pass as a list: which tensor is applied to which map, in which order. It is the one
 * place that knows the order; arithmetic (nn/reference.c, nn/ref64.c) only follows it.
 *
 * Maps are channels-last, [height][width][channels]. A dense block is one map: each layer writes
 * its channels behind those that are there, so that concatenation is nobody's work.
 */

enum cxn_step_kind {
    CXN_STEP_WINDOW,    /* the view, normalised -> dst, 3 channels */
    CXN_STEP_CONV,      /* tensor: weight */
    CXN_STEP_NORM_RELU, /* tensor: weight; bias, running mean and variance follow it */
    CXN_STEP_MAX_POOL,  /* 3x3, stride 2, border 1 */
    CXN_STEP_AVG_POOL,  /* 2x2, stride 2 */
    CXN_STEP_MEAN,      /* over all places -> dst[in] */
    CXN_STEP_HEAD,      /* linear and sigmoid -> dst[out]; tensor: weight; bias follows it */
};

enum cxn_map {
    CXN_MAP_INPUT,
    CXN_MAP_BLOCK,  /* a dense block's channels */
    CXN_MAP_ACTIVE, /* what a convolution reads: after norm and ReLU */
    CXN_MAP_MIDDLE, /* between two convolutions */
    CXN_MAP_COUNT
};

struct cxn_step {
    enum cxn_step_kind kind;
    enum cxn_map src, dst;
    uint32_t src_step, dst_step; /* channels of a whole place of each map */
    uint32_t in, out;            /* channels read, from the first on, and channels written */
    uint32_t dst_first;          /* the first one written */
    uint32_t shift, dst_shift;   /* halvings of the view's sides in src and in dst */
    uint32_t kernel, stride, pad; /* CXN_STEP_CONV */
    const struct cxn_net_tensor *tensor; /* first of the step's, NULL where it has none */
};

/*
 * Side of a map after so many halvings of a view's side. The two of the stem have a border and
 * round up; the transitions pool what makes a pair, and round down.
 */
static inline size_t cxn_view_side(size_t side, uint32_t halvings)
{
    const uint32_t stem = halvings < 2 ? halvings : 2;
    const size_t begun = ((size_t)1 << stem) - 1;
    return (side + begun) >> stem >> (halvings - stem);
}

struct cxn_steps {
    size_t count;
    size_t in_max; /* most channels that a convolution reads */
    struct cxn_step step[];
};

/* net is borrowed and must outlive the list. CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_steps_open(struct cxn_steps **steps, const cxn_net *net, struct cxn_mem *mem,
                               struct cxn_error *err);
void cxn_steps_close(struct cxn_steps **steps);

#endif
