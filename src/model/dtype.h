/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_DTYPE_H
#define CXN_MODEL_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Types of elements that files hold. Named as safetensors names them. */
enum cxn_dtype {
    CXN_DTYPE_BOOL,
    CXN_DTYPE_U8,
    CXN_DTYPE_I8,
    CXN_DTYPE_I16,
    CXN_DTYPE_U16,
    CXN_DTYPE_F16,
    CXN_DTYPE_BF16,
    CXN_DTYPE_I32,
    CXN_DTYPE_U32,
    CXN_DTYPE_F32,
    CXN_DTYPE_I64,
    CXN_DTYPE_U64,
    CXN_DTYPE_F64,
    CXN_DTYPE_COUNT
};

/* "F32", ...; static storage. */
const char *cxn_dtype_name(enum cxn_dtype dtype);

/* Of one element: 1, 2, 4 or 8. */
size_t cxn_dtype_bytes(enum cxn_dtype dtype);

/* The type of exactly that name; false when there is none. */
bool cxn_dtype_find(const char *name, enum cxn_dtype *dtype);

/* F16, BF16, F32 and F64, which can become float weights. */
bool cxn_dtype_is_float(enum cxn_dtype dtype);

/* count elements of src, any alignment, to float32: exact but for F64, which is rounded to nearest
 * (an infinity where it is too large). The type must be a float one. */
void cxn_dtype_to_f32(enum cxn_dtype dtype, const void *src, float *dst, size_t count);

#endif
