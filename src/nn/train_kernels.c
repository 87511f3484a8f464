/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/train_kernels.h"

#include "kern/channel_sums_bf16.h"
#include "kern/channel_sums_f32.h"
#include "kern/conv_bordered_bf16.h"
#include "kern/conv_bordered_f32.h"
#include "kern/max_pool_grad_row_bf16.h"
#include "kern/max_pool_grad_row_f32.h"
#include "kern/max_pool_row_bf16.h"
#include "kern/max_pool_row_f32.h"
#include "kern/norm_center_f32.h"
#include "kern/norm_relu_bf16.h"
#include "kern/norm_relu_f32.h"
#include "kern/norm_relu_grad_bf16.h"
#include "kern/norm_relu_grad_f32.h"
#include "kern/norm_relu_pool_bf16.h"
#include "kern/norm_relu_pool_f32.h"
#include "kern/samples_bf16.h"
#include "kern/samples_f32.h"
#include "kern/wgrad_bf16.h"
#include "kern/wgrad_f32.h"

struct cxn_train_kernels cxn_train_kernels_f32(uint32_t cpu)
{
    return (struct cxn_train_kernels){
        .map_bytes = sizeof(float), .grad_bytes = sizeof(float), .term_unit = 1,
        .stem_columns = 7, .stem_copies = 1, .conv = cxn_conv_bordered_f32_pick(cpu),
        .samples = cxn_samples_f32_pick(cpu), .max_pool_row = cxn_max_pool_row_f32_pick(cpu),
        .norm_relu = cxn_norm_relu_f32_pick(cpu),
        .norm_relu_pool = cxn_norm_relu_pool_f32_pick(cpu),
        .channel_sums = cxn_channel_sums_f32_pick(cpu),
        .norm_center = cxn_norm_center_f32_pick(cpu),
        .norm_relu_grad = cxn_norm_relu_grad_f32_pick(cpu), .wgrad = cxn_wgrad_f32_pick(cpu),
        .max_pool_grad_row = cxn_max_pool_grad_row_f32_pick(cpu),
        .packed_count = cxn_conv_bordered_f32_packed_count, .pack = cxn_conv_bordered_f32_pack
    };
}

struct cxn_train_kernels cxn_train_kernels_bf16(uint32_t cpu)
{
    return (struct cxn_train_kernels){
        .map_bytes = sizeof(uint16_t), .grad_bytes = sizeof(float), .term_unit = 2,
        .stem_columns = 8, /* twice 2 or 4 planes of these are whole tiles of AMX */
        .stem_copies = 2, .conv = cxn_conv_bordered_bf16_pick(cpu),
        .samples = cxn_samples_bf16_pick(cpu), .max_pool_row = cxn_max_pool_row_bf16_pick(cpu),
        .norm_relu = cxn_norm_relu_bf16_pick(cpu),
        .norm_relu_pool = cxn_norm_relu_pool_bf16_pick(cpu),
        .channel_sums = cxn_channel_sums_bf16_pick(cpu),
        .norm_center = cxn_norm_center_bf16_pick(cpu),
        .norm_relu_grad = cxn_norm_relu_grad_bf16_pick(cpu), .wgrad = cxn_wgrad_bf16_pick(cpu),
        .wgrad_scratch_bytes = cxn_wgrad_bf16_scratch_bytes, .round = cxn_round_bf16_pick(cpu),
        .max_pool_grad_row = cxn_max_pool_grad_row_bf16_pick(cpu),
        .packed_count = cxn_conv_bordered_bf16_packed_count, .pack = cxn_conv_bordered_bf16_pack
    };
}

bool cxn_train_kernels_same(const struct cxn_train_kernels *a, const struct cxn_train_kernels *b)
{
    return a->conv == b->conv && a->samples == b->samples && a->max_pool_row == b->max_pool_row &&
           a->norm_relu == b->norm_relu && a->norm_relu_pool == b->norm_relu_pool &&
           a->channel_sums == b->channel_sums && a->norm_center == b->norm_center &&
           a->norm_relu_grad == b->norm_relu_grad && a->wgrad == b->wgrad &&
           a->round == b->round && a->max_pool_grad_row == b->max_pool_grad_row;
}
