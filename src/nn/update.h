/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_UPDATE_H
#define CXN_NN_UPDATE_H

#include "nn/trainer.h"

/*
 * Arithmetic on the flat blocks of a trainer in host memory: what its add(), square_sum() and
 * update() do, for rows whose numbers are float and for those in double. Work is cut into pieces of
 * a fixed size, so that no number depends on the threads.
 */

/* Which numbers of the blocks training changes. Those before param_first belong to a frozen
 * backbone; its statistics are frozen too. */
struct cxn_trained {
    size_t param_first, param_end;
    size_t statistic_first, statistic_end; /* equal: none */
};

struct cxn_trained cxn_trained_of(const cxn_net *net, bool head_only);

struct cxn_blocks_f32 {
    float *weights, *gradient; /* float_count */
    float *moment[2];          /* param_count; those that the rule needs */
    float *average;            /* float_count; NULL: none is kept */
};

struct cxn_blocks_f64 {
    double *weights, *gradient;
    double *moment[2];
    double *average;
};

/* One step. Factors are made in double and rounded once to the block's type, whose arithmetic
 * everything else is in, as torch.optim does; running statistics are mixed in double, as PyTorch
 * does. Statistics and average of what is not trained stay. */
void cxn_update_f32(const struct cxn_blocks_f32 *blocks, const struct cxn_trained *trained,
                    const struct cxn_update *update, cxn_pool *pool);
void cxn_update_f64(const struct cxn_blocks_f64 *blocks, const struct cxn_trained *trained,
                    const struct cxn_update *update, cxn_pool *pool);

/* to[i] += from[i]. */
void cxn_add_f32(float *to, const float *from, size_t count, cxn_pool *pool);
void cxn_add_f64(double *to, const double *from, size_t count, cxn_pool *pool);

/* Sum of squares, in double and in a fixed order. */
double cxn_square_sum_f32(const float *numbers, size_t count, cxn_pool *pool);
double cxn_square_sum_f64(const double *numbers, size_t count, cxn_pool *pool);

#endif
