/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/steps.h"

#include <string.h>

/* ---- common ------------------------------------------------------------------------------- */

const struct cxn_onnx_value *cxn_step_maps(const struct cxn_onnx_steps *s, size_t i)
{
    if (i >= s->node.input_count || s->node.inputs[i] < 0) return NULL;
    const struct cxn_onnx_value *v = &s->m->values[s->node.inputs[i]];
    return v->kind == CXN_ONNX_MAPS ? v : NULL;
}

const struct cxn_tensor *cxn_step_tensor(const struct cxn_onnx_steps *s, size_t i)
{
    if (i >= s->node.input_count || s->node.inputs[i] < 0) return NULL;
    const struct cxn_onnx_value *v = &s->m->values[s->node.inputs[i]];
    return v->kind == CXN_ONNX_TENSOR ? &s->m->list.items[v->tensor] : NULL;
}

enum cxn_status cxn_step_check_inputs(const struct cxn_onnx_steps *s, size_t least, size_t most,
                                      struct cxn_error *err)
{
    if (s->node.input_count >= least && s->node.input_count <= most) return CXN_OK;
    return cxn_node_fail(&s->node, err, "%zu inputs, expected %zu to %zu", s->node.input_count,
                         least, most);
}

enum cxn_status cxn_step_fail(const struct cxn_onnx_steps *s, struct cxn_error *err)
{
    static const struct {
        const char *what, *next;
    } texts[] = {
        [CXN_STAGE_INPUT] = { "the input", "the first convolution" },
        [CXN_STAGE_UNIT] = { "samples / 255", "the mean taken off" },
        [CXN_STAGE_CENTRED] = { "the centred input", "the division by the deviation" },
        [CXN_STAGE_NORMALISED] = { "the normalised input", "the first convolution" },
        [CXN_STAGE_CONV] = { "a convolution", "a norm or ReLU" },
        [CXN_STAGE_SCALED] = { "the product of a norm", "its sum" },
        [CXN_STAGE_NORM] = { "a norm", "ReLU" },
        [CXN_STAGE_RELU] = { "ReLU", "a convolution or pooling" },
        [CXN_STAGE_MAPS] = { "maps of a dense block", "Concat or a norm of all maps so far" },
        [CXN_STAGE_TRANSITION] = { "a transition's convolution", "average pooling" },
        [CXN_STAGE_POOLED] = { "global pooling", "Flatten" },
        [CXN_STAGE_FLAT] = { "pooled channels", "the classifier" },
        [CXN_STAGE_PRODUCT] = { "the classifier's product", "its bias" },
        [CXN_STAGE_LOGITS] = { "the classifier", "Sigmoid or nothing" },
        [CXN_STAGE_PROBABILITIES] = { "Sigmoid", "nothing" },
    };
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v) return cxn_node_fail(&s->node, err, "its first input is not a map");
    return cxn_node_fail(&s->node, err, "behind %s, where DenseNet-121 has %s",
                         texts[v->stage].what, texts[v->stage].next);
}

enum cxn_status cxn_step_fill(struct cxn_onnx_steps *s, uint32_t t, enum cxn_fill_kind kind,
                              uint32_t tensor, struct cxn_error *err)
{
    struct cxn_onnx_fill *fill = &s->match->fills[t];
    if (fill->kind != CXN_FILL_NONE)
        return cxn_node_fail(&s->node, err, "a second time what is %s", s->net->tensors[t].name);
    *fill = (struct cxn_onnx_fill){ kind, tensor };
    return CXN_OK;
}

static enum cxn_status fail_shape(const struct cxn_onnx_steps *s, uint32_t t, size_t i,
                                  struct cxn_error *err)
{
    char got[CXN_TENSOR_SHAPE_BYTES], want[CXN_TENSOR_SHAPE_BYTES];
    const struct cxn_net_tensor *n = &s->net->tensors[t];
    const struct cxn_tensor *is = cxn_step_tensor(s, i);
    uint64_t dims[CXN_COUNTOF(n->dims)] = { 0 };
    for (uint32_t k = 0; k < n->rank; k++) dims[k] = n->dims[k];
    cxn_shape_text(want, dims, n->rank);
    if (!is) return cxn_node_fail(&s->node, err, "input %zu is not a tensor %s", i, want);
    return cxn_node_fail(&s->node, err, "input %zu is %s %s, expected %s of F32 or F16", i,
                         cxn_dtype_name(is->dtype), cxn_shape_text(got, is->dims, is->rank), want);
}

