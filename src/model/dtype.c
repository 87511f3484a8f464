/* SPDX-License-Identifier: Apache-2.0 */
#include "model/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    bool is_float;
} dtypes[CXN_DTYPE_COUNT] = {
    [CXN_DTYPE_BOOL] = { "BOOL", 1, false }, [CXN_DTYPE_U8] = { "U8", 1, false },
    [CXN_DTYPE_I8] = { "I8", 1, false },     [CXN_DTYPE_I16] = { "I16", 2, false },
    [CXN_DTYPE_U16] = { "U16", 2, false },   [CXN_DTYPE_F16] = { "F16", 2, true },
    [CXN_DTYPE_BF16] = { "BF16", 2, true },  [CXN_DTYPE_I32] = { "I32", 4, false },
    [CXN_DTYPE_U32] = { "U32", 4, false },   [CXN_DTYPE_F32] = { "F32", 4, true },
    [CXN_DTYPE_I64] = { "I64", 8, false },   [CXN_DTYPE_U64] = { "U64", 8, false },
    [CXN_DTYPE_F64] = { "F64", 8, true },
};

const char *cxn_dtype_name(enum cxn_dtype dtype) { return dtypes[dtype].name; }
size_t cxn_dtype_bytes(enum cxn_dtype dtype) { return dtypes[dtype].bytes; }
bool cxn_dtype_is_float(enum cxn_dtype dtype) { return dtypes[dtype].is_float; }

bool cxn_dtype_find(const char *name, enum cxn_dtype *dtype)
{
    for (int i = 0; i < CXN_DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) != 0) continue;
        *dtype = (enum cxn_dtype)i;
        return true;
    }
    return false;
}

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    const uint32_t exponent = (h >> 10) & 31, fraction = h & 0x3ff;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent > 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = ldexpf((float)fraction, -24); /* subnormal or zero */
    return sign ? -tiny : tiny;
}

static void convert_16(enum cxn_dtype dtype, const uint8_t *src, float *dst, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t v;
        memcpy(&v, src + 2 * i, sizeof v);
        dst[i] = dtype == CXN_DTYPE_F16 ? f16_to_f32(v) : float_of_bits((uint32_t)v << 16);
    }
}

static void convert_f64(const uint8_t *src, float *dst, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double v;
        memcpy(&v, src + 8 * i, sizeof v);
        dst[i] = (float)v;
    }
}

void cxn_dtype_to_f32(enum cxn_dtype dtype, const void *src, float *dst, size_t count)
{
    if (dtype == CXN_DTYPE_F32) memcpy(dst, src, count * sizeof *dst);
    else if (dtype == CXN_DTYPE_F64) convert_f64(src, dst, count);
    else convert_16(dtype, src, dst, count);
}
