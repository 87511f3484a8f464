/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/kernels.h"

#include "kern/conv_bordered_bf16.h"
#include "kern/conv_bordered_f32.h"
#include "kern/conv_bordered_i8.h"
#include "kern/max_pool_row_bf16.h"
#include "kern/max_pool_row_f32.h"
#include "kern/max_pool_row_u8.h"
#include "kern/norm_relu_bf16_f32.h"
#include "kern/norm_relu_f32.h"
#include "kern/norm_relu_pool_bf16.h"
#include "kern/norm_relu_pool_bf16_f32.h"
#include "kern/norm_relu_pool_f32.h"
#include "kern/samples_bf16.h"
#include "kern/samples_f32.h"
#include "kern/samples_u8.h"

static void take_conv(struct cxn_fuse_kernels *kernels, const struct cxn_conv_bordered_kernel *conv)
{
    kernels->conv = conv;
    kernels->level = conv->row.name;
    kernels->run_conv = conv->run;
    kernels->conv_places = conv->places;
}

struct cxn_fuse_kernels cxn_fuse_kernels_f32(uint32_t cpu)
{
    struct cxn_fuse_kernels kernels = {
        .map_bytes = sizeof(float), .panel_bytes = sizeof(float), .term_unit = 1,
        .stem_columns = 7, .stem_copies = 1,
        .samples = cxn_samples_f32_pick(cpu),
        .max_pool_row = cxn_max_pool_row_f32_pick(cpu),
        .norm_relu = cxn_norm_relu_f32_pick(cpu),
        .norm_relu_pool = cxn_norm_relu_pool_f32_pick(cpu),
        .head_norm_relu = cxn_norm_relu_f32_pick(cpu), .mean = cxn_mean_f32_pick(cpu),
        .winograd_data = cxn_winograd_data_f32_pick(cpu),
        .winograd_inverse = cxn_winograd_inverse_f32_pick(cpu),
        .packed_count = cxn_conv_bordered_f32_packed_count, .pack = cxn_conv_bordered_f32_pack
    };
    take_conv(&kernels, cxn_conv_bordered_f32_pick(cpu));
    return kernels;
}

/* Float32 but for the maps and the values of the weights. */
static struct cxn_fuse_kernels pick_bf16_maps(uint32_t cpu)
{
    struct cxn_fuse_kernels kernels = cxn_fuse_kernels_f32(cpu);
    kernels.map_bytes = sizeof(uint16_t);
    kernels.bf16_weights = true;
    kernels.norm_relu = cxn_norm_relu_bf16_f32_pick(cpu);
    kernels.norm_relu_pool = cxn_norm_relu_pool_bf16_f32_pick(cpu);
    kernels.head_norm_relu = kernels.norm_relu;
    kernels.round = cxn_round_bf16_pick(cpu);
    return kernels;
}

struct cxn_fuse_kernels cxn_fuse_kernels_bf16_dots(uint32_t cpu)
{
    struct cxn_fuse_kernels kernels = pick_bf16_maps(cpu);
    kernels.panel_bytes = sizeof(uint16_t);
    kernels.term_unit = 2;
    kernels.stem_columns = 8; /* twice 2 or 4 planes of these are whole tiles of AMX */
    kernels.stem_copies = 2;  /* rounded once, the weights cost ten times the accuracy */
    kernels.round = NULL;
    kernels.samples = cxn_samples_bf16_pick(cpu);
    kernels.max_pool_row = cxn_max_pool_row_bf16_pick(cpu);
    take_conv(&kernels, cxn_conv_bordered_bf16_pick(cpu));
    kernels.winograd_data = NULL;
    kernels.winograd_inverse = NULL;
    kernels.norm_relu = NULL;
    kernels.hinge_conv = cxn_hinge_conv_bf16_pick(cpu);
    kernels.norm_relu_pool = cxn_norm_relu_pool_bf16_pick(cpu);
    kernels.packed_count = cxn_conv_bordered_bf16_packed_count;
    kernels.pack = cxn_conv_bordered_bf16_pack;
    return kernels;
}

/* Without fast instructions for it a product of bfloat16 numbers costs more than one of float32. */
struct cxn_fuse_kernels cxn_fuse_kernels_bf16(uint32_t cpu)
{
    const bool is_fast = (cpu & (CXN_CPU_AMX_BF16 | CXN_CPU_BF16_DOTS)) != 0;
    return is_fast ? cxn_fuse_kernels_bf16_dots(cpu) : pick_bf16_maps(cpu);
}

struct cxn_fuse_kernels cxn_fuse_kernels_i8(uint32_t cpu)
{
    const struct cxn_conv_bordered_i8_kernel *conv = cxn_conv_bordered_i8_pick(cpu);
    return (struct cxn_fuse_kernels){
        .map_bytes = sizeof(uint8_t), .panel_bytes = sizeof(uint8_t),
        .term_unit = CXN_CONV_I8_TERMS,
        .stem_columns = 8, /* of 2 planes as of 4 they are whole units */
        .stem_copies = 1, .level = conv->row.name, .run_conv = conv->run,
        .conv_places = conv->places, .samples = cxn_samples_u8_pick(cpu),
        .max_pool_row = cxn_max_pool_row_u8_pick(cpu),
        .hinge_conv_i8 = cxn_hinge_conv_i8_pick(cpu),
        .hinge_pool_i8 = cxn_hinge_pool_i8_pick(cpu), .sums_u8 = cxn_sums_u8_pick(cpu)
    };
}
