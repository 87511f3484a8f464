/* SPDX-License-Identifier: Apache-2.0 */
#include "formula.h"

#include <math.h>

/* MurmurHash3's 32-bit finaliser. */
static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x ^ x >> 16;
}

/* In [0, 1), a multiple of 2^-24. */
static float unit(size_t stream, size_t index)
{
    const uint32_t start = 0x9E3779B9u * ((uint32_t)stream + 1);
    return (float)(mix((uint32_t)index + start) >> 8) * 0x1p-24f;
}

static float element(const struct cxn_net_tensor *t, size_t stream, size_t i, float bound)
{
    const float u = unit(stream, i);
    if (t->rank > 1) return (2.0f * u - 1.0f) * bound;
    if (t->role == CXN_ROLE_NORM_WEIGHT || t->role == CXN_ROLE_NORM_VAR) return 0.5f + u;
    return (u - 0.5f) * 0.25f;
}

void formula_weights(const cxn_net *net, float *block)
{
    for (size_t t = 0; t < net->tensor_count; t++) {
        const struct cxn_net_tensor *tensor = &net->tensors[t];
        const double fan_in = (double)(tensor->count / tensor->dims[0]);
        const float bound = (float)sqrt(6.0 / fan_in);
        for (size_t i = 0; i < tensor->count; i++)
            block[tensor->offset + i] = element(tensor, t, i, bound);
    }
}

void formula_calm(const cxn_net *net, float *block)
{
    for (size_t t = 0; t < net->tensor_count; t++) {
        const struct cxn_net_tensor *tensor = &net->tensors[t];
        if (tensor->role != CXN_ROLE_NORM_BIAS) continue;
        for (size_t i = 0; i < tensor->count; i++) block[tensor->offset + i] += 3.0f;
    }
}

void formula_picture(uint8_t *pixels)
{
    for (uint32_t y = 0; y < FORMULA_HEIGHT; y++) {
        for (uint32_t x = 0; x < FORMULA_WIDTH; x++) {
            const uint32_t noise = mix(y * FORMULA_WIDTH + x) >> 27;
            *pixels++ = (uint8_t)(x * 3 / 5 + y / 4 + noise);
        }
    }
}

/* Sample (y, x) of one channel of picture `number`. */
static uint8_t sample(uint32_t number, uint32_t c, uint32_t y, uint32_t x)
{
    const uint32_t noise = mix(((c + 3 * number) * 256 + y) * 256 + x) >> 27;
    return (uint8_t)(x * (3 + number % 5) / 5 + y * (2 + c + number % 3) / 4 + noise);
}

uint32_t formula_train_channels(uint32_t number)
{
    return number % 4 == 3 ? 3 : 1;
}

void formula_train_picture(uint32_t number, uint8_t *pixels)
{
    for (uint32_t y = 0; y < FORMULA_TRAIN_SIDE; y++)
        for (uint32_t x = 0; x < FORMULA_TRAIN_SIDE; x++)
            for (uint32_t c = 0; c < formula_train_channels(number); c++)
                *pixels++ = sample(number, c, y, x);
}

void formula_labels(uint32_t number, size_t classes, double *labels)
{
    for (size_t c = 0; c < classes; c++) labels[c] = unit(9000 + number, c) < 0.25f ? 1.0 : 0.0;
}

size_t formula_sample(size_t tensor, size_t sample_number, size_t count)
{
    return mix((uint32_t)(sample_number + 1000 * tensor)) % count;
}
