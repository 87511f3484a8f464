/* SPDX-License-Identifier: Apache-2.0 */
/* ModelProto and GraphProto but for the nodes, which node.c reads one by one. */
#include "onnx/model.h"

#include <limits.h>
#include <string.h>

#include "base/grow.h"
#include "onnx/about.h"
#include "onnx/proto.h"

enum { IR_VERSION_MIN = 3, IR_VERSION_MAX = 13, METADATA_BYTES = 1 << 16 };

void cxn_onnx_model_close(struct cxn_onnx_model *m)
{
    if (m->external_location != 0) cxn_file_close(&m->external);
    cxn_tensors_close(&m->list);
    cxn_free(m->tensors);
    cxn_names_close(&m->names);
    cxn_names_close(&m->locations);
    cxn_names_close(&m->keys);
    cxn_free(m->values);
    *m = (struct cxn_onnx_model){ .mem = m->mem };
}

enum cxn_status cxn_onnx_value_of(struct cxn_onnx_model *m, const char *name, uint32_t *number,
                                  struct cxn_error *err)
{
    enum cxn_status status = cxn_names_number(&m->names, name, number, err);
    if (status != CXN_OK || *number < m->value_count) return status;
    struct cxn_onnx_value *values = cxn_grow(m->mem, m->values, &m->value_capacity, *number + 1,
                                             CXN_NAMES_MAX, sizeof *values);
    if (!values)
        return cxn_fail_nomem(err, m->mem, m->value_capacity * sizeof *values, "a graph's values");
    m->values = values;
    values[m->value_count++] = (struct cxn_onnx_value){ 0 };
    return CXN_OK;
}

/* ---- graph -------------------------------------------------------------------------------- */

static enum cxn_status read_initializer(struct cxn_onnx_model *m, struct cxn_wire w,
                                        struct cxn_error *err)
{
    uint32_t tensor, number;
    enum cxn_status status = cxn_onnx_tensor_read(m, w, NULL, &tensor, err);
    if (status == CXN_OK)
        status = cxn_onnx_value_of(m, cxn_tensors_name(&m->list, tensor), &number, err);
    if (status != CXN_OK) return status;
    struct cxn_onnx_value *v = &m->values[number];
    if (v->kind != CXN_ONNX_UNKNOWN)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: tensor '%.200s' is there twice",
                        cxn_tensors_name(&m->list, tensor));
    v->kind = CXN_ONNX_TENSOR;
    v->tensor = tensor;
    return CXN_OK;
}

/* The name of a ValueInfoProto. */
static enum cxn_status read_value_name(struct cxn_onnx_model *m, struct cxn_wire w,
                                       uint32_t *number, struct cxn_error *err)
{
    char name[CXN_ONNX_NAME_BYTES] = "";
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number != CXN_VALUE_NAME) continue;
        status = cxn_wire_once(&w, &f, err);
        if (status == CXN_OK) status = cxn_wire_text(&w, &f, name, sizeof name, err);
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK) return status;
    if (name[0] == '\0') return cxn_fail(err, CXN_E_FORMAT, "onnx: an input or output has no name");
    return cxn_onnx_value_of(m, name, number, err);
}

static enum cxn_status read_end(struct cxn_onnx_model *m, struct cxn_wire w, bool input,
                                struct cxn_error *err)
{
    uint32_t number;
    const enum cxn_status status = read_value_name(m, w, &number, err);
    if (status != CXN_OK) return status;
    if (!input) {
        if (m->has_output) return cxn_fail(err, CXN_E_FORMAT, "onnx: more than one output");
        m->has_output = true;
        m->output = number;
        return CXN_OK;
    }
    struct cxn_onnx_value *v = &m->values[number];
    if (v->is_input)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: input '%.200s' is there twice",
                        cxn_names_text(&m->names, number));
    v->is_input = true;
    v->at = w.at;
    v->bytes = w.end - w.at;
    return CXN_OK;
}