enum cxn_status cxn_step_fill_input(struct cxn_onnx_steps *s, uint32_t t, size_t i,
                                    struct cxn_error *err)
{
    const struct cxn_net_tensor *want = &s->net->tensors[t];
    const struct cxn_tensor *is = cxn_step_tensor(s, i);
    bool same = is && is->rank == want->rank && cxn_dtype_is_float(is->dtype);
    for (uint32_t k = 0; same && k < want->rank; k++) same = is->dims[k] == want->dims[k];
    if (!same) return fail_shape(s, t, i, err);
    return cxn_step_fill(s, t, CXN_FILL_TENSOR, s->m->values[s->node.inputs[i]].tensor, err);
}

/* Tensors of the net in front of dense block b: the stem's 5, 10 a layer, 5 a transition. */
static uint32_t block_start(const cxn_net *net, uint32_t b)
{
    uint32_t at = 5;
    for (uint32_t i = 0; i < b; i++) at += 10 * net->config.layers[i] + 5;
    return at;
}

bool cxn_step_is_last(const struct cxn_onnx_steps *s, const struct cxn_onnx_value *v)
{
    return v && v->stage == CXN_STAGE_RELU &&
           s->net->tensors[v->next].role == CXN_ROLE_HEAD_WEIGHT;
}

/* ---- convolutions ------------------------------------------------------------------------- */

static bool is_first(const struct cxn_onnx_steps *s, const struct cxn_onnx_value *v)
{
    return v->stage == CXN_STAGE_NORMALISED ||
           (v->stage == CXN_STAGE_INPUT && s->dims[1] == 3);
}

static enum cxn_status check_conv(struct cxn_onnx_steps *s, const struct cxn_net_tensor *t,
                                  bool first, struct cxn_error *err)
{
    struct cxn_node *n = &s->node;
    const int64_t kernel = t->dims[2], pad = kernel / 2;
    enum cxn_status status = cxn_step_check_inputs(s, 2, 3, err);
    if (status == CXN_OK)
        status = cxn_node_want_ints(n, "kernel_shape", kernel, 2, CXN_OPTIONAL, err);
    if (status == CXN_OK)
        status = cxn_node_want_ints(n, "strides", first ? 2 : 1, 2, !first, err);
    if (status == CXN_OK) status = cxn_node_want_ints(n, "pads", pad, 4, pad == 0, err);
    if (status == CXN_OK) status = cxn_node_want_ints(n, "dilations", 1, 2, CXN_OPTIONAL, err);
    if (status == CXN_OK) status = cxn_node_want_int(n, "group", 1, CXN_OPTIONAL, err);
    return status == CXN_OK ? cxn_node_want_text(n, "auto_pad", "NOTSET", err) : status;
}

/* The norm at t does nothing but add: what was folded into the convolution, bias included. */
static enum cxn_status fill_folded(struct cxn_onnx_steps *s, uint32_t t, size_t bias,
                                   struct cxn_error *err)
{
    const bool has_bias = cxn_step_tensor(s, bias) != NULL;
    enum cxn_status status = cxn_step_fill(s, t, CXN_FILL_ONE, 0, err);
    if (status == CXN_OK)
        status = has_bias ? cxn_step_fill_input(s, t + 1, bias, err)
                          : cxn_step_fill(s, t + 1, CXN_FILL_ZERO, 0, err);
    if (status == CXN_OK) status = cxn_step_fill(s, t + 2, CXN_FILL_ZERO, 0, err);
    return status == CXN_OK ? cxn_step_fill(s, t + 3, CXN_FILL_UNIT_VARIANCE, 0, err) : status;
}

