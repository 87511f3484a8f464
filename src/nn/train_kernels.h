/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAIN_KERNELS_H
#define CXN_NN_TRAIN_KERNELS_H

#include "kern/channel_sums.h"
#include "kern/conv_bordered.h"
#include "kern/max_pool_grad_row.h"
#include "kern/max_pool_row.h"
#include "kern/norm_center.h"
#include "kern/norm_relu.h"
#include "kern/norm_relu_grad.h"
#include "kern/norm_relu_pool.h"
#include "kern/round_bf16.h"
#include "kern/samples.h"
#include "kern/wgrad.h"

/*
 * What the numbers of a training pass are made of, and the kernels for them that a CPU gets. Maps,
 * and panels of what a convolution reads or writes, there and back, are of one type; gradients of
 * maps, in which several consumers add up, may be of a wider one.
 */
struct cxn_train_kernels {
    size_t map_bytes, grad_bytes; /* of a number */
    size_t term_unit;             /* runs of a convolution are multiples of it */
    size_t stem_columns;          /* of its window; those behind the seventh have weights 0 */
    size_t stem_copies;           /* of its samples; a weight is the sum of its copies' */
    const struct cxn_conv_bordered_kernel *conv;
    const struct cxn_samples_kernel *samples;
    const struct cxn_max_pool_row_kernel *max_pool_row;
    const struct cxn_norm_relu_kernel *norm_relu;
    const struct cxn_norm_relu_pool_kernel *norm_relu_pool;
    const struct cxn_channel_sums_kernel *channel_sums;
    const struct cxn_norm_center_kernel *norm_center;       /* gradient, map to panel */
    const struct cxn_norm_relu_grad_kernel *norm_relu_grad; /* panels, map to gradient */
    const struct cxn_wgrad_kernel *wgrad;
    size_t (*wgrad_scratch_bytes)(const struct cxn_wgrad *wgrad); /* NULL: none */
    const struct cxn_round_bf16_kernel *round; /* float32 to panel; NULL: they are */
    const struct cxn_max_pool_grad_row_kernel *max_pool_grad_row; /* panels, map, panel to panel */
    /* For `conv`, as kern/conv_bordered_<type>.h says. */
    size_t (*packed_count)(const struct cxn_conv_bordered_kernel *row, size_t out, size_t terms);
    void (*pack)(const struct cxn_conv_bordered_kernel *row, float *packed, const float *w,
                 const float *bias, size_t out, size_t terms);
};

struct cxn_train_kernels cxn_train_kernels_f32(uint32_t cpu);

/* Maps, panels and what is multiplied in bfloat16, gradients of maps and sums in float32. */
struct cxn_train_kernels cxn_train_kernels_bf16(uint32_t cpu);

/* Of one precision: whether every kernel is the same. */
bool cxn_train_kernels_same(const struct cxn_train_kernels *a, const struct cxn_train_kernels *b);

#endif
