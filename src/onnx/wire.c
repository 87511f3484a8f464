/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/wire.h"

#include <string.h>

#include "base/cursor.h"
#include "base/utf8.h"

enum { VARINT_BYTES_MAX = 10, NUMBER_MAX = (1 << 29) - 1 };

void cxn_wire_window_init(struct cxn_wire_window *window, const struct cxn_source *source)
{
    window->source = source;
    window->at = 0;
    window->n = 0;
    window->fields_left = CXN_WIRE_FIELDS_MAX;
}

struct cxn_wire cxn_wire_whole(struct cxn_wire_window *window, const char *name)
{
    return (struct cxn_wire){ .window = window, .name = name,
                              .end = window->source->size_bytes };
}

static enum cxn_status fail_at(const struct cxn_wire *w, const char *what, struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_FORMAT, "onnx: %s, byte %llu: %s", w->name,
                    (unsigned long long)w->at, what);
}

/* The bytes from w->at to the message's end, as many as a number may need: in the window. */
static enum cxn_status look(const struct cxn_wire *w, struct cxn_cursor *c, struct cxn_error *err)
{
    struct cxn_wire_window *v = w->window;
    const uint64_t left = w->end - w->at;
    const size_t need = left < VARINT_BYTES_MAX ? (size_t)left : VARINT_BYTES_MAX;
    if (w->at < v->at || w->at - v->at > v->n || need > v->n - (w->at - v->at)) {
        const uint64_t rest = v->source->size_bytes - w->at;
        const size_t n = rest < sizeof v->bytes ? (size_t)rest : sizeof v->bytes;
        v->n = 0;
        const enum cxn_status status = cxn_source_read(v->source, w->at, v->bytes, n, err);
        if (status != CXN_OK) return status;
        v->at = w->at;
        v->n = n;
    }
    *c = cxn_cursor_make(v->bytes + (w->at - v->at), need);
    return CXN_OK;
}

static enum cxn_status take_varint(struct cxn_wire *w, uint64_t *value, struct cxn_error *err)
{
    struct cxn_cursor c;
    const enum cxn_status status = look(w, &c, err);
    if (status != CXN_OK) return status;
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t byte = cxn_cursor_u8(&c);
        if (c.failed || (shift == 63 && byte > 1)) return fail_at(w, "a number without end", err);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    w->at += c.pos;
    *value = v;
    return CXN_OK;
}

static enum cxn_status take_fixed(struct cxn_wire *w, bool wide, uint64_t *value,
                                  struct cxn_error *err)
{
    struct cxn_cursor c;
    const enum cxn_status status = look(w, &c, err);
    if (status != CXN_OK) return status;
    *value = wide ? cxn_cursor_u64le(&c) : cxn_cursor_u32le(&c);
    if (c.failed) return fail_at(w, "a number that is cut off", err);
    w->at += c.pos;
    return CXN_OK;
}

static enum cxn_status take_length(struct cxn_wire *w, struct cxn_wire_field *field,
                                   struct cxn_error *err)
{
    const enum cxn_status status = take_varint(w, &field->bytes, err);
    if (status != CXN_OK) return status;
    if (field->bytes > w->end - w->at)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: %s, byte %llu: field %u has %llu bytes, %llu are "
                                           "left", w->name, (unsigned long long)w->at,
                        field->number, (unsigned long long)field->bytes,
                        (unsigned long long)(w->end - w->at));
    field->at = w->at;
    w->at += field->bytes;
    return CXN_OK;
}

enum cxn_status cxn_wire_next(struct cxn_wire *w, struct cxn_wire_field *field, bool *more,
                              struct cxn_error *err)
{
    uint64_t tag;
    *more = w->at < w->end;
    if (!*more) return CXN_OK;
    if (w->window->fields_left-- == 0) {
        w->window->fields_left = 0;
        return cxn_fail(err, CXN_E_LIMIT, "onnx: more than %d fields", CXN_WIRE_FIELDS_MAX);
    }
    const enum cxn_status status = take_varint(w, &tag, err);
    if (status != CXN_OK) return status;
    *field = (struct cxn_wire_field){ .number = (uint32_t)(tag >> 3),
                                      .type = (enum cxn_wire_type)(tag & 7) };
    if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
        return fail_at(w, "a field number that there cannot be", err);
    switch (field->type) {
    case CXN_WIRE_VARINT: return take_varint(w, &field->value, err);
    case CXN_WIRE_FIXED64: return take_fixed(w, true, &field->value, err);
    case CXN_WIRE_FIXED32: return take_fixed(w, false, &field->value, err);
    case CXN_WIRE_LENGTH: return take_length(w, field, err);
    }
    return fail_at(w, "a group, or a type of field that there is not", err);
}

