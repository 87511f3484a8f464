/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/kern.h"

#include "base/status.h"
#include "kern/avg_pool_f32.h"
#include "kern/channel_sums_bf16.h"
#include "kern/channel_sums_f32.h"
#include "kern/conv_bordered_bf16.h"
#include "kern/conv_bordered_f32.h"
#include "kern/conv_bordered_i8.h"
#include "kern/conv_f32.h"
#include "kern/hinge_conv_bf16.h"
#include "kern/hinge_conv_i8.h"
#include "kern/hinge_pool_i8.h"
#include "kern/linear_f32.h"
#include "kern/max_pool_f32.h"
#include "kern/max_pool_grad_row_bf16.h"
#include "kern/max_pool_grad_row_f32.h"
#include "kern/max_pool_row_bf16.h"
#include "kern/max_pool_row_f32.h"
#include "kern/max_pool_row_u8.h"
#include "kern/mean_f32.h"
#include "kern/norm_center_f32.h"
#include "kern/norm_relu_bf16.h"
#include "kern/norm_relu_bf16_f32.h"
#include "kern/norm_relu_f32.h"
#include "kern/norm_relu_grad_bf16.h"
#include "kern/norm_relu_grad_f32.h"
#include "kern/norm_relu_pool_bf16.h"
#include "kern/norm_relu_pool_bf16_f32.h"
#include "kern/norm_relu_pool_f32.h"
#include "kern/pairs_bf16.h"
#include "kern/round_bf16.h"
#include "kern/samples_bf16.h"
#include "kern/samples_f32.h"
#include "kern/samples_u8.h"
#include "kern/sigmoid_f32.h"
#include "kern/sums_u8.h"
#include "kern/transpose_bf16.h"
#include "kern/wgrad_bf16.h"
#include "kern/wgrad_f32.h"
#include "kern/window_f32.h"
#include "kern/winograd_data_f32.h"
#include "kern/winograd_inverse_f32.h"

/* In the order in which a picture meets them. */
static const struct cxn_kern_op *const ops[] = {
    &cxn_window_f32_op,   &cxn_conv_f32_op, &cxn_norm_relu_f32_op, &cxn_max_pool_f32_op,
    &cxn_avg_pool_f32_op, &cxn_mean_f32_op, &cxn_linear_f32_op,    &cxn_sigmoid_f32_op,
    &cxn_samples_f32_op,  &cxn_conv_bordered_f32_op, &cxn_max_pool_row_f32_op,
    &cxn_norm_relu_pool_f32_op, &cxn_round_bf16_op, &cxn_norm_relu_bf16_f32_op,
    &cxn_norm_relu_pool_bf16_f32_op, &cxn_hinge_conv_bf16_op, &cxn_conv_bordered_bf16_op,
    &cxn_norm_relu_bf16_op,
    &cxn_norm_relu_pool_bf16_op, &cxn_max_pool_row_bf16_op, &cxn_samples_bf16_op,
    &cxn_winograd_data_f32_op, &cxn_winograd_inverse_f32_op, &cxn_samples_u8_op,
    &cxn_conv_bordered_i8_op, &cxn_max_pool_row_u8_op, &cxn_hinge_conv_i8_op,
    &cxn_hinge_pool_i8_op, &cxn_sums_u8_op,
    /* Of training alone, in the order of the backward pass. */
    &cxn_channel_sums_f32_op, &cxn_norm_center_f32_op, &cxn_norm_relu_grad_f32_op,
    &cxn_wgrad_f32_op, &cxn_max_pool_grad_row_f32_op,
    &cxn_channel_sums_bf16_op, &cxn_norm_center_bf16_op, &cxn_norm_relu_grad_bf16_op,
    &cxn_wgrad_bf16_op, &cxn_pairs_bf16_op, &cxn_transpose_bf16_op,
    &cxn_max_pool_grad_row_bf16_op,
};

const struct cxn_kern_op *const *cxn_kern_ops(size_t *count)
{
    *count = CXN_COUNTOF(ops);
    return ops;
}

const struct cxn_kern_row *cxn_kern_row(const struct cxn_kern_op *op, size_t i)
{
    return (const struct cxn_kern_row *)(const void *)((const char *)op->rows + i * op->row_bytes);
}

size_t cxn_kern_best(const struct cxn_kern_op *op, uint32_t cpu)
{
    size_t best = 0;
    for (size_t i = 1; i < op->row_count; i++)
        if ((cxn_kern_row(op, i)->needs & ~cpu) == 0) best = i;
    return best;
}
