/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum cxn_status cxn_node_fail(const struct cxn_node *node, struct cxn_error *err, const char *fmt,
                              ...)
{
    char why[CXN_ERROR_BYTES / 4];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return cxn_fail(err, CXN_E_FORMAT, "onnx: node %zu '%.200s' (%s): %s", node->number,
                    node->name, node->op, why);
}

/* ---- attributes --------------------------------------------------------------------------- */

static enum cxn_status read_attribute_field(const struct cxn_node *node, struct cxn_wire *w,
                                            const struct cxn_wire_field *f,
                                            struct cxn_node_attribute *a, int64_t *type,
                                            struct cxn_error *err)
{
    struct cxn_wire inner;
    enum cxn_status status;
    switch (f->number) {
    case CXN_ATTRIBUTE_NAME:
        status = cxn_wire_once(w, f, err);
        return status == CXN_OK ? cxn_wire_text(w, f, a->name, sizeof a->name, err) : status;
    case CXN_ATTRIBUTE_F: return cxn_wire_float(w, f, &a->number, err);
    case CXN_ATTRIBUTE_I: return cxn_wire_int(w, f, &a->integer, err);
    case CXN_ATTRIBUTE_S:
        status = cxn_wire_once(w, f, err);
        return status == CXN_OK ? cxn_wire_text(w, f, a->text, sizeof a->text, err) : status;
    case CXN_ATTRIBUTE_T:
        status = cxn_wire_once(w, f, err);
        if (status == CXN_OK) status = cxn_wire_within(w, f, "TensorProto", &inner, err);
        a->tensor_at = f->at;
        a->tensor_bytes = f->bytes;
        return status;
    case CXN_ATTRIBUTE_INTS:
        return cxn_wire_ints(w, f, a->ints, CXN_ONNX_INTS_MAX, &a->int_count, err);
    case CXN_ATTRIBUTE_TYPE: return cxn_wire_int(w, f, type, err);
    case CXN_ATTRIBUTE_DOC_STRING: return CXN_OK;
    default:
        return cxn_node_fail(node, err, "attribute '%s' has field %u: a graph, a reference or a "
                             "list that no DenseNet-121 needs", a->name, f->number);
    }
}

/* The field that a type's value lies in, as a bit; values elsewhere would be read by others. */
static uint64_t field_of(int64_t type)
{
    switch (type) {
    case CXN_ATTRIBUTE_TYPE_FLOAT: return UINT64_C(1) << CXN_ATTRIBUTE_F;
    case CXN_ATTRIBUTE_TYPE_INT: return UINT64_C(1) << CXN_ATTRIBUTE_I;
    case CXN_ATTRIBUTE_TYPE_STRING: return UINT64_C(1) << CXN_ATTRIBUTE_S;
    case CXN_ATTRIBUTE_TYPE_TENSOR: return UINT64_C(1) << CXN_ATTRIBUTE_T;
    case CXN_ATTRIBUTE_TYPE_INTS: return UINT64_C(1) << CXN_ATTRIBUTE_INTS;
    default: return 0;
    }
}

static enum cxn_status read_attribute(struct cxn_node *node, struct cxn_wire w,
                                      struct cxn_error *err)
{
    const uint64_t values = field_of(CXN_ATTRIBUTE_TYPE_FLOAT) | field_of(CXN_ATTRIBUTE_TYPE_INT) |
                            field_of(CXN_ATTRIBUTE_TYPE_STRING) |
                            field_of(CXN_ATTRIBUTE_TYPE_TENSOR) |
                            field_of(CXN_ATTRIBUTE_TYPE_INTS);
    int64_t type = 0;
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    if (node->attribute_count >= CXN_NODE_ATTRIBUTES_MAX)
        return cxn_node_fail(node, err, "more than %d attributes", CXN_NODE_ATTRIBUTES_MAX);
    struct cxn_node_attribute *a = &node->attributes[node->attribute_count];
    *a = (struct cxn_node_attribute){ .number = 0.0f };
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        status = read_attribute_field(node, &w, &f, a, &type, err);
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK) return status;
    if (a->int_count > 0) w.seen |= field_of(CXN_ATTRIBUTE_TYPE_INTS);
    if (a->name[0] == '\0' || field_of(type) == 0 || (w.seen & values & ~field_of(type)) != 0)
        return cxn_node_fail(node, err, "attribute '%s' of type %lld, or a value of another type",
                             a->name, (long long)type);
    if (cxn_node_find(node, a->name))
        return cxn_node_fail(node, err, "attribute '%s' is there twice", a->name);
    a->type = (enum cxn_onnx_attribute_type)type;
    node->attribute_count++;
    return CXN_OK;
}

