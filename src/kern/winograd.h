/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_WINOGRAD_H
#define CXN_KERN_WINOGRAD_H

#include <stddef.h>

/*
 * Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, Fast Algorithms for Convolutional
 * Neural Networks, CVPR 2016): the 4x4 outputs y that 3x3 weights g make of 6x6 inputs d are
 *     y = A^T [(G g G^T) * (B^T d B)] A,
 * the product in the middle number by number: 36 products instead of 144. Over channels the
 * products are 36 matrix products, one a position. The matrices interpolate at 0, a, -a, b, -b and
 * infinity, a = 5/8 and b = 3/2; with s = a^2 + b^2 and p = a^2 b^2:
 *
 *           | p    0    -s   0   1  0 |           | 1   1     1    1     1   0 |
 *           | 0  -ab^2 -b^2  a   1  0 |           | 0   a    -a    b    -b   0 |
 *     B^T = | 0   ab^2 -b^2 -a   1  0 |     A^T = | 0  a^2   a^2  b^2   b^2  0 |
 *           | 0  -ba^2 -a^2  b   1  0 |           | 0  a^3  -a^3  b^3  -b^3  1 |
 *           | 0   ba^2 -a^2 -b   1  0 |
 *           | 0    p    0   -s   0  1 |
 *
 * and row j of G is (1, x, x^2) of its point x over the product of its distances to the other
 * finite points; (0, 0, 1) for infinity. B and A are exact in float32. With these points the error
 * of 128 channels is twice that of the direct sum; with the usual 0, 1, -1, 2, -2 it is four times.
 */
enum {
    CXN_WINOGRAD_TILE = 4,      /* outputs a side */
    CXN_WINOGRAD_WINDOW = 6,    /* inputs a side; windows of neighbouring tiles overlap by two */
    CXN_WINOGRAD_POSITIONS = 36 /* number (y, x) of a transformed window is position 6 y + x */
};

#define CXN_WINOGRAD_A 0.625
#define CXN_WINOGRAD_B 1.5

enum { CXN_WINOGRAD_FILTERS = 8 };

/* u = G g G^T of several filters. g: a row of the window after the other. */
void cxn_winograd_filter(double u[CXN_WINOGRAD_POSITIONS][CXN_WINOGRAD_FILTERS],
                         double g[9][CXN_WINOGRAD_FILTERS]);

#endif