static enum cxn_status check_type(const struct cxn_wire *w, const struct cxn_wire_field *field,
                                  enum cxn_wire_type type, struct cxn_error *err)
{
    if (field->type == type) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: %s, before byte %llu: field %u has wire type %d, "
                                       "expected %d", w->name, (unsigned long long)w->at,
                    field->number, (int)field->type, (int)type);
}

enum cxn_status cxn_wire_once(struct cxn_wire *w, const struct cxn_wire_field *field,
                              struct cxn_error *err)
{
    const uint64_t bit = UINT64_C(1) << (field->number & 63);
    if (w->seen & bit)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: %s, before byte %llu: field %u a second time",
                        w->name, (unsigned long long)w->at, field->number);
    w->seen |= bit;
    return CXN_OK;
}

enum cxn_status cxn_wire_int(struct cxn_wire *w, const struct cxn_wire_field *field,
                             int64_t *value, struct cxn_error *err)
{
    enum cxn_status status = cxn_wire_once(w, field, err);
    if (status == CXN_OK) status = check_type(w, field, CXN_WIRE_VARINT, err);
    if (status == CXN_OK) *value = (int64_t)field->value;
    return status;
}

enum cxn_status cxn_wire_float(struct cxn_wire *w, const struct cxn_wire_field *field,
                               float *value, struct cxn_error *err)
{
    const uint32_t bits = (uint32_t)field->value;
    enum cxn_status status = cxn_wire_once(w, field, err);
    if (status == CXN_OK) status = check_type(w, field, CXN_WIRE_FIXED32, err);
    if (status == CXN_OK) memcpy(value, &bits, sizeof *value);
    return status;
}

enum cxn_status cxn_wire_within(const struct cxn_wire *w, const struct cxn_wire_field *field,
                                const char *name, struct cxn_wire *inner, struct cxn_error *err)
{
    *inner = (struct cxn_wire){ .window = w->window, .name = name, .at = field->at,
                                .end = field->at + field->bytes };
    return check_type(w, field, CXN_WIRE_LENGTH, err);
}

enum cxn_status cxn_wire_text(const struct cxn_wire *w, const struct cxn_wire_field *field,
                              char *text, size_t room, struct cxn_error *err)
{
    const struct cxn_wire_window *v = w->window;
    enum cxn_status status = check_type(w, field, CXN_WIRE_LENGTH, err);
    if (status != CXN_OK) return status;
    if (field->bytes >= room)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: %s, byte %llu: a text of %llu bytes, at most %zu",
                        w->name, (unsigned long long)field->at, (unsigned long long)field->bytes,
                        room - 1);
    const size_t n = (size_t)field->bytes;
    if (field->at >= v->at && field->at - v->at <= v->n && n <= v->n - (field->at - v->at))
        memcpy(text, v->bytes + (field->at - v->at), n);
    else status = cxn_source_read(v->source, field->at, text, n, err);
    if (status != CXN_OK) return status;
    text[n] = '\0';
    if (strlen(text) == n && cxn_utf8_is_valid((const uint8_t *)text, n)) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: %s, byte %llu: a text that is not UTF-8, or holds a "
                                       "NUL", w->name, (unsigned long long)field->at);
}

static enum cxn_status keep_int(const struct cxn_wire *w, uint64_t value, int64_t *values,
                                size_t max, size_t *count, struct cxn_error *err)
{
    if (*count >= max)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: %s, before byte %llu: more than %zu integers",
                        w->name, (unsigned long long)w->at, max);
    values[(*count)++] = (int64_t)value;
    return CXN_OK;
}

enum cxn_status cxn_wire_ints(const struct cxn_wire *w, const struct cxn_wire_field *field,
                              int64_t *values, size_t max, size_t *count, struct cxn_error *err)
{
    struct cxn_wire packed;
    uint64_t value;
    if (field->type == CXN_WIRE_VARINT)
        return keep_int(w, field->value, values, max, count, err);
    enum cxn_status status = cxn_wire_within(w, field, w->name, &packed, err);
    while (status == CXN_OK && packed.at < packed.end) {
        status = take_varint(&packed, &value, err);
        if (status == CXN_OK) status = keep_int(&packed, value, values, max, count, err);
    }
    return status;
}
