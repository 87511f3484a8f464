/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/match.h"

#include <string.h>

#include "onnx/steps.h"

static const struct {
    const char *op;
    cxn_step_fn *step;
} steps[] = {
    { "Add", cxn_step_add },
    { "AveragePool", cxn_step_average_pool },
    { "BatchNormalization", cxn_step_norm },
    { "Cast", cxn_step_cast },
    { "Concat", cxn_step_concat },
    { "Constant", cxn_step_constant },
    { "Conv", cxn_step_conv },
    { "Div", cxn_step_div },
    { "Flatten", cxn_step_flatten },
    { "Gemm", cxn_step_gemm },
    { "GlobalAveragePool", cxn_step_global_pool },
    { "Identity", cxn_step_identity },
    { "MatMul", cxn_step_matmul },
    { "MaxPool", cxn_step_max_pool },
    { "Mul", cxn_step_mul },
    { "ReduceMean", cxn_step_reduce_mean },
    { "Relu", cxn_step_relu },
    { "Reshape", cxn_step_reshape },
    { "Sigmoid", cxn_step_sigmoid },
    { "Squeeze", cxn_step_squeeze },
    { "Sub", cxn_step_sub },
};

static enum cxn_status take_node(struct cxn_onnx_steps *s, struct cxn_error *err)
{
    struct cxn_onnx_value out = { 0 };
    size_t i = 0;
    while (i < CXN_COUNTOF(steps) && strcmp(steps[i].op, s->node.op) != 0) i++;
    if (i == CXN_COUNTOF(steps))
        return cxn_node_fail(&s->node, err, "an operator that DenseNet-121 does not have");
    enum cxn_status status = steps[i].step(s, &out, err);
    if (status == CXN_OK) status = cxn_node_check_used(&s->node, err);
    if (status == CXN_OK) s->m->values[s->node.output] = out;
    return status;
}

static enum cxn_status take_nodes(struct cxn_onnx_steps *s, struct cxn_error *err)
{
    struct cxn_wire w = { .window = &s->m->window, .name = "GraphProto", .at = s->m->graph_at,
                          .end = s->m->graph_at + s->m->graph_bytes }, inner;
    struct cxn_wire_field f;
    size_t count = 0;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number != CXN_GRAPH_NODE) continue;
        status = cxn_wire_within(&w, &f, "NodeProto", &inner, err);
        if (status == CXN_OK) status = cxn_node_read(&s->node, s->m, inner, count++, err);
        if (status == CXN_OK) status = take_node(s, err);
        if (status != CXN_OK) return status;
    }
    return status;
}

/* ---- the input's type --------------------------------------------------------------------- */

/* A number, or a name for any, of which protobuf would keep the last. */
static enum cxn_status read_dim(struct cxn_wire w, int64_t *dim, struct cxn_error *err)
{
    struct cxn_wire_field f;
    bool more;
    size_t count = 0;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number != CXN_DIM_VALUE && f.number != CXN_DIM_PARAM) continue;
        if (count++ > 0)
            return cxn_fail(err, CXN_E_FORMAT, "onnx: a dimension with more than one value");
        if (f.number == CXN_DIM_VALUE) status = cxn_wire_int(&w, &f, dim, err);
        if (status != CXN_OK) return status;
    }
    return status;
}

static enum cxn_status read_shape(struct cxn_onnx_steps *s, struct cxn_wire w, size_t *rank,
                                  struct cxn_error *err)
{
    struct cxn_wire_field f;
    struct cxn_wire inner;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        int64_t dim = 0;
        if (f.number != CXN_SHAPE_DIM) continue;
        status = cxn_wire_within(&w, &f, "Dimension", &inner, err);
        if (status == CXN_OK) status = read_dim(inner, &dim, err);
        if (status != CXN_OK) return status;
        if (*rank < CXN_COUNTOF(s->dims)) s->dims[*rank] = dim;
        (*rank)++;
    }
    return status;
}

