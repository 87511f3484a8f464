/* SPDX-License-Identifier: Apache-2.0 */
/* TensorProto: where its values lie, in this file or in one beside it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "onnx/model.h"
#include "onnx/proto.h"

enum { WORD_BYTES = 32, LOCATION_BYTES = 256 };

/* What a message says, before it is believed. */
struct raw {
    char name[CXN_ONNX_NAME_BYTES];
    struct cxn_tensor t;
    int64_t dims[CXN_TENSOR_RANK_MAX];
    size_t rank;
    int64_t data_type, data_location;
    uint32_t value_field; /* which field has the values; 0: none */
    uint64_t at, bytes;   /* of it */
    struct cxn_onnx_tensor more;
    char location[LOCATION_BYTES], offset[WORD_BYTES], length[WORD_BYTES];
};

static enum cxn_status fail_tensor(const struct raw *r, struct cxn_error *err, const char *fmt,
                                   ...) __attribute__((format(printf, 3, 4)));
static enum cxn_status fail_tensor(const struct raw *r, struct cxn_error *err, const char *fmt,
                                   ...)
{
    char why[CXN_ERROR_BYTES / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return cxn_fail(err, CXN_E_FORMAT, "onnx: tensor '%.100s': %s", r->name, why);
}

/* ---- external data ------------------------------------------------------------------------ */

static bool parse_u64(const char *text, uint64_t *value)
{
    uint64_t v = 0;
    const size_t n = strlen(text);
    if (n == 0 || n > 19 || strspn(text, "0123456789") != n) return false; /* below 10^19 */
    for (size_t i = 0; i < n; i++) v = 10 * v + (uint64_t)(text[i] - '0');
    *value = v;
    return true;
}

static enum cxn_status read_entry(struct raw *r, struct cxn_wire w, struct cxn_error *err)
{
    char key[WORD_BYTES], value[LOCATION_BYTES];
    const enum cxn_status status =
        cxn_onnx_entry_read(w, key, sizeof key, value, sizeof value, err);
    if (status != CXN_OK) return status;
    char *to = strcmp(key, "location") == 0 ? r->location
               : strcmp(key, "offset") == 0 ? r->offset
               : strcmp(key, "length") == 0 ? r->length : NULL;
    const size_t room = to == r->location ? sizeof r->location : WORD_BYTES;
    if (!to || to[0] != '\0' || value[0] == '\0' || strlen(value) >= room)
        return fail_tensor(r, err, "external data '%s' = '%s', expected location, offset and "
                           "length, each once", key, value);
    memcpy(to, value, strlen(value) + 1);
    return CXN_OK;
}

/* A file name: what lies in other folders is not for the model to say. */
static bool is_file_name(const char *s)
{
    return s[0] != '\0' && !strchr(s, '/') && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

static enum cxn_status place_external(struct cxn_onnx_model *m, struct raw *r, uint64_t bytes,
                                      struct cxn_error *err)
{
    struct cxn_source source;
    uint64_t offset = 0, length = bytes;
    uint32_t number;
    if (r->value_field != 0 || r->data_location != 1)
        return fail_tensor(r, err, "external data and values of its own");
    if (!is_file_name(r->location))
        return fail_tensor(r, err, "external data in '%s', expected a file in the model's folder",
                           r->location);
    if ((r->offset[0] && !parse_u64(r->offset, &offset)) ||
        (r->length[0] && !parse_u64(r->length, &length)))
        return fail_tensor(r, err, "offset '%s', length '%s', expected decimal numbers",
                           r->offset, r->length);
    enum cxn_status status = cxn_names_number(&m->locations, r->location, &number, err);
    if (status != CXN_OK) return status;
    if (number >= CXN_ONNX_LOCATIONS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: more than %d files of external data",
                        CXN_ONNX_LOCATIONS_MAX);
    status = cxn_onnx_tensor_source(m, number + 1, &source, err);
    if (status != CXN_OK) return status;
    if (length != bytes || offset > source.size_bytes || bytes > source.size_bytes - offset)
        return fail_tensor(r, err, "%llu bytes from byte %llu of '%s', which has %llu, expected "
                           "%llu", (unsigned long long)length, (unsigned long long)offset,
                           r->location, (unsigned long long)source.size_bytes,
                           (unsigned long long)bytes);
    r->more.location = number + 1;
    r->t.offset_bytes = offset;
    return CXN_OK;
}

enum cxn_status cxn_onnx_tensor_source(struct cxn_onnx_model *m, uint32_t location,
                                       struct cxn_source *source, struct cxn_error *err)
{
    if (location == 0) {
        *source = *m->source;
        return CXN_OK;
    }
    const char *name = cxn_names_text(&m->locations, location - 1);
    if (!m->source->file)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: external data in '%s', and no folder", name);
    if (m->external_location != location) {
        if (m->external_location != 0) cxn_file_close(&m->external);
        m->external_location = 0;
        const enum cxn_status status =
            cxn_file_open_beside(&m->external, m->source->path, name, err);
        if (status != CXN_OK) return cxn_fail_in(err, status, m->source->path);
        m->external_location = location;
    }
    *source = cxn_source_file(&m->external, name);
    return CXN_OK;
}

/* ---- values in the message ---------------------------------------------------------------- */

static enum cxn_status take_values(struct raw *r, const struct cxn_wire_field *f,
                                   struct cxn_error *err)
{
    if (r->value_field != 0 || f->type != CXN_WIRE_LENGTH)
        return fail_tensor(r, err, "values in two fields, or in pieces");
    r->value_field = f->number;
    r->at = f->at;
    r->bytes = f->bytes;
    return CXN_OK;
}

static bool is_small_ints(const struct cxn_tensor *t)
{
    return (t->dtype == CXN_DTYPE_I64 || t->dtype == CXN_DTYPE_I32) && t->rank <= 1 &&
           t->count <= CXN_ONNX_INTS_MAX;
}

static bool holds_bytes_of(uint32_t field, enum cxn_dtype dtype)
{
    return field == CXN_TENSOR_RAW_DATA ||
           (field == CXN_TENSOR_FLOAT_DATA && dtype == CXN_DTYPE_F32) ||
           (field == CXN_TENSOR_DOUBLE_DATA && dtype == CXN_DTYPE_F64);
}

static bool holds_varints_of(uint32_t field, enum cxn_dtype dtype)
{
    return (field == CXN_TENSOR_INT64_DATA && dtype == CXN_DTYPE_I64) ||
           (field == CXN_TENSOR_INT32_DATA && dtype == CXN_DTYPE_I32);
}

static enum cxn_status place_values(struct raw *r, uint64_t bytes, struct cxn_error *err)
{
    r->t.offset_bytes = r->at;
    if (r->value_field == 0 && r->t.count > 0) return fail_tensor(r, err, "no values");
    if (r->value_field == 0) return CXN_OK;
    if (holds_bytes_of(r->value_field, r->t.dtype) && r->bytes != bytes)
        return fail_tensor(r, err, "values of %llu bytes, expected %llu",
                           (unsigned long long)r->bytes, (unsigned long long)bytes);
    if (holds_bytes_of(r->value_field, r->t.dtype) ||
        (is_small_ints(&r->t) && holds_varints_of(r->value_field, r->t.dtype)))
        return CXN_OK;
    return fail_tensor(r, err, "values in a field that is not read; expected raw_data");
}

/* ---- shapes and axes ---------------------------------------------------------------------- */

static enum cxn_status take_varints(struct cxn_onnx_model *m, struct raw *r, struct cxn_error *err)
{
    const struct cxn_wire w = { .window = &m->window, .name = "TensorProto", .at = r->at,
                                .end = r->at + r->bytes };
    const struct cxn_wire_field f = { .number = r->value_field, .type = CXN_WIRE_LENGTH,
                                      .at = r->at, .bytes = r->bytes };
    const enum cxn_status status =
        cxn_wire_ints(&w, &f, r->more.ints, CXN_ONNX_INTS_MAX, &r->more.int_count, err);
    if (status != CXN_OK || r->more.int_count == r->t.count) return status;
    return fail_tensor(r, err, "another number of values");
}

static enum cxn_status take_raw_ints(struct cxn_onnx_model *m, struct raw *r,
                                     struct cxn_error *err)
{
    const size_t each = cxn_dtype_bytes(r->t.dtype);
    uint8_t bytes[CXN_ONNX_INTS_MAX * sizeof(int64_t)] = { 0 };
    struct cxn_source source;
    r->more.int_count = (size_t)r->t.count;
    enum cxn_status status = cxn_onnx_tensor_source(m, r->more.location, &source, err);
    if (status == CXN_OK)
        status = cxn_source_read(&source, r->t.offset_bytes, bytes, r->more.int_count * each, err);
    for (size_t i = 0; i < r->more.int_count; i++) {
        int32_t narrow;
        memcpy(&narrow, bytes + i * each, sizeof narrow);
        memcpy(&r->more.ints[i], bytes + i * each, each);
        if (each == sizeof narrow) r->more.ints[i] = narrow;
    }
    return status;
}

/* They are read at once: nodes ask for them. */
static enum cxn_status take_ints(struct cxn_onnx_model *m, struct raw *r, struct cxn_error *err)
{
    r->more.has_ints = is_small_ints(&r->t);
    if (!r->more.has_ints || r->t.count == 0) return CXN_OK;
    return holds_varints_of(r->value_field, r->t.dtype) ? take_varints(m, r, err)
                                                        : take_raw_ints(m, r, err);
}

/* ---- the message -------------------------------------------------------------------------- */

static enum cxn_status read_field(struct cxn_wire *w, const struct cxn_wire_field *f,
                                  struct raw *r, struct cxn_error *err)
{
    struct cxn_wire inner;
    enum cxn_status status;
    switch (f->number) {
    case CXN_TENSOR_DIMS:
        return cxn_wire_ints(w, f, r->dims, CXN_TENSOR_RANK_MAX, &r->rank, err);
    case CXN_TENSOR_DATA_TYPE: return cxn_wire_int(w, f, &r->data_type, err);
    case CXN_TENSOR_NAME:
        status = cxn_wire_once(w, f, err);
        return status == CXN_OK ? cxn_wire_text(w, f, r->name, sizeof r->name, err) : status;
    case CXN_TENSOR_DATA_LOCATION: return cxn_wire_int(w, f, &r->data_location, err);
    case CXN_TENSOR_EXTERNAL_DATA:
        status = cxn_wire_within(w, f, "StringStringEntryProto", &inner, err);
        return status == CXN_OK ? read_entry(r, inner, err) : status;
    case CXN_TENSOR_RAW_DATA:
    case CXN_TENSOR_FLOAT_DATA:
    case CXN_TENSOR_INT32_DATA:
    case CXN_TENSOR_INT64_DATA:
    case CXN_TENSOR_DOUBLE_DATA:
    case CXN_TENSOR_UINT64_DATA:
    case CXN_TENSOR_STRING_DATA: return take_values(r, f, err);
    case CXN_TENSOR_SEGMENT: return fail_tensor(r, err, "stored in segments");
    default: return CXN_OK;
    }
}

static bool find_dtype(int64_t data_type, enum cxn_dtype *dtype)
{
    static const struct {
        int64_t onnx;
        enum cxn_dtype dtype;
    } known[] = {
        { CXN_ONNX_FLOAT, CXN_DTYPE_F32 }, { CXN_ONNX_UINT8, CXN_DTYPE_U8 },
        { CXN_ONNX_INT8, CXN_DTYPE_I8 }, { CXN_ONNX_UINT16, CXN_DTYPE_U16 },
        { CXN_ONNX_INT16, CXN_DTYPE_I16 }, { CXN_ONNX_INT32, CXN_DTYPE_I32 },
        { CXN_ONNX_INT64, CXN_DTYPE_I64 }, { CXN_ONNX_BOOL, CXN_DTYPE_BOOL },
        { CXN_ONNX_FLOAT16, CXN_DTYPE_F16 }, { CXN_ONNX_DOUBLE, CXN_DTYPE_F64 },
        { CXN_ONNX_UINT32, CXN_DTYPE_U32 }, { CXN_ONNX_UINT64, CXN_DTYPE_U64 },
        { CXN_ONNX_BFLOAT16, CXN_DTYPE_BF16 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(known); i++) {
        if (known[i].onnx != data_type) continue;
        *dtype = known[i].dtype;
        return true;
    }
    return false;
}

static enum cxn_status check_shape(struct raw *r, struct cxn_error *err)
{
    r->t.record = CXN_RECORD_NONE;
    r->t.rank = (uint32_t)r->rank;
    for (size_t i = 0; i < r->rank; i++) {
        if (r->dims[i] < 0) return fail_tensor(r, err, "a negative dimension");
        r->t.dims[i] = (uint64_t)r->dims[i];
    }
    if (!find_dtype(r->data_type, &r->t.dtype))
        return fail_tensor(r, err, "data type %lld is not read", (long long)r->data_type);
    if (!cxn_tensor_count(&r->t)) return fail_tensor(r, err, "its size does not fit 64 bits");
    cxn_tensor_strides(&r->t);
    return CXN_OK;
}

static enum cxn_status keep(struct cxn_onnx_model *m, const struct raw *r, uint32_t *tensor,
                            struct cxn_error *err)
{
    const size_t i = m->list.count;
    enum cxn_status status = cxn_tensors_add(&m->list, &r->t, r->name, strlen(r->name), err);
    if (status != CXN_OK) return status;
    struct cxn_onnx_tensor *tensors =
        cxn_grow(m->mem, m->tensors, &m->tensor_capacity, i + 1, CXN_TENSORS_MAX,
                 sizeof *tensors);
    if (!tensors)
        return cxn_fail_nomem(err, m->mem, m->tensor_capacity * sizeof *tensors,
                              "a list of tensors");
    m->tensors = tensors;
    tensors[i] = r->more;
    *tensor = (uint32_t)i;
    return CXN_OK;
}

enum cxn_status cxn_onnx_tensor_read(struct cxn_onnx_model *m, struct cxn_wire w,
                                     const char *name, uint32_t *tensor, struct cxn_error *err)
{
    struct raw r = { .data_location = 0 };
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        status = read_field(&w, &f, &r, err);
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK) return status;
    if (name) snprintf(r.name, sizeof r.name, "%s", name);
    status = check_shape(&r, err);
    if (status != CXN_OK) return status;
    const uint64_t bytes = r.t.count * cxn_dtype_bytes(r.t.dtype);
    const bool external = r.location[0] || r.offset[0] || r.length[0] || r.data_location != 0;
    status = external ? place_external(m, &r, bytes, err) : place_values(&r, bytes, err);
    if (status == CXN_OK) status = take_ints(m, &r, err);
    return status == CXN_OK ? keep(m, &r, tensor, err) : status;
}
