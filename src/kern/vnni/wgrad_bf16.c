/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/wgrad_bf16.h"

#include <immintrin.h>
#include <string.h>

/* OUTPUTS strips times two blocks of channels are 24 registers of sums, beside 2 of src and one of a
 * broadcast pair of gradients. */
enum { OUTPUTS = 12, BLOCK = CXN_PAIRS_CHANNELS, PAIR = 2 * BLOCK };

#define WGRAD_INLINE static inline __attribute__((always_inline))

WGRAD_INLINE __m512bh broadcast(const uint16_t *p)
{
    int pair; /* not aligned where the tap's shift is odd */
    memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

WGRAD_INLINE __m512bh load(const uint16_t *src)
{
    return (__m512bh)_mm512_loadu_ps(src);
}

/* `outputs` strips from `grad` on, one or two blocks from `src` on, of whose channels `mask` names
 * those that there are. */
WGRAD_INLINE void add_block(const struct cxn_wgrad_bf16 *g, const uint16_t *src,
                            const uint16_t *grad, float *dst, const __mmask16 mask[2], int outputs,
                            int blocks)
{
    __m512 sum[OUTPUTS][2];
#pragma GCC unroll 12
    for (int o = 0; o < outputs; o++)
#pragma GCC unroll 2
        for (int b = 0; b < blocks; b++)
            sum[o][b] = _mm512_maskz_loadu_ps(mask[b], dst + (size_t)o * g->dst_step +
                                                           (size_t)b * BLOCK);
    for (size_t p = 0; p < g->count; p += 2, src += PAIR) {
        const __m512bh first = load(src), second = blocks > 1 ? load(src + g->src_block_step) :
                                                                first;
        const uint16_t *at = grad + p;
#pragma GCC unroll 12
        for (int o = 0; o < outputs; o++, at += g->grad_step) {
            const __m512bh pair = broadcast(at);
            sum[o][0] = _mm512_dpbf16_ps(sum[o][0], pair, first);
            if (blocks > 1) sum[o][1] = _mm512_dpbf16_ps(sum[o][1], pair, second);
        }
    }
#pragma GCC unroll 12
    for (int o = 0; o < outputs; o++)
#pragma GCC unroll 2
        for (int b = 0; b < blocks; b++)
            _mm512_mask_storeu_ps(dst + (size_t)o * g->dst_step + (size_t)b * BLOCK, mask[b],
                                  sum[o][b]);
}

/* All outputs of one tap and one or two blocks of channels. */
WGRAD_INLINE void add_blocks(const struct cxn_wgrad_bf16 *g, size_t tap, size_t i, int blocks)
{
    const uint16_t *src = g->src + i / BLOCK * g->src_block_step;
    const uint16_t *grad = g->grad - tap / g->kernel * g->line - tap % g->kernel;
    float *dst = g->dst + tap * g->dst_tap_step + i;
    const size_t left = g->in - i;
    const __mmask16 mask[2] = {
        left < BLOCK ? (__mmask16)((1u << left) - 1) : UINT16_MAX,
        left < PAIR ? (__mmask16)((1u << (left > BLOCK ? left - BLOCK : 0)) - 1) : UINT16_MAX
    };
    size_t o = 0;
    for (; o + OUTPUTS <= g->out; o += OUTPUTS)
        add_block(g, src, grad + o * g->grad_step, dst + o * g->dst_step, mask, OUTPUTS, blocks);
    for (; o + 4 <= g->out; o += 4)
        add_block(g, src, grad + o * g->grad_step, dst + o * g->dst_step, mask, 4, blocks);
    for (; o < g->out; o++)
        add_block(g, src, grad + o * g->grad_step, dst + o * g->dst_step, mask, 1, blocks);
}

void cxn_wgrad_bf16_vnni(const struct cxn_wgrad_bf16 *g)
{
    for (size_t i = 0; i < g->in; i += PAIR) {
        for (size_t tap = 0; tap < g->kernel * g->kernel; tap++) {
            if (g->in - i > BLOCK) add_blocks(g, tap, i, 2);
            else add_blocks(g, tap, i, 1);
        }
    }
}
