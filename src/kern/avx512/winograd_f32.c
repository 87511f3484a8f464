/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

enum { LANES = 16 };

typedef __m512 lanes;

static inline lanes load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void store(float *p, lanes x)
{
    _mm512_storeu_ps(p, x);
}

static inline lanes times(float factor, lanes x)
{
    return _mm512_set1_ps(factor) * x;
}

static inline lanes times_add(float factor, lanes x, lanes y)
{
    return _mm512_fmadd_ps(_mm512_set1_ps(factor), x, y);
}

#include "kern/winograd_lanes.h"

void cxn_winograd_data_f32_avx512(const struct cxn_winograd_data_f32 *data)
{
    data_run(data);
}

void cxn_winograd_inverse_f32_avx512(const struct cxn_winograd_inverse_f32 *inverse)
{
    inverse_run(inverse);
}