static enum cxn_status read_graph_field(struct cxn_onnx_model *m, const struct cxn_wire *w,
                                        const struct cxn_wire_field *f, struct cxn_error *err)
{
    struct cxn_wire inner;
    enum cxn_status status;
    switch (f->number) {
    case CXN_GRAPH_INITIALIZER:
        status = cxn_wire_within(w, f, "TensorProto", &inner, err);
        return status == CXN_OK ? read_initializer(m, inner, err) : status;
    case CXN_GRAPH_INPUT:
    case CXN_GRAPH_OUTPUT:
        status = cxn_wire_within(w, f, "ValueInfoProto", &inner, err);
        return status == CXN_OK ? read_end(m, inner, f->number == CXN_GRAPH_INPUT, err) : status;
    case CXN_GRAPH_SPARSE_INITIALIZER:
        return cxn_fail(err, CXN_E_FORMAT, "onnx: a sparse tensor, which no DenseNet-121 has");
    default: return CXN_OK;
    }
}

/* The inputs that are not there already, as initialisers. */
static enum cxn_status find_input(struct cxn_onnx_model *m, struct cxn_error *err)
{
    size_t count = 0;
    for (uint32_t i = 0; i < m->value_count; i++) {
        if (!m->values[i].is_input || m->values[i].kind != CXN_ONNX_UNKNOWN) continue;
        m->input = i;
        count++;
    }
    if (count == 1 && m->has_output) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: %zu inputs and %d outputs, expected one of each",
                    count, m->has_output);
}

static enum cxn_status read_graph(struct cxn_onnx_model *m, struct cxn_error *err)
{
    struct cxn_wire w = { .window = &m->window, .name = "GraphProto", .at = m->graph_at,
                          .end = m->graph_at + m->graph_bytes };
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        status = read_graph_field(m, &w, &f, err);
        if (status != CXN_OK) return status;
    }
    return status == CXN_OK ? find_input(m, err) : status;
}

/* ---- model -------------------------------------------------------------------------------- */

static enum cxn_status read_opset(struct cxn_onnx_model *m, struct cxn_wire w,
                                  struct cxn_error *err)
{
    char domain[CXN_ONNX_NAME_BYTES] = "";
    int64_t version = 0;
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number == CXN_OPSET_DOMAIN) {
            status = cxn_wire_once(&w, &f, err);
            if (status == CXN_OK) status = cxn_wire_text(&w, &f, domain, sizeof domain, err);
        } else if (f.number == CXN_OPSET_VERSION) {
            status = cxn_wire_int(&w, &f, &version, err);
        }
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK || (domain[0] != '\0' && strcmp(domain, "ai.onnx") != 0)) return status;
    if (m->opset != 0 || version < CXN_ONNX_OPSET_MIN || version > CXN_ONNX_OPSET_MAX)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: opset %lld%s, expected one of %d to %d",
                        (long long)version, m->opset != 0 ? " beside another" : "",
                        CXN_ONNX_OPSET_MIN, CXN_ONNX_OPSET_MAX);
    m->opset = version;
    return CXN_OK;
}

enum cxn_status cxn_onnx_entry_read(struct cxn_wire w, char *key, size_t key_room, char *value,
                                    size_t value_room, struct cxn_error *err)
{
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    key[0] = value[0] = '\0';
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number != CXN_ENTRY_KEY && f.number != CXN_ENTRY_VALUE) continue;
        status = cxn_wire_once(&w, &f, err);
        if (status == CXN_OK)
            status = f.number == CXN_ENTRY_KEY ? cxn_wire_text(&w, &f, key, key_room, err)
                                               : cxn_wire_text(&w, &f, value, value_room, err);
        if (status != CXN_OK) return status;
    }
    return status;
}

static enum cxn_status keep_pair(struct cxn_onnx_model *m, const char *key, const char *value,
                                 struct cxn_error *err)
{
    uint32_t number;
    const enum cxn_status status = cxn_names_number(&m->keys, key, &number, err);
    if (status != CXN_OK) return status;
    if (number < m->list.pair_count)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: metadata '%.200s' is there twice", key);
    return cxn_tensors_add_pair(&m->list, key, value, err);
}