struct cxn_node_attribute *cxn_node_find(struct cxn_node *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++) {
        if (strcmp(node->attributes[i].name, name) != 0) continue;
        node->attributes[i].used = true;
        return &node->attributes[i];
    }
    return NULL;
}

static enum cxn_status fail_missing(const struct cxn_node *node, const char *name, int optional,
                                    struct cxn_error *err)
{
    if (optional) return CXN_OK;
    return cxn_node_fail(node, err, "attribute '%s' is missing", name);
}

enum cxn_status cxn_node_want_ints(struct cxn_node *node, const char *name, int64_t each,
                                   size_t count, int optional, struct cxn_error *err)
{
    const struct cxn_node_attribute *a = cxn_node_find(node, name);
    if (!a) return fail_missing(node, name, optional, err);
    bool equal = a->type == CXN_ATTRIBUTE_TYPE_INTS && a->int_count == count;
    for (size_t i = 0; equal && i < count; i++) equal = a->ints[i] == each;
    if (equal) return CXN_OK;
    return cxn_node_fail(node, err, "attribute '%s' is not %zu times %lld", name, count,
                         (long long)each);
}

enum cxn_status cxn_node_want_int(struct cxn_node *node, const char *name, int64_t value,
                                  int optional, struct cxn_error *err)
{
    const struct cxn_node_attribute *a = cxn_node_find(node, name);
    if (!a) return fail_missing(node, name, optional, err);
    if (a->type == CXN_ATTRIBUTE_TYPE_INT && a->integer == value) return CXN_OK;
    return cxn_node_fail(node, err, "attribute '%s' is not %lld", name, (long long)value);
}

enum cxn_status cxn_node_read_flag(struct cxn_node *node, const char *name, bool *flag,
                                   struct cxn_error *err)
{
    const struct cxn_node_attribute *a = cxn_node_find(node, name);
    if (!a) return CXN_OK;
    if (a->type != CXN_ATTRIBUTE_TYPE_INT || a->integer < 0 || a->integer > 1)
        return cxn_node_fail(node, err, "attribute '%s' is not 0 or 1", name);
    *flag = a->integer == 1;
    return CXN_OK;
}

enum cxn_status cxn_node_want_float(struct cxn_node *node, const char *name, float value,
                                    struct cxn_error *err)
{
    const struct cxn_node_attribute *a = cxn_node_find(node, name);
    if (!a || (a->type == CXN_ATTRIBUTE_TYPE_FLOAT && a->number == value)) return CXN_OK;
    return cxn_node_fail(node, err, "attribute '%s' is %g, expected %g", name, (double)a->number,
                         (double)value);
}

enum cxn_status cxn_node_want_text(struct cxn_node *node, const char *name, const char *text,
                                   struct cxn_error *err)
{
    const struct cxn_node_attribute *a = cxn_node_find(node, name);
    if (!a || (a->type == CXN_ATTRIBUTE_TYPE_STRING && strcmp(a->text, text) == 0)) return CXN_OK;
    return cxn_node_fail(node, err, "attribute '%s' is not '%s'", name, text);
}

enum cxn_status cxn_node_check_used(const struct cxn_node *node, struct cxn_error *err)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (!node->attributes[i].used)
            return cxn_node_fail(node, err, "attribute '%s' is unexpected",
                                 node->attributes[i].name);
    return CXN_OK;
}

/* ---- the message -------------------------------------------------------------------------- */

