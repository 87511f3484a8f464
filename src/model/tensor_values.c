/* SPDX-License-Identifier: Apache-2.0 */
/* From a tensor's place in the file to float32 values in memory. */
#include <stdio.h>
#include <string.h>

#include "model/tensors.h"

bool cxn_tensor_count(struct cxn_tensor *t)
{
    uint64_t count = 1, bytes;
    bool zero = false;
    for (uint32_t i = 0; i < t->rank; i++) zero = zero || t->dims[i] == 0;
    for (uint32_t i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(count, t->dims[i], &count)) return false;
    if (__builtin_mul_overflow(count, cxn_dtype_bytes(t->dtype), &bytes)) return false;
    t->count = zero ? 0 : count;
    return bytes <= SIZE_MAX;
}

void cxn_tensor_strides(struct cxn_tensor *t)
{
    uint64_t stride = 1;
    for (uint32_t i = t->rank; i-- > 0;) {
        t->strides[i] = stride;
        stride *= t->dims[i];
    }
}

static bool is_row_major(const struct cxn_tensor *t)
{
    uint64_t stride = 1;
    for (uint32_t i = t->rank; i-- > 0;) {
        if (t->dims[i] != 1 && t->strides[i] != stride) return false;
        stride *= t->dims[i];
    }
    return true;
}

/* Some order of the dimensions is row-major: every element of the place is used exactly once, as
 * in weights saved in channels-last order. */
static bool is_dense(const struct cxn_tensor *t)
{
    uint64_t stride = 1;
    bool used[CXN_TENSOR_RANK_MAX] = { false };
    for (uint32_t step = 0; step < t->rank; step++) {
        uint32_t i = 0;
        while (i < t->rank && (used[i] || (t->dims[i] != 1 && t->strides[i] != stride))) i++;
        if (i == t->rank) return false;
        used[i] = true;
        stride *= t->dims[i];
    }
    return true;
}

static enum cxn_status check_record(struct cxn_tensors *list, const struct cxn_source *source,
                                    const struct cxn_tensor *t, struct cxn_error *err)
{
    if (t->record == CXN_RECORD_NONE) return CXN_OK;
    struct cxn_record *r = &list->records[t->record];
    if (r->checked) return CXN_OK;
    uint32_t crc;
    const enum cxn_status status =
        cxn_source_crc32(source, r->offset_bytes, r->size_bytes, &crc, err);
    if (status != CXN_OK) return status;
    if (crc != r->crc32)
        return cxn_fail(err, CXN_E_FORMAT,
                        "%llu bytes at byte %llu have CRC-32 %08x, the file says %08x",
                        (unsigned long long)r->size_bytes, (unsigned long long)r->offset_bytes, crc,
                        r->crc32);
    r->checked = true;
    return CXN_OK;
}

/* One row of the last dimension after the other, from anywhere in src. */
static void gather_f32(const struct cxn_tensor *t, const uint8_t *src, float *dst)
{
    const size_t bytes = cxn_dtype_bytes(t->dtype);
    uint64_t at[CXN_TENSOR_RANK_MAX] = { 0 };
    uint64_t from = 0;
    for (uint64_t k = 0; k < t->count; k++) {
        cxn_dtype_to_f32(t->dtype, src + from * bytes, dst + k, 1);
        for (uint32_t i = t->rank; i-- > 0;) {
            from += t->strides[i];
            if (++at[i] < t->dims[i]) break;
            from -= t->strides[i] * t->dims[i];
            at[i] = 0;
        }
    }
}

static enum cxn_status read_through_scratch(struct cxn_tensors *list,
                                            const struct cxn_source *source,
                                            const struct cxn_tensor *t, float *dst,
                                            struct cxn_error *err)
{
    const size_t bytes = (size_t)t->count * cxn_dtype_bytes(t->dtype);
    uint8_t *scratch = cxn_alloc(list->mem, bytes, 1);
    if (!scratch) return cxn_fail_nomem(err, list->mem, bytes, "a tensor to be converted");
    const enum cxn_status status = cxn_source_read(source, t->offset_bytes, scratch, bytes, err);
    if (status == CXN_OK && is_row_major(t))
        cxn_dtype_to_f32(t->dtype, scratch, dst, (size_t)t->count);
    else if (status == CXN_OK) gather_f32(t, scratch, dst);
    cxn_free(scratch);
    return status;
}

static enum cxn_status read_values(struct cxn_tensors *list, const struct cxn_source *source,
                                   const struct cxn_tensor *t, float *dst, struct cxn_error *err)
{
    if (!cxn_dtype_is_float(t->dtype))
        return cxn_fail(err, CXN_E_FORMAT, "elements are %s, expected F32, F16, BF16 or F64",
                        cxn_dtype_name(t->dtype));
    if (t->count == 0) return CXN_OK;
    if (!is_dense(t))
        return cxn_fail(err, CXN_E_FORMAT, "a view with gaps or repeated elements; save it after "
                                           "tensor.contiguous()");
    const enum cxn_status status = check_record(list, source, t, err);
    if (status != CXN_OK) return status;
    if (t->dtype == CXN_DTYPE_F32 && is_row_major(t))
        return cxn_source_read(source, t->offset_bytes, dst, (size_t)t->count * sizeof *dst, err);
    return read_through_scratch(list, source, t, dst, err);
}

enum cxn_status cxn_tensors_read_f32(struct cxn_tensors *list, const struct cxn_source *source,
                                     size_t i, float *dst, struct cxn_error *err)
{
    const enum cxn_status status = read_values(list, source, &list->items[i], dst, err);
    if (status == CXN_OK || status == CXN_E_IO) return status;
    char where[CXN_TENSOR_NAME_MAX + 16];
    snprintf(where, sizeof where, "tensor '%s'", cxn_tensors_name(list, i));
    return cxn_fail_in(err, status, where);
}