enum cxn_status cxn_step_conv(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                              struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    const bool first = v && is_first(s, v);
    if (!v || (!first && (v->stage != CXN_STAGE_RELU ||
                          s->net->tensors[v->next].role != CXN_ROLE_CONV)))
        return cxn_step_fail(s, err);
    *out = *v;
    const bool in_layer = !first && v->to <= s->net->config.layers[v->block];
    const bool has_norm = first || (in_layer && s->net->tensors[v->next].dims[2] == 1);
    const bool has_bias = s->node.input_count > 2 && s->node.inputs[2] >= 0;
    enum cxn_status status = check_conv(s, &s->net->tensors[v->next], first, err);
    if (status == CXN_OK) status = cxn_step_fill_input(s, out->next, 1, err);
    if (status != CXN_OK) return status;
    out->next++;
    if (has_bias && !has_norm)
        return cxn_node_fail(&s->node, err, "a bias, where DenseNet-121 has no norm to fold");
    if (has_bias) {
        if (!cxn_step_tensor(s, 2)) return cxn_node_fail(&s->node, err, "its bias is not a tensor");
        status = fill_folded(s, out->next, 2, err);
        out->next += 4;
    }
    out->stage = has_bias ? CXN_STAGE_NORM : CXN_STAGE_CONV;
    if (has_norm) return status;
    out->stage = in_layer ? CXN_STAGE_MAPS : CXN_STAGE_TRANSITION;
    out->from = in_layer ? v->to : 0;
    out->to = in_layer ? v->to + 1 : v->to;
    return status;
}

/* ---- norms -------------------------------------------------------------------------------- */

/* The first tensor of the norm that may stand behind the value. */
static bool find_norm(const struct cxn_onnx_steps *s, const struct cxn_onnx_value *v, uint32_t *t)
{
    if (!v) return false;
    if (v->stage == CXN_STAGE_CONV) *t = v->next;
    else if (v->stage != CXN_STAGE_MAPS || v->from != 0) return false;
    else *t = block_start(s->net, v->block) + 10 * (v->to - 1);
    return true;
}

enum cxn_status cxn_step_norm(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                              struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    uint32_t t;
    if (!find_norm(s, v, &t)) return cxn_step_fail(s, err);
    enum cxn_status status = cxn_step_check_inputs(s, 5, 5, err);
    if (status == CXN_OK)
        status = cxn_node_want_float(&s->node, "epsilon", (float)CXN_NET_EPSILON, err);
    if (status == CXN_OK)
        status = cxn_node_want_int(&s->node, "training_mode", 0, CXN_OPTIONAL, err);
    cxn_node_find(&s->node, "momentum"); /* for training */
    for (uint32_t i = 0; status == CXN_OK && i < 4; i++)
        status = cxn_step_fill_input(s, t + i, i + 1, err);
    *out = *v;
    out->stage = CXN_STAGE_NORM;
    out->next = t + 4;
    return status;
}

/* Input i as a number a channel: [channels][1][1], perhaps with a 1 in front. */
static enum cxn_status fill_channels(struct cxn_onnx_steps *s, uint32_t t, size_t i,
                                     struct cxn_error *err)
{
    const struct cxn_tensor *is = cxn_step_tensor(s, i);
    const uint32_t in_front = is && is->rank == 4 ? 1 : 0;
    if (!is || (is->rank != 3 && is->rank != 4) || !cxn_dtype_is_float(is->dtype) ||
        is->dims[in_front] != s->net->tensors[t].dims[0] || is->count != is->dims[in_front])
        return fail_shape(s, t, i, err);
    return cxn_step_fill(s, t, CXN_FILL_TENSOR, s->m->values[s->node.inputs[i]].tensor, err);
}

/* The input that is a map, of the two that change places freely. */
static size_t map_of_two(const struct cxn_onnx_steps *s)
{
    return cxn_step_maps(s, 0) ? 0 : 1;
}

enum cxn_status cxn_step_mul(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                             struct cxn_error *err)
{
    const size_t map = map_of_two(s);
    const struct cxn_onnx_value *v = cxn_step_maps(s, map);
    uint32_t t;
    enum cxn_status status = cxn_step_check_inputs(s, 2, 2, err);
    if (status != CXN_OK) return status;
    if (!find_norm(s, v, &t)) return cxn_step_fail(s, err);
    *out = *v;
    status = fill_channels(s, t, 1 - map, err);
    if (status == CXN_OK) status = cxn_step_fill(s, t + 2, CXN_FILL_ZERO, 0, err);
    if (status == CXN_OK) status = cxn_step_fill(s, t + 3, CXN_FILL_UNIT_VARIANCE, 0, err);
    out->stage = CXN_STAGE_SCALED;
    out->next = t + 1;
    return status;
}

