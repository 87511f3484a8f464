/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/winograd.h"

enum { FILTERS = CXN_WINOGRAD_FILTERS, WINDOW = CXN_WINOGRAD_WINDOW };

/* G times three numbers, of several filters. */
static void filter_line(double u[restrict WINDOW][FILTERS], const double g0[restrict FILTERS],
                        const double g1[restrict FILTERS], const double g2[restrict FILTERS])
{
    const double a = CXN_WINOGRAD_A, b = CXN_WINOGRAD_B, aa = a * a, bb = b * b;
    const double near = 0.5 / (aa * (aa - bb)), far = 0.5 / (bb * (bb - aa));
    for (size_t i = 0; i < FILTERS; i++) {
        const double even_a = g0[i] + aa * g2[i], odd_a = a * g1[i];
        const double even_b = g0[i] + bb * g2[i], odd_b = b * g1[i];
        u[0][i] = g0[i] * (1.0 / (aa * bb));
        u[1][i] = (even_a + odd_a) * near;
        u[2][i] = (even_a - odd_a) * near;
        u[3][i] = (even_b + odd_b) * far;
        u[4][i] = (even_b - odd_b) * far;
        u[5][i] = g2[i];
    }
}

void cxn_winograd_filter(double u[CXN_WINOGRAD_POSITIONS][CXN_WINOGRAD_FILTERS],
                         double g[9][CXN_WINOGRAD_FILTERS])
{
    double column[3][WINDOW][FILTERS];
    for (size_t x = 0; x < 3; x++) filter_line(column[x], g[x], g[3 + x], g[6 + x]);
    for (size_t y = 0; y < WINDOW; y++)
        filter_line(u + y * WINDOW, column[0][y], column[1][y], column[2][y]);
}
