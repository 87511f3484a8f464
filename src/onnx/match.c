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
    enum cxn_status status = cxn_onnx_input_dims(s->m, s->dims, err);
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
