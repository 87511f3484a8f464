/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_HINGE_H
#define CXN_FUSE_HINGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Norm and ReLU before a convolution as a hinge function and other weights:
 *     max(0, x * scale + shift) = scale * (hinge(x) - knot),  knot = -shift / scale
 * where the hinge rises, max(x, knot), for a scale above 0 and falls, min(x, knot), for one below.
 * So what is left of the norm before the convolution is one comparison, and x is not rounded again.
 * The knot is rounded to bfloat16, as x was: an error of the size of x's own.
 * (A hinge function and its knot: Friedman, Multivariate adaptive regression splines, 1991.)
 */

/* Of each channel what kern/hinge_conv_bf16.h wants. */
void cxn_hinge_knots(uint16_t *knot, uint16_t *turn, const float *scale, const float *shift,
                     size_t channels);

/* w[in][out], bias[out]: of the 1x1 behind the norm, to those behind the hinges; w are then values
 * of bfloat16, and a channel that is cut off adds 0, but for the roundings of a float32 sum. */
void cxn_hinge_weights(float *w, float *bias, const float *scale, const float *shift, size_t in,
                       size_t out);

#endif
