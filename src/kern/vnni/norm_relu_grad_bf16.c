/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/norm_relu_grad_bf16.h"

#include <stdbool.h>

#include "kern/vnni/parted.h"

#define GRAD_INLINE static inline __attribute__((always_inline))

GRAD_INLINE void add_to_doubles(double *to, size_t left, __m512 even, __m512 odd)
{
    alignas(64) float value[PARTED_CHANNELS];
    __m512 joined[2];
    parted_join(joined, even, odd);
    _mm512_storeu_ps(value, joined[0]);
    _mm512_storeu_ps(value + PARTED_CHANNELS / 2, joined[1]);
    if (left >= PARTED_CHANNELS)
        for (size_t i = 0; i < PARTED_CHANNELS; i++) to[i] += (double)value[i];
    else
        for (size_t i = 0; i < left; i++) to[i] += (double)value[i];
}

/* The gradient where ReLU let numbers through. */
GRAD_INLINE void load_masked(__m512 dz[2], const uint16_t *grad, const uint16_t *active,
                             __mmask32 mask)
{
    __m512 after[2];
    parted_numbers(after, active, mask);
    parted_numbers(dz, grad, mask);
    for (size_t k = 0; k < 2; k++)
        dz[k] = _mm512_maskz_mov_ps(
            _mm512_cmp_ps_mask(after[k], _mm512_setzero_ps(), _CMP_GT_OQ), dz[k]);
}

/* At most PARTED_PLACES places from p on, channels from i on. */
GRAD_INLINE void add_places(const struct cxn_norm_relu_grad *n, size_t p, size_t count, size_t i,
                            bool add)
{
    const __mmask32 mask = parted_mask(n->channels - i);
    const __mmask16 half[2] = { (__mmask16)(mask & 0xffff), (__mmask16)(mask >> 16) };
    const float *factors = n->factor + i;
    const __m512 factor[2] = { _mm512_maskz_loadu_ps(half[0], factors),
                               _mm512_maskz_loadu_ps(half[1], factors + PARTED_CHANNELS / 2) };
    __m512 sum[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
    __m512 product[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
    for (size_t end = p + count; p < end; p++) {
        __m512 dz[2], src[2], joined[2];
        load_masked(dz, (const uint16_t *)n->grad + p * n->grad_step + i,
                    (const uint16_t *)n->active + p * n->active_step + i, mask);
        parted_numbers(src, (const uint16_t *)n->src + p * n->src_step + i, mask);
        float *dst = (float *)n->dst + p * n->dst_step + i;
        parted_ask(dst, n->dst_step * sizeof *dst);
        parted_ask(dst + PARTED_CHANNELS / 2, n->dst_step * sizeof *dst);
        parted_join(joined, dz[0], dz[1]);
        for (size_t k = 0; k < 2; k++, dst += PARTED_CHANNELS / 2) {
            sum[k] = sum[k] + dz[k];
            product[k] = _mm512_fmadd_ps(dz[k], src[k], product[k]);
            const __m512 before =
                add ? _mm512_maskz_loadu_ps(half[k], dst) : _mm512_setzero_ps();
            _mm512_mask_storeu_ps(dst, half[k], _mm512_fmadd_ps(joined[k], factor[k], before));
        }
    }
    add_to_doubles(n->sum + i, n->channels - i, sum[0], sum[1]);
    add_to_doubles(n->product + i, n->channels - i, product[0], product[1]);
}

void cxn_norm_relu_grad_bf16_vnni(const struct cxn_norm_relu_grad *n)
{
    for (size_t p = 0, count; p < n->count; p += count) {
        count = parted_places(n->count - p);
        for (size_t i = 0; i < n->channels; i += PARTED_CHANNELS) {
            if (n->add) add_places(n, p, count, i, true);
            else add_places(n, p, count, i, false);
        }
    }
}

/* Through the statistics: to += (src - mean) * slope + offset. */
struct center {
    __m512 mean[2], slope[2], offset[2];
};

GRAD_INLINE struct center load_center(const float *mean, const float *slope, const float *offset,
                                      __mmask32 mask)
{
    struct center c;
    parted_floats(c.mean, mean, mask);
    parted_floats(c.slope, slope, mask);
    parted_floats(c.offset, offset, mask);
    return c;
}

GRAD_INLINE void add_center(__m512 to[2], const struct center *c, const __m512 src[2])
{
    for (size_t k = 0; k < 2; k++)
        to[k] = to[k] + _mm512_fmadd_ps(src[k] - c->mean[k], c->slope[k], c->offset[k]);
}

void cxn_norm_center_bf16_vnni(const struct cxn_norm_center *n)
{
    for (size_t p = 0, count; p < n->count; p += count) {
        count = parted_places(n->count - p);
        for (size_t i = 0; i < n->channels; i += PARTED_CHANNELS) {
            const __mmask32 mask = parted_mask(n->channels - i);
            const struct center c = load_center(n->mean + i, n->slope + i, n->offset + i, mask);
            for (size_t k = p; k < p + count; k++) {
                __m512 value[2], src[2];
                const float *grad = (const float *)n->grad + k * n->grad_step + i;
                const uint16_t *from = (const uint16_t *)n->src + k * n->src_step + i;
                parted_ask(grad, n->grad_step * sizeof *grad);
                parted_ask(grad + PARTED_CHANNELS / 2, n->grad_step * sizeof *grad);
                parted_ask(from, n->src_step * sizeof *from);
                parted_floats(value, grad, mask);
                parted_numbers(src, from, mask);
                add_center(value, &c, src);
                parted_store((uint16_t *)n->dst + k * n->dst_step + i, mask, value);
            }
        }
    }
}