static enum cxn_status read_tensor_type(struct cxn_onnx_steps *s, struct cxn_wire w,
                                        struct cxn_error *err)
{
    struct cxn_wire_field f;
    struct cxn_wire inner;
    int64_t type = 0;
    size_t rank = 0;
    bool more;
    enum cxn_status status;
    while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
        if (f.number == CXN_TENSOR_TYPE_ELEM) status = cxn_wire_int(&w, &f, &type, err);
        if (f.number == CXN_TENSOR_TYPE_SHAPE) {
            status = cxn_wire_once(&w, &f, err);
            if (status == CXN_OK) status = cxn_wire_within(&w, &f, "TensorShapeProto", &inner, err);
            if (status == CXN_OK) status = read_shape(s, inner, &rank, err);
        }
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK) return status;
    for (size_t i = 0; i < CXN_COUNTOF(s->dims); i++)
        if (s->dims[i] < 0) rank = 0;
    const bool grey_or_colour = s->dims[1] == 0 || s->dims[1] == 1 || s->dims[1] == 3;
    if (rank == CXN_COUNTOF(s->dims) && grey_or_colour &&
        (type == CXN_ONNX_FLOAT || type == CXN_ONNX_FLOAT16))
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: input '%.200s' is not of type float or float16, "
                    "[batch][3 or, where the graph normalises, 1][height][width]",
                    cxn_names_text(&s->m->names, s->m->input));
}

/* ValueInfoProto.type.tensor_type */
static enum cxn_status read_input_type(struct cxn_onnx_steps *s, struct cxn_error *err)
{
    const struct cxn_onnx_value *v = &s->m->values[s->m->input];
    static const uint32_t path[] = { CXN_VALUE_TYPE, CXN_TYPE_TENSOR };
    struct cxn_wire w = { .window = &s->m->window, .name = "ValueInfoProto", .at = v->at,
                          .end = v->at + v->bytes };
    for (size_t depth = 0; depth < CXN_COUNTOF(path); depth++) {
        struct cxn_wire_field f;
        struct cxn_wire inner = { .window = w.window, .name = "TypeProto" }; /* empty */
        bool more;
        enum cxn_status status;
        while ((status = cxn_wire_next(&w, &f, &more, err)) == CXN_OK && more) {
            if (f.number != path[depth]) continue;
            status = cxn_wire_once(&w, &f, err);
            if (status == CXN_OK) status = cxn_wire_within(&w, &f, "TypeProto", &inner, err);
            if (status != CXN_OK) return status;
        }
        if (status != CXN_OK) return status;
        w = inner;
    }
    return read_tensor_type(s, w, err);
}

/* ---- match -------------------------------------------------------------------------------- */

static enum cxn_status check_all(const struct cxn_onnx_steps *s, struct cxn_error *err)
{
    const struct cxn_onnx_value *v = &s->m->values[s->m->output];
    const char *name = cxn_names_text(&s->m->names, s->m->output);
    if (v->kind != CXN_ONNX_MAPS ||
        (v->stage != CXN_STAGE_LOGITS && v->stage != CXN_STAGE_PROBABILITIES))
        return cxn_fail(err, CXN_E_FORMAT, "onnx: output '%.200s' is not what a classifier gives",
                        name);
    for (size_t i = 0; i < s->net->tensor_count; i++)
        if (s->match->fills[i].kind == CXN_FILL_NONE)
            return cxn_fail(err, CXN_E_FORMAT, "onnx: no node has %s", s->net->tensors[i].name);
    return CXN_OK;
}

static enum cxn_status match_graph(struct cxn_onnx_steps *s, struct cxn_error *err)
{
    enum cxn_status status = read_input_type(s, err);
    if (status != CXN_OK) return status;
    struct cxn_onnx_value *input = &s->m->values[s->m->input];
    input->kind = CXN_ONNX_MAPS;
    input->stage = CXN_STAGE_INPUT;
    status = take_nodes(s, err);
    return status == CXN_OK ? check_all(s, err) : status;
}

enum cxn_status cxn_onnx_match(struct cxn_onnx_match *match, struct cxn_onnx_model *m,
                               const cxn_net *net, struct cxn_error *err)
{
    struct cxn_onnx_steps *s = cxn_alloc_zero(m->mem, 1, sizeof *s);
    match->fills = cxn_alloc_zero(m->mem, net->tensor_count, sizeof *match->fills);
    enum cxn_status status;
    if (s && match->fills) {
        s->m = m;
        s->net = net;
        s->match = match;
        status = match_graph(s, err);
    } else {
        status = cxn_fail_nomem(err, m->mem, sizeof *s, "a graph's nodes");
    }
    cxn_free(s);
    return status;
}

void cxn_onnx_match_close(struct cxn_onnx_match *match)
{
    cxn_free(match->fills);
    *match = (struct cxn_onnx_match){ 0 };
}
