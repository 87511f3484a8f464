/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_bordered_i8.h"

#include "kern/requantize.h"

enum { COLUMNS = 8 };

/* The sums of one place, by weights [terms / 4][COLUMNS][4]. */
static void compute_place(const struct cxn_conv_bordered *c, const uint8_t *src, const int8_t *w,
                          int32_t sum[COLUMNS])
{
    for (size_t o = 0; o < COLUMNS; o++) sum[o] = 0;
    for (size_t t = 0; t < c->tap_rows; t++, src += c->tap_row_step)
        for (size_t i = 0; i < c->run; i += 4, w += 4 * COLUMNS)
            for (size_t o = 0; o < COLUMNS; o++)
                for (size_t k = 0; k < 4; k++) sum[o] += src[i + k] * w[4 * o + k];
}

/* `count` outputs of a place; factor and shift: the two lines of the panel. */
static void requantize(const int32_t sum[COLUMNS], const float *factor, const float *shift,
                       bool two_parts, uint8_t *dst, size_t count)
{
    float value[COLUMNS];
    for (size_t o = 0; o < COLUMNS; o++) value[o] = (float)sum[o] * factor[o];
    const float *added = two_parts ? value + COLUMNS / 2 : shift;
    if (two_parts)
        for (size_t o = COLUMNS / 2; o < COLUMNS; o++) value[o] += shift[o];
    for (size_t o = 0; o < count; o++) dst[o] = cxn_to_byte(value[o] + added[o]);
}

void cxn_conv_bordered_i8_c(const struct cxn_conv_bordered *c)
{
    int32_t sum[COLUMNS];
    const size_t header = cxn_conv_i8_header_bytes(COLUMNS);
    const size_t outputs = cxn_conv_i8_outputs(COLUMNS, c->two_parts);
    const char *panel = c->w;
    for (size_t first = 0; first < c->out; first += outputs) {
        const size_t count = c->out - first < outputs ? c->out - first : outputs;
        const float *factor = (const float *)(const void *)panel;
        for (size_t p = 0; p < c->height * c->width; p++) {
            const size_t y = p / c->width, x = p % c->width;
            compute_place(c, (const uint8_t *)c->src + y * c->row_step + x * c->place_step,
                          (const int8_t *)(const void *)(panel + header), sum);
            requantize(sum, factor, factor + COLUMNS, c->two_parts,
                       (uint8_t *)c->dst + y * c->dst_row_step + x * c->dst_place_step + first,
                       count);
        }
        panel += header + c->tap_rows * c->run * COLUMNS;
    }
}
