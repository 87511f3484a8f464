/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_ROUNDING_H
#define CXN_QUANT_ROUNDING_H

#include <stddef.h>
#include <stdint.h>

/*
 * A convolution's weights as integers, symmetric, with one scale an output channel: docs/int8.md,
 * "Weights" and "Bias correction".
 */

/* Of one input channel: the float network's number is about scale times the byte. */
struct cxn_input {
    double scale;
    double mean;   /* of the float network's number */
    double number; /* mean of the byte */
};

struct cxn_rounding {
    const float *weight; /* [taps][in][out], finite */
    const struct cxn_input *inputs; /* [in] */
    size_t taps, in, out;
    int8_t *high; /* [taps][in][out], -127 to 127 */
    int8_t *low;  /* the same, -64 to 63, of weights 128 high + low; NULL: of one part */
    double *step; /* [out]: weight * scale of the input is about step times the integers; 0 for a
                     row of zeros */
    double *bias; /* [out]: what rounding takes from an output on average is added; nothing where
                     the inputs' means are 0 */
};

/* Sums are taken over taps, then inputs, in their order. */
void cxn_rounding_run(const struct cxn_rounding *r);

#endif