/* A pair of the model's metadata. */
static enum cxn_status read_pair(struct cxn_onnx_model *m, struct cxn_wire w,
                                 struct cxn_error *err)
{
    char key[CXN_ONNX_NAME_BYTES];
    char *value = cxn_alloc(m->mem, METADATA_BYTES, 1);
    if (!value) return cxn_fail_nomem(err, m->mem, METADATA_BYTES, "metadata");
    enum cxn_status status = cxn_onnx_entry_read(w, key, sizeof key, value, METADATA_BYTES, err);
    if (status == CXN_OK) status = keep_pair(m, key, value, err);
    cxn_free(value);
    return status;
}

static enum cxn_status read_producer(struct cxn_onnx_model *m, struct cxn_wire *w,
                                     const struct cxn_wire_field *f, struct cxn_error *err)
{
    char name[CXN_ONNX_NAME_BYTES];
    enum cxn_status status = cxn_wire_once(w, f, err);
    if (status == CXN_OK) status = cxn_wire_text(w, f, name, sizeof name, err);
    if (status == CXN_OK) m->is_ours = strcmp(name, CXN_ONNX_PRODUCER) == 0;
    return status;
}

static enum cxn_status read_model_field(struct cxn_onnx_model *m, struct cxn_wire *w,
                                        const struct cxn_wire_field *f, struct cxn_error *err)
{
    struct cxn_wire inner;
    enum cxn_status status;
    switch (f->number) {
    case CXN_MODEL_IR_VERSION: return cxn_wire_int(w, f, &m->ir_version, err);
    case CXN_MODEL_PRODUCER_NAME: return read_producer(m, w, f, err);
    case CXN_MODEL_GRAPH:
        status = cxn_wire_once(w, f, err);
        if (status == CXN_OK) status = cxn_wire_within(w, f, "GraphProto", &inner, err);
        m->graph_at = f->at;
        m->graph_bytes = f->bytes;
        return status;
    case CXN_MODEL_OPSET_IMPORT:
        status = cxn_wire_within(w, f, "OperatorSetIdProto", &inner, err);
        return status == CXN_OK ? read_opset(m, inner, err) : status;
    case CXN_MODEL_METADATA_PROPS:
        status = cxn_wire_within(w, f, "StringStringEntryProto", &inner, err);
        return status == CXN_OK ? read_pair(m, inner, err) : status;
    case CXN_MODEL_TRAINING_INFO:
    case CXN_MODEL_FUNCTIONS:
        return cxn_fail(err, CXN_E_FORMAT, "onnx: functions or training, which no DenseNet-121 "
                                           "needs");
    default: return CXN_OK;
    }
}

static enum cxn_status check_model(const struct cxn_onnx_model *m, struct cxn_error *err)
{
    if (m->ir_version < IR_VERSION_MIN || m->ir_version > IR_VERSION_MAX)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: IR version %lld, expected %d to %d",
                        (long long)m->ir_version, IR_VERSION_MIN, IR_VERSION_MAX);
    if (m->opset == 0) return cxn_fail(err, CXN_E_FORMAT, "onnx: no opset");
    if (m->graph_bytes == 0) return cxn_fail(err, CXN_E_FORMAT, "onnx: no graph");
    return CXN_OK;
}

enum cxn_status cxn_onnx_model_read(struct cxn_onnx_model *m, struct cxn_mem *mem,
                                    const struct cxn_source *source, struct cxn_error *err)
{
    *m = (struct cxn_onnx_model){ .mem = mem, .source = source, .list = { .mem = mem },
                                  .names = { .mem = mem }, .locations = { .mem = mem },
                                  .keys = { .mem = mem } };
    m->list.format = "onnx";
    if (source->size_bytes > INT_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: %llu bytes, at most %d",
                        (unsigned long long)source->size_bytes, INT_MAX);
    cxn_wire_window_init(&m->window, source);
    struct cxn_wire w = cxn_wire_whole(&m->window, "ModelProto");
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        status = read_model_field(m, &w, &f, err);
        if (status != CXN_OK) return status;
    }
    if (status == CXN_OK) status = check_model(m, err);
    return status == CXN_OK ? read_graph(m, err) : status;
}
