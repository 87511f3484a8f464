/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX512_TILES_FLOAT_H
#define CXN_KERN_AVX512_TILES_FLOAT_H

#include <immintrin.h>

typedef __m512 tile_sum;

#include "kern/avx512/tiles.h"

/* Where a panel begins with the biases in float32. */
TILE_INLINE tile_sum tile_begin_bias(const char *panel, size_t half)
{
    return _mm512_load_ps(panel + 64 * half);
}

/* A sum behind the ReLU that was asked for; max keeps a second NaN. */
TILE_INLINE __m512 tile_relu(const struct cxn_conv_bordered *c, __m512 sum)
{
    return _mm512_max_ps(_mm512_set1_ps(c->relu ? 0.0f : -__builtin_inff()), sum);
}

#endif
