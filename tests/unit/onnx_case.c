/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx_case.h"

#include <stdlib.h>
#include <string.h>

void pb_varint(struct case_bytes *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) put_number(b, (v & 0x7f) | 0x80, 1);
    put_number(b, v, 1);
}

void pb_int(struct case_bytes *b, uint32_t field, int64_t v)
{
    pb_varint(b, field << 3);
    pb_varint(b, (uint64_t)v);
}

void pb_bytes(struct case_bytes *b, uint32_t field, const void *data, size_t n)
{
    pb_varint(b, field << 3 | CXN_WIRE_LENGTH);
    pb_varint(b, n);
    put(b, data, n);
}

void pb_text(struct case_bytes *b, uint32_t field, const char *text)
{
    pb_bytes(b, field, text, strlen(text));
}

void pb_message(struct case_bytes *b, uint32_t field, struct case_bytes inner)
{
    pb_bytes(b, field, inner.data, inner.size);
    put_free(&inner);
}

struct case_bytes onnx_tensor(const char *name, const int64_t *dims, size_t rank, size_t count)
{
    struct case_bytes b = { 0 };
    float *zeros = calloc(count + 1, sizeof *zeros);
    assert_non_null(zeros);
    for (size_t i = 0; i < rank; i++) pb_int(&b, CXN_TENSOR_DIMS, dims[i]);
    pb_int(&b, CXN_TENSOR_DATA_TYPE, CXN_ONNX_FLOAT);
    pb_text(&b, CXN_TENSOR_NAME, name);
    if (count > 0) pb_bytes(&b, CXN_TENSOR_RAW_DATA, zeros, count * sizeof *zeros);
    free(zeros);
    return b;
}

struct case_bytes onnx_node(const char *op, const char *const *inputs, const char *output)
{
    struct case_bytes b = { 0 };
    for (size_t i = 0; inputs[i]; i++) pb_text(&b, CXN_NODE_INPUT, inputs[i]);
    if (output) pb_text(&b, CXN_NODE_OUTPUT, output);
    pb_text(&b, CXN_NODE_NAME, "odd");
    pb_text(&b, CXN_NODE_OP_TYPE, op);
    return b;
}

void onnx_add_ints(struct case_bytes *node, const char *name, const int64_t *values, size_t count)
{
    struct case_bytes b = { 0 };
    pb_text(&b, CXN_ATTRIBUTE_NAME, name);
    for (size_t i = 0; i < count; i++) pb_int(&b, CXN_ATTRIBUTE_INTS, values[i]);
    pb_int(&b, CXN_ATTRIBUTE_TYPE, CXN_ATTRIBUTE_TYPE_INTS);
    pb_message(node, CXN_NODE_ATTRIBUTE, b);
}

static struct case_bytes value_info(const char *name, const int64_t *dims, size_t rank)
{
    struct case_bytes shape = { 0 }, tensor = { 0 }, type = { 0 }, b = { 0 };
    for (size_t i = 0; i < rank; i++) {
        struct case_bytes dim = { 0 };
        pb_int(&dim, CXN_DIM_VALUE, dims[i]);
        pb_message(&shape, CXN_SHAPE_DIM, dim);
    }
    pb_int(&tensor, CXN_TENSOR_TYPE_ELEM, CXN_ONNX_FLOAT);
    pb_message(&tensor, CXN_TENSOR_TYPE_SHAPE, shape);
    pb_message(&type, CXN_TYPE_TENSOR, tensor);
    pb_text(&b, CXN_VALUE_NAME, name);
    pb_message(&b, CXN_VALUE_TYPE, type);
    return b;
}

struct case_bytes onnx_graph(void)
{
    static const int64_t picture[] = { 1, 3, 64, 64 }, classes[] = { 1, 1 };
    static const int64_t conv[] = { 2, 3, 7, 7 }, channels[] = { 2 };
    struct case_bytes b = { 0 };
    pb_message(&b, CXN_GRAPH_INPUT, value_info("x", picture, 4));
    pb_message(&b, CXN_GRAPH_OUTPUT, value_info("y", classes, 2));
    pb_message(&b, CXN_GRAPH_INITIALIZER, onnx_tensor("w", conv, 4, 294));
    pb_message(&b, CXN_GRAPH_INITIALIZER, onnx_tensor("c", channels, 1, 2));
    return b;
}

struct case_bytes onnx_model(struct case_bytes graph)
{
    struct case_bytes b = { 0 }, opset = { 0 };
    pb_int(&b, CXN_MODEL_IR_VERSION, 8);
    pb_message(&b, CXN_MODEL_GRAPH, graph);
    pb_int(&opset, CXN_OPSET_VERSION, 17);
    pb_message(&b, CXN_MODEL_OPSET_IMPORT, opset);
    return b;
}

enum cxn_status onnx_load_bytes(const void *data, size_t size, const cxn_net *net,
                                struct cxn_mem *mem, float **block, struct cxn_error *err)
{
    uint8_t *exact = copy_exactly(data, size);
    const struct cxn_source source = cxn_source_memory(exact, size);
    struct cxn_weights_report report;
    struct cxn_onnx_model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    *block = NULL;
    err->text[0] = '\0';
    enum cxn_status status = cxn_onnx_model_read(m, mem, &source, err);
    if (status == CXN_OK)
        status = cxn_onnx_load(m, net, CXN_ONNX_HEAD_SAME, block, &report, err);
    cxn_onnx_model_close(m);
    free(m);
    free(exact);
    assert_true((status == CXN_OK) == (*block != NULL));
    assert_true((status == CXN_OK) == (err->text[0] == '\0'));
    return status;
}

void onnx_expect(struct case_bytes file, enum cxn_status status, const char *text)
{
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_net *net = case_net(&case_tiny);
    float *block;
    cxn_mem_init(&mem, 0);
    const double start = case_seconds();
    const enum cxn_status got = onnx_load_bytes(file.data, file.size, net, &mem, &block, &err);
    const double seconds = case_seconds() - start;
    cxn_free(block);
    cxn_net_close(&net);
    put_free(&file);
    if (got != status || (text && !strstr(err.text, text)))
        fail_msg("expected %s with '%s', got %s with '%s'", cxn_status_name(status),
                 text ? text : "", cxn_status_name(got), err.text);
    case_check_cost(&mem, seconds, err.text);
}
