/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_bf16.h"

#include "kern/norm_relu_pool_bf16.h"
#include "kern/vnni/parted.h"

struct channels {
    __mmask32 mask;            /* those that there are */
    __m512 scale[2], shift[2]; /* of even and odd ones */
};

static inline struct channels load_channels(const float *scale, const float *shift, size_t left)
{
    struct channels c = { .mask = parted_mask(left) };
    parted_floats(c.scale, scale, c.mask);
    parted_floats(c.shift, shift, c.mask);
    return c;
}

/* The operand order of max keeps a NaN. */
static inline void activate(__m512 to[2], const struct channels *c, const uint16_t *src)
{
    __m512 value[2];
    parted_numbers(value, src, c->mask);
    to[0] = _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(value[0], c->scale[0], c->shift[0]));
    to[1] = _mm512_max_ps(_mm512_setzero_ps(), _mm512_fmadd_ps(value[1], c->scale[1], c->shift[1]));
}

void cxn_norm_relu_bf16_vnni(const struct cxn_norm_relu *norm)
{
    const size_t src_step = norm->src_step, dst_step = norm->dst_step;
    for (size_t p = 0, count; p < norm->count; p += count) {
        count = parted_places(norm->count - p);
        for (size_t i = 0; i < norm->channels; i += PARTED_CHANNELS) {
            const struct channels c =
                load_channels(norm->scale + i, norm->shift + i, norm->channels - i);
            const uint16_t *src = (const uint16_t *)norm->src + p * src_step + i;
            uint16_t *dst = (uint16_t *)norm->dst + p * dst_step + i;
            for (size_t k = 0; k < count; k++, src += src_step, dst += dst_step) {
                __m512 value[2];
                parted_ask(src, src_step * sizeof *src);
                activate(value, &c, src);
                parted_store(dst, c.mask, value);
            }
        }
    }
}

/* src: the window's upper left place. */
static inline void pool_window(__m512 mean[2], const struct channels *c, const uint16_t *src,
                               size_t step, size_t row_step)
{
    __m512 sum[2], value[2];
    activate(sum, c, src);
    for (size_t tap = 1; tap < 4; tap++) {
        activate(value, c, src + tap / 2 * row_step + tap % 2 * step);
        sum[0] += value[0];
        sum[1] += value[1];
    }
    mean[0] = sum[0] * _mm512_set1_ps(0.25f);
    mean[1] = sum[1] * _mm512_set1_ps(0.25f);
}

void cxn_norm_relu_pool_bf16_vnni(const struct cxn_norm_relu_pool *pool)
{
    const size_t step = pool->src_step, dst_step = pool->dst_step;
    for (size_t x = 0, count; x < pool->count; x += count) {
        count = parted_places(pool->count - x);
        for (size_t i = 0; i < pool->channels; i += PARTED_CHANNELS) {
            const struct channels c =
                load_channels(pool->scale + i, pool->shift + i, pool->channels - i);
            const uint16_t *src = (const uint16_t *)pool->src + 2 * x * step + i;
            uint16_t *dst = (uint16_t *)pool->dst + x * dst_step + i;
            for (size_t k = 0; k < count; k++, src += 2 * step, dst += dst_step) {
                __m512 mean[2];
                pool_window(mean, &c, src, step, pool->src_row_step);
                parted_store(dst, c.mask, mean);
            }
        }
    }
}