enum cxn_status cxn_step_add(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                             struct cxn_error *err)
{
    const size_t map = map_of_two(s);
    const struct cxn_onnx_value *v = cxn_step_maps(s, map);
    enum cxn_status status = cxn_step_check_inputs(s, 2, 2, err);
    if (status != CXN_OK) return status;
    if (v && v->stage == CXN_STAGE_PRODUCT) return cxn_step_add_bias(s, map, 1 - map, out, err);
    if (!v || v->stage != CXN_STAGE_SCALED) return cxn_step_fail(s, err);
    *out = *v;
    status = fill_channels(s, v->next, 1 - map, err);
    out->stage = CXN_STAGE_NORM;
    out->next = v->next + 3;
    return status;
}

enum cxn_status cxn_step_relu(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                              struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    enum cxn_status status = cxn_step_check_inputs(s, 1, 1, err);
    if (status != CXN_OK) return status;
    if (!v || (v->stage != CXN_STAGE_NORM && v->stage != CXN_STAGE_CONV))
        return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_RELU;
    if (v->stage == CXN_STAGE_NORM) return CXN_OK;
    /* Exporters leave a folded norm's bias away where it is zero. */
    status = fill_folded(s, v->next, CXN_NODE_INPUTS_MAX, err);
    out->next += 4;
    return status;
}

/* ---- maps --------------------------------------------------------------------------------- */

enum cxn_status cxn_step_concat(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                struct cxn_error *err)
{
    const struct cxn_node_attribute *axis = cxn_node_find(&s->node, "axis");
    if (!axis || axis->type != CXN_ATTRIBUTE_TYPE_INT ||
        (axis->integer != 1 && axis->integer != -3))
        return cxn_node_fail(&s->node, err, "its axis is not 1, that of channels");
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_MAPS) return cxn_step_fail(s, err);
    *out = *v;
    for (size_t i = 1; i < s->node.input_count; i++) {
        v = cxn_step_maps(s, i);
        if (!v || v->stage != CXN_STAGE_MAPS || v->block != out->block || v->from != out->to)
            return cxn_node_fail(&s->node, err, "input %zu is not the block's next map, number %u",
                                 i, out->to);
        out->to = v->to;
    }
    return CXN_OK;
}

static enum cxn_status check_pool(struct cxn_onnx_steps *s, int64_t side, int64_t pad,
                                  struct cxn_error *err)
{
    struct cxn_node *n = &s->node;
    enum cxn_status status = cxn_step_check_inputs(s, 1, 1, err);
    if (status == CXN_OK) status = cxn_node_want_ints(n, "kernel_shape", side, 2, 0, err);
    if (status == CXN_OK) status = cxn_node_want_ints(n, "pads", pad, 4, pad == 0, err);
    if (status == CXN_OK) status = cxn_node_want_ints(n, "dilations", 1, 2, CXN_OPTIONAL, err);
    if (status == CXN_OK) status = cxn_node_want_int(n, "ceil_mode", 0, CXN_OPTIONAL, err);
    if (status == CXN_OK) status = cxn_node_want_int(n, "storage_order", 0, CXN_OPTIONAL, err);
    return status == CXN_OK ? cxn_node_want_text(n, "auto_pad", "NOTSET", err) : status;
}

enum cxn_status cxn_step_max_pool(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                  struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_RELU || v->to != 0) return cxn_step_fail(s, err);
    *out = *v;
    enum cxn_status status = check_pool(s, 3, 1, err);
    if (status == CXN_OK) status = cxn_node_want_ints(&s->node, "strides", 2, 2, 0, err);
    out->stage = CXN_STAGE_MAPS;
    out->to = 1;
    return status;
}

enum cxn_status cxn_step_average_pool(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                      struct cxn_error *err)
{
    enum { SHRUNK = 32 }; /* a side of the last maps is so much shorter than the picture's */
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    const bool last = cxn_step_is_last(s, v) && s->dims[2] >= SHRUNK && s->dims[2] == s->dims[3];
    cxn_node_find(&s->node, "count_include_pad"); /* there is no padding */
    if (!v || (v->stage != CXN_STAGE_TRANSITION && !last)) return cxn_step_fail(s, err);
    *out = *v;
    if (last) {
        cxn_node_find(&s->node, "strides"); /* one place has no next */
        out->stage = CXN_STAGE_POOLED;
        return check_pool(s, s->dims[2] / SHRUNK, 0, err);
    }
    enum cxn_status status = check_pool(s, 2, 0, err);
    if (status == CXN_OK) status = cxn_node_want_ints(&s->node, "strides", 2, 2, 0, err);
    out->stage = CXN_STAGE_MAPS;
    out->block = v->block + 1;
    out->from = 0;
    out->to = 1;
    return status;
}
