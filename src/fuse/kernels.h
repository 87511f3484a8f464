/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_KERNELS_H
#define CXN_FUSE_KERNELS_H

#include "kern/conv_bordered.h"
#include "kern/hinge_conv_bf16.h"
#include "kern/hinge_conv_i8.h"
#include "kern/hinge_pool_i8.h"
#include "kern/max_pool_row.h"
#include "kern/mean_f32.h"
#include "kern/norm_relu.h"
#include "kern/norm_relu_pool.h"
#include "kern/round_bf16.h"
#include "kern/samples.h"
#include "kern/sums_u8.h"
#include "kern/winograd_data_f32.h"
#include "kern/winograd_inverse_f32.h"

enum { CXN_FUSE_STEM_STRIDE = 2 }; /* of the stem's places */

/*
 * What maps, panels and weights are made of, and the kernels for it that a CPU gets. Maps are those
 * of the dense blocks; a panel is what a convolution reads, after norm and ReLU (or hinges) or
 * between two convolutions, and its numbers are what the convolution writes. The stem reads samples
 * as such numbers, which are exact in any type, and writes them. The head computes in float32. Of
 * bytes all are hinges, and what a byte means the packed numbers know alone.
 */
struct cxn_fuse_kernels {
    size_t map_bytes, panel_bytes; /* of a number */
    size_t term_unit;              /* runs of a convolution are multiples of it */
    size_t stem_columns;           /* of its window; those behind the seventh have weights 0 */
    size_t stem_copies;            /* of its samples; a weight is the sum of its panel numbers */
    bool bf16_weights; /* those behind the stem are rounded to bfloat16 values before packing */
    const char *level; /* of the convolutions */
    cxn_conv_bordered_fn *run_conv;
    size_t conv_places; /* about so many a call suit it */
    const struct cxn_samples_kernel *samples;               /* to panel */
    const struct cxn_max_pool_row_kernel *max_pool_row;     /* panel to panel */
    const struct cxn_norm_relu_kernel *norm_relu;           /* map to panel; or NULL, and */
    const struct cxn_hinge_conv_kernel *hinge_conv;         /* this in the dense layers */
    const struct cxn_norm_relu_pool_kernel *norm_relu_pool; /* map to panel */
    const struct cxn_norm_relu_kernel *head_norm_relu;      /* map to float32 */
    const struct cxn_round_bf16_kernel *round;              /* float32 to map; NULL: none needed */
    const struct cxn_mean_kernel *mean;
    /* Of bytes, instead of hinge_conv, norm_relu_pool, head_norm_relu and mean; else NULL. */
    const struct cxn_hinge_conv_i8_kernel *hinge_conv_i8;
    const struct cxn_hinge_pool_i8_kernel *hinge_pool_i8;
    const struct cxn_sums_u8_kernel *sums_u8;
    /* Both NULL where every 3x3 is computed directly. */
    const struct cxn_winograd_data_f32_kernel *winograd_data;
    const struct cxn_winograd_inverse_f32_kernel *winograd_inverse;
    /* Of floats: the row that run_conv is of, and its packer as kern/conv_bordered_<type>.h has it.
     * Bytes are packed elsewhere. */
    const struct cxn_conv_bordered_kernel *conv;
    size_t (*packed_count)(const struct cxn_conv_bordered_kernel *row, size_t out, size_t terms);
    void (*pack)(const struct cxn_conv_bordered_kernel *row, float *packed, const float *w,
                 const float *bias, size_t out, size_t terms);
};

struct cxn_fuse_kernels cxn_fuse_kernels_f32(uint32_t cpu);

/* Maps, panels and weights in bfloat16, whether or not the CPU has instructions for it. */
struct cxn_fuse_kernels cxn_fuse_kernels_bf16_dots(uint32_t cpu);

/* That where the CPU has fast instructions for it; elsewhere maps in bfloat16 and arithmetic in
 * float32, on weights that are rounded all the same. */
struct cxn_fuse_kernels cxn_fuse_kernels_bf16(uint32_t cpu);

/* Bytes, docs/int8.md. */
struct cxn_fuse_kernels cxn_fuse_kernels_i8(uint32_t cpu);

/* Terms of a convolution with those that fill the last unit: they are 0. */
static inline size_t cxn_fuse_terms(const struct cxn_fuse_kernels *kernels, size_t terms)
{
    return (terms + kernels->term_unit - 1) / kernels->term_unit * kernels->term_unit;
}

#endif
