/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/sigmoid_f32.h"

#include <math.h>

/*
 * exp(x) for -700 <= x <= 700 to about 1e-16 of its value: x = n ln 2 + r with |r| <= ln 2 / 2, and
 * the Taylor series of exp(r) up to r^13, whose remainder is below 5e-18. ln 2 is split so that
 * n * LN2_HIGH is exact.
 */
static double plain_exp(double x)
{
    static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
    const double n = floor(x * 0x1.71547652b82fep+0 + 0.5);
    const double r = (x - n * LN2_HIGH) - n * LN2_LOW;
    double sum = 1.0;
    for (int k = 13; k >= 1; k--) sum = 1.0 + sum * r / k;
    return ldexp(sum, (int)n);
}

void cxn_sigmoid_f32_c(float *dst, const float *src, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double x = src[i];
        if (x > 100.0) dst[i] = 1.0f; /* and below -700 exp() would leave its range */
        else if (x < -700.0) dst[i] = 0.0f;
        else dst[i] = (float)(1.0 / (1.0 + plain_exp(-x))); /* a NaN stays one */
    }
}
