/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/kernels.h"

#include "kern/conv_bordered_bf16.h"
#include "kern/conv_bordered_f32.h"
#include "kern/max_pool_row_bf16.h"
#include "kern/max_pool_row_f32.h"
#include "kern/mean_bf16.h"
#include "kern/norm_relu_bf16.h"
#include "kern/norm_relu_f32.h"
#include "kern/norm_relu_pool_bf16.h"
#include "kern/norm_relu_pool_f32.h"

struct cxn_fuse_kernels cxn_fuse_kernels_f32(uint32_t cpu)
{
    return (struct cxn_fuse_kernels){
        .number_bytes = sizeof(float), .term_unit = 1, .stem = cxn_conv_bordered_f32_pick(cpu),
        .conv = cxn_conv_bordered_f32_pick(cpu),
        .max_pool_row = cxn_max_pool_row_f32_pick(cpu),
        .norm_relu = cxn_norm_relu_f32_pick(cpu),
        .norm_relu_pool = cxn_norm_relu_pool_f32_pick(cpu),
        .mean = cxn_mean_f32_pick(cpu),
        .packed_count = cxn_conv_bordered_f32_packed_count, .pack = cxn_conv_bordered_f32_pack
    };
}

struct cxn_fuse_kernels cxn_fuse_kernels_bf16(uint32_t cpu)
{
    return (struct cxn_fuse_kernels){
        .number_bytes = sizeof(uint16_t), .term_unit = 2, .stem = cxn_conv_bordered_f32_pick(cpu),
        .conv = cxn_conv_bordered_bf16_pick(cpu),
        .max_pool_row = cxn_max_pool_row_bf16_pick(cpu),
        .norm_relu = cxn_norm_relu_bf16_pick(cpu),
        .norm_relu_pool = cxn_norm_relu_pool_bf16_pick(cpu),
        .mean = cxn_mean_bf16_pick(cpu),
        .packed_count = cxn_conv_bordered_bf16_packed_count, .pack = cxn_conv_bordered_bf16_pack
    };
}