static enum cxn_status read_input(struct cxn_node *node, struct cxn_onnx_model *m,
                                  const char *name, struct cxn_error *err)
{
    uint32_t number;
    if (node->input_count >= CXN_NODE_INPUTS_MAX)
        return cxn_node_fail(node, err, "more than %d inputs", CXN_NODE_INPUTS_MAX);
    int64_t *input = &node->inputs[node->input_count++];
    *input = CXN_NODE_NONE;
    if (name[0] == '\0') return CXN_OK;
    const enum cxn_status status = cxn_onnx_value_of(m, name, &number, err);
    *input = number;
    return status;
}

static enum cxn_status read_output(struct cxn_node *node, struct cxn_onnx_model *m,
                                   const char *name, struct cxn_error *err)
{
    if (name[0] == '\0') return CXN_OK;
    if (node->output_count++ > 0) return cxn_node_fail(node, err, "more than one output");
    return cxn_onnx_value_of(m, name, &node->output, err);
}

static enum cxn_status read_node_field(struct cxn_node *node, struct cxn_onnx_model *m,
                                       struct cxn_wire *w, const struct cxn_wire_field *f,
                                       struct cxn_error *err)
{
    char text[CXN_ONNX_NAME_BYTES];
    struct cxn_wire inner;
    enum cxn_status status = CXN_OK;
    switch (f->number) {
    case CXN_NODE_INPUT:
        status = cxn_wire_text(w, f, text, sizeof text, err);
        return status == CXN_OK ? read_input(node, m, text, err) : status;
    case CXN_NODE_OUTPUT:
        status = cxn_wire_text(w, f, text, sizeof text, err);
        return status == CXN_OK ? read_output(node, m, text, err) : status;
    case CXN_NODE_NAME:
        status = cxn_wire_once(w, f, err);
        return status == CXN_OK ? cxn_wire_text(w, f, node->name, sizeof node->name, err) : status;
    case CXN_NODE_OP_TYPE:
        status = cxn_wire_once(w, f, err);
        return status == CXN_OK ? cxn_wire_text(w, f, node->op, sizeof node->op, err) : status;
    case CXN_NODE_ATTRIBUTE:
        status = cxn_wire_within(w, f, "AttributeProto", &inner, err);
        return status == CXN_OK ? read_attribute(node, inner, err) : status;
    case CXN_NODE_DOMAIN:
        status = cxn_wire_once(w, f, err);
        if (status == CXN_OK) status = cxn_wire_text(w, f, text, sizeof text, err);
        if (status != CXN_OK || text[0] == '\0' || strcmp(text, "ai.onnx") == 0) return status;
        return cxn_node_fail(node, err, "operators of '%.100s' are not read", text);
    default: return CXN_OK;
    }
}

static enum cxn_status check_values(const struct cxn_node *node, const struct cxn_onnx_model *m,
                                    struct cxn_error *err)
{
    if (node->output_count != 1) return cxn_node_fail(node, err, "no output");
    if (m->values[node->output].kind != CXN_ONNX_UNKNOWN || node->output == m->input)
        return cxn_node_fail(node, err, "output '%.100s' is there already",
                             cxn_names_text(&m->names, node->output));
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] >= 0 && m->values[node->inputs[i]].kind == CXN_ONNX_UNKNOWN)
            return cxn_node_fail(node, err, "input '%.100s' is not made before",
                                 cxn_names_text(&m->names, (uint32_t)node->inputs[i]));
    return CXN_OK;
}

enum cxn_status cxn_node_read(struct cxn_node *node, struct cxn_onnx_model *m, struct cxn_wire w,
                              size_t number, struct cxn_error *err)
{
    struct cxn_wire_field f;
    bool more;
    enum cxn_status status;
    node->number = number;
    node->name[0] = node->op[0] = '\0';
    node->input_count = node->output_count = node->attribute_count = 0;
    if (number >= CXN_NODES_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: more than %d nodes", CXN_NODES_MAX);
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        status = read_node_field(node, m, &w, &f, err);
        if (status != CXN_OK) return status;
    }
    return status == CXN_OK ? check_values(node, m, err) : status;
}
