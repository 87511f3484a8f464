/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AVX2_TILES_I8_H
#define CXN_KERN_AVX2_TILES_I8_H

#include <string.h>

typedef int tile_sum __attribute__((vector_size(32)));

#include "kern/avx2/tiles.h"
#include "kern/conv_bordered_i8.h"

/* Four terms of a place in each lane. */
TILE_INLINE __m256i tile_broadcast(const char *p)
{
    int four;
    memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
}

TILE_INLINE tile_sum tile_begin_zero(const char *panel, size_t half)
{
    (void)panel;
    (void)half;
    return (tile_sum){ 0 };
}

TILE_INLINE __m256 tile_scale(__m256i sum, const float *factor)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_load_ps(factor));
}

/* As int32, which saturates to a byte as it should: what is too great is cut before, for it would
 * become a negative number, as a NaN does, which vminps keeps as its second operand. */
TILE_INLINE __m256i tile_round(__m256 value)
{
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(255.0f), value));
}

/* The sums of a place as bytes, 8 of them where they are of two parts; ignored are the others. Two
 * roundings, of the product and of the sum: needs -ffp-contract=off. */
TILE_INLINE __m128i tile_requantize(const float *factor, __m256i first, __m256i second,
                                    bool two_parts)
{
    const float *shift = factor + TILE_CHANNELS;
    const __m256 a = tile_scale(first, factor);
    const __m256 b = _mm256_add_ps(tile_scale(second, factor + 8), _mm256_load_ps(shift + 8));
    const __m256i low = tile_round(_mm256_add_ps(a, two_parts ? b : _mm256_load_ps(shift)));
    const __m256i words = _mm256_packs_epi32(low, tile_round(b)); /* four of each in turns */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order));
}

TILE_INLINE void tile_store_bytes(const struct cxn_conv_bordered *c, const char *panel, char *dst,
                                  size_t count, tile_sum first, tile_sum second)
{
    const float *factor = (const float *)(const void *)panel;
    const __m128i bytes = tile_requantize(factor, (__m256i)first, (__m256i)second, c->two_parts);
    if (count == TILE_CHANNELS) _mm_storeu_si128((__m128i *)(void *)dst, bytes);
    else memcpy(dst, &bytes, count);
}

/* By panels whose weights are so many bytes. */
TILE_INLINE void tile_run_i8(const struct cxn_conv_bordered *c, size_t weight_bytes,
                             tile_add_fn *add_row)
{
    const size_t header_bytes = cxn_conv_i8_header_bytes(TILE_CHANNELS);
    tile_run(c, (struct tile_type){ sizeof(uint8_t), header_bytes, header_bytes + weight_bytes,
                                    cxn_conv_i8_outputs(TILE_CHANNELS, c->two_parts),
                                    tile_begin_zero, add_row, tile_store_bytes });
}

#endif
