/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

enum { LANES = 4 };

typedef float lanes __attribute__((vector_size(16)));

static inline lanes load(const float *p)
{
    lanes x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline void store(float *p, lanes x)
{
    memcpy(p, &x, sizeof x);
}

static inline lanes times(float factor, lanes x)
{
    return factor * x;
}

static inline lanes times_add(float factor, lanes x, lanes y)
{
    return factor * x + y;
}

#include "kern/winograd_lanes.h"

void cxn_winograd_data_f32_c(const struct cxn_winograd_data_f32 *data)
{
    data_run(data);
}

void cxn_winograd_inverse_f32_c(const struct cxn_winograd_inverse_f32 *inverse)
{
    inverse_run(inverse);
}
