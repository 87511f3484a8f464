/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_CONV_F32_H
#define CXN_KERN_CONV_F32_H

#include "kern/kern.h"

/*
 * Convolution of a channels-last map with a square window, without bias:
 *     dst[y][x][o] = sum over ky, kx, i of
 *                    src[y*stride+ky-pad][x*stride+kx-pad][i] * w[o][i][ky][kx]
 * where places outside the picture count as 0. src and dst do not overlap.
 */
struct cxn_conv_f32 {
    const float *src;  /* [height][width] places, src_step floats apart; `in` of them are read */
    size_t src_step;
    size_t height, width, in, out;
    size_t kernel, stride, pad;
    const float *w;     /* from cxn_conv_f32_pack() for the same row of the table */
    const float *zeros; /* `in` floats, all 0: what is read outside the picture */
    float *dst;         /* [out height][out width] places, dst_step floats apart */
    size_t dst_step;
};
typedef void cxn_conv_f32_fn(const struct cxn_conv_f32 *conv);

/* Side of the output for a side of the input. */
static inline size_t cxn_conv_side(const struct cxn_conv_f32 *conv, size_t side)
{
    return (side + 2 * conv->pad - conv->kernel) / conv->stride + 1;
}

/* One function a level, kern/<level>/conv_f32.c. */
cxn_conv_f32_fn cxn_conv_f32_c;

struct cxn_conv_f32_kernel {
    struct cxn_kern_row row;
    uint16_t places, channels; /* tile of the output; the packer takes it from here only */
    cxn_conv_f32_fn *run;
};

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_conv_f32_kernel *cxn_conv_f32_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_conv_f32_op;

/* Weights as a row wants them: [panel][ky][kx][in][channels], a panel being the row's `channels`
 * outputs; the last is filled up with zeros. */
size_t cxn_conv_f32_packed_count(const struct cxn_conv_f32_kernel *row, size_t out, size_t in,
                                 size_t kernel);

/* w: [out][in][kernel][kernel]. */
void cxn_conv_f32_pack(const struct cxn_conv_f32_kernel *row, float *packed, const float *w,
                       size_t out, size_t in, size_t kernel);

#endif
