/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kern/window_f32.h"
#include "onnx/steps.h"

/* ---- preprocessing ------------------------------------------------------------------------ */

/* Whether input 1 is exactly these numbers, one for each channel where there are several. */
static enum cxn_status check_constant(struct cxn_onnx_steps *s, const float *want, size_t count,
                                      struct cxn_error *err)
{
    const struct cxn_tensor *t = cxn_step_tensor(s, 1);
    float values[3];
    struct cxn_source source;
    enum cxn_status status = cxn_step_check_inputs(s, 2, 2, err);
    if (status != CXN_OK) return status;
    const bool shaped = t && cxn_dtype_is_float(t->dtype) && t->count == count &&
                        (count == 1 || (t->rank >= 3 && t->dims[t->rank - 3] == count));
    if (!shaped) return cxn_node_fail(&s->node, err, "not a step of the usual normalisation");
    const uint32_t i = s->m->values[s->node.inputs[1]].tensor;
    status = cxn_onnx_tensor_source(s->m, s->m->tensors[i].location, &source, err);
    if (status == CXN_OK)
        status = cxn_tensors_read_f32(&s->m->list, &source, i, values, err);
    if (status != CXN_OK) return status;
    for (size_t k = 0; k < count; k++)
        if (values[k] != want[k])
            return cxn_node_fail(&s->node, err, "number %zu is %g, expected %g", k,
                                 (double)values[k], (double)want[k]);
    return CXN_OK;
}

enum cxn_status cxn_step_div(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                             struct cxn_error *err)
{
    static const float full_scale = 255.0f;
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || (v->stage != CXN_STAGE_INPUT && v->stage != CXN_STAGE_CENTRED))
        return cxn_step_fail(s, err);
    *out = *v;
    if (v->stage == CXN_STAGE_INPUT) {
        out->stage = CXN_STAGE_UNIT;
        return check_constant(s, &full_scale, 1, err);
    }
    out->stage = CXN_STAGE_NORMALISED;
    return check_constant(s, cxn_window_deviation, 3, err);
}

enum cxn_status cxn_step_sub(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                             struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_UNIT) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_CENTRED;
    return check_constant(s, cxn_window_mean, 3, err);
}

/* ---- pooling ------------------------------------------------------------------------------ */

enum cxn_status cxn_step_global_pool(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                     struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!cxn_step_is_last(s, v)) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_POOLED;
    return cxn_step_check_inputs(s, 1, 1, err);
}

/* The integers of an attribute, or of input 1 from opset `from` on. */
static const int64_t *find_ints(struct cxn_onnx_steps *s, const char *name, int64_t from,
                                size_t *count)
{
    const struct cxn_node_attribute *a = cxn_node_find(&s->node, name);
    if (s->m->opset < from) {
        if (!a || a->type != CXN_ATTRIBUTE_TYPE_INTS) return NULL;
        *count = a->int_count;
        return a->ints;
    }
    if (a || !cxn_step_tensor(s, 1)) return NULL;
    const struct cxn_onnx_tensor *t = &s->m->tensors[s->m->values[s->node.inputs[1]].tensor];
    *count = t->int_count;
    return t->has_ints ? t->ints : NULL;
}

/* Whether the axes are height and width of [batch][channels][height][width]. */
static bool over_sides(struct cxn_onnx_steps *s, int64_t from)
{
    unsigned seen = 0;
    size_t count = 0;
    const int64_t *axes = find_ints(s, "axes", from, &count);
    for (size_t i = 0; axes && i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
        if (axis != 2 && axis != 3) return false;
        seen |= 1u << axis;
    }
    return axes && count == 2 && seen == (1u << 2 | 1u << 3);
}

enum cxn_status cxn_step_reduce_mean(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                     struct cxn_error *err)
{
    enum { AXES_ARE_INPUT = 18 };
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!cxn_step_is_last(s, v)) return cxn_step_fail(s, err);
    *out = *v;
    if (!over_sides(s, AXES_ARE_INPUT))
        return cxn_node_fail(&s->node, err, "its axes are not height and width");
    bool keep = true;
    enum cxn_status status = cxn_node_read_flag(&s->node, "keepdims", &keep, err);
    out->stage = keep ? CXN_STAGE_POOLED : CXN_STAGE_FLAT;
    if (status == CXN_OK)
        status = cxn_node_want_int(&s->node, "noop_with_empty_axes", 0, CXN_OPTIONAL, err);
    return status == CXN_OK
        ? cxn_step_check_inputs(s, 1, s->m->opset < AXES_ARE_INPUT ? 1 : 2, err) : status;
}

enum cxn_status cxn_step_flatten(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                 struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_POOLED) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_FLAT;
    const enum cxn_status status = cxn_node_want_int(&s->node, "axis", 1, CXN_OPTIONAL, err);
    return status == CXN_OK ? cxn_step_check_inputs(s, 1, 1, err) : status;
}

enum cxn_status cxn_step_squeeze(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                 struct cxn_error *err)
{
    enum { AXES_ARE_INPUT = 13 };
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_POOLED) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_FLAT;
    if (!over_sides(s, AXES_ARE_INPUT))
        return cxn_node_fail(&s->node, err, "its axes are not height and width");
    return cxn_step_check_inputs(s, 1, s->m->opset < AXES_ARE_INPUT ? 1 : 2, err);
}

/* To [batch][channels], the one number that is not said taken from the rest. */
enum cxn_status cxn_step_reshape(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                 struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    size_t count = 0;
    if (!v || v->stage != CXN_STAGE_POOLED) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_FLAT;
    const int64_t *to = find_ints(s, "shape", 0, &count);
    const int64_t channels = s->net->tensors[v->next].dims[1];
    bool zero_is_none = false; /* else it copies the input's */
    const enum cxn_status status =
        cxn_node_read_flag(&s->node, "allowzero", &zero_is_none, err);
    if (status != CXN_OK) return status;
    if (to && count == 2) {
        const bool batch = to[0] == -1 || (to[0] == 0 && !zero_is_none) ||
                           (to[0] > 0 && to[0] == s->dims[0]);
        if (batch && (to[1] == channels || (to[1] == -1 && to[0] != -1)))
            return cxn_step_check_inputs(s, 2, 2, err);
    }
    return cxn_node_fail(&s->node, err, "not to [batch][%lld]", (long long)channels);
}

/* ---- classifier --------------------------------------------------------------------------- */

/* Input 1, turned or not; a head of other classes leaves no numbers where it may differ. */
static enum cxn_status fill_head(struct cxn_onnx_steps *s, uint32_t t, bool turned,
                                 struct cxn_error *err)
{
    const struct cxn_net_tensor *want = &s->net->tensors[t];
    const struct cxn_tensor *is = cxn_step_tensor(s, 1);
    const uint32_t classes = turned ? 1 : 0, channels = turned ? 0 : 1;
    if (!is || is->rank != 2 || !cxn_dtype_is_float(is->dtype) ||
        is->dims[channels] != want->dims[1])
        return cxn_node_fail(&s->node, err, "input 1 is not weights of %u channels",
                             want->dims[1]);
    if (is->dims[classes] != want->dims[0] && s->match->any_head) {
        s->match->head_classes = is->dims[classes];
        return cxn_step_fill(s, t, CXN_FILL_ZERO, 0, err);
    }
    if (is->dims[classes] != want->dims[0])
        return cxn_node_fail(&s->node, err, "%llu classes, expected %u",
                             (unsigned long long)is->dims[classes], want->dims[0]);
    return cxn_step_fill(s, t, turned ? CXN_FILL_TURNED : CXN_FILL_TENSOR,
                         s->m->values[s->node.inputs[1]].tensor, err);
}

static enum cxn_status fill_bias(struct cxn_onnx_steps *s, uint32_t t, size_t i,
                                 struct cxn_error *err)
{
    const struct cxn_tensor *is = cxn_step_tensor(s, i);
    if (s->match->head_classes == 0) return cxn_step_fill_input(s, t, i, err);
    if (!is || is->rank != 1 || is->dims[0] != s->match->head_classes)
        return cxn_node_fail(&s->node, err, "its bias is not for %llu classes",
                             (unsigned long long)s->match->head_classes);
    return cxn_step_fill(s, t, CXN_FILL_ZERO, 0, err);
}

enum cxn_status cxn_step_gemm(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                              struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_FLAT) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_LOGITS;
    bool by_class = false; /* [classes][channels], as the net has them */
    enum cxn_status status = cxn_node_read_flag(&s->node, "transB", &by_class, err);
    if (status == CXN_OK) status = cxn_step_check_inputs(s, 2, 3, err);
    if (status == CXN_OK) status = cxn_node_want_float(&s->node, "alpha", 1.0f, err);
    if (status == CXN_OK) status = cxn_node_want_float(&s->node, "beta", 1.0f, err);
    if (status == CXN_OK) status = cxn_node_want_int(&s->node, "transA", 0, CXN_OPTIONAL, err);
    if (status == CXN_OK) status = fill_head(s, out->next, !by_class, err);
    if (status != CXN_OK) return status;
    if (s->node.input_count == 3 && s->node.inputs[2] >= 0)
        return fill_bias(s, out->next + 1, 2, err);
    return cxn_step_fill(s, out->next + 1, CXN_FILL_ZERO, 0, err);
}

enum cxn_status cxn_step_matmul(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_FLAT) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_PRODUCT;
    const enum cxn_status status = cxn_step_check_inputs(s, 2, 2, err);
    return status == CXN_OK ? fill_head(s, out->next, true, err) : status;
}

enum cxn_status cxn_step_add_bias(struct cxn_onnx_steps *s, size_t product, size_t bias,
                                  struct cxn_onnx_value *out, struct cxn_error *err)
{
    *out = *cxn_step_maps(s, product);
    out->stage = CXN_STAGE_LOGITS;
    return fill_bias(s, out->next + 1, bias, err);
}

enum cxn_status cxn_step_sigmoid(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                 struct cxn_error *err)
{
    const struct cxn_onnx_value *v = cxn_step_maps(s, 0);
    if (!v || v->stage != CXN_STAGE_LOGITS) return cxn_step_fail(s, err);
    *out = *v;
    out->stage = CXN_STAGE_PROBABILITIES;
    return cxn_step_check_inputs(s, 1, 1, err);
}

/* ---- anywhere ----------------------------------------------------------------------------- */

enum cxn_status cxn_step_identity(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                  struct cxn_error *err)
{
    const enum cxn_status status = cxn_step_check_inputs(s, 1, 1, err);
    if (status != CXN_OK) return status;
    if (s->node.inputs[0] < 0) return cxn_step_fail(s, err);
    *out = s->m->values[s->node.inputs[0]];
    out->is_input = false;
    return CXN_OK;
}

/* Between float and float16. A tensor may only become wider: no number is rounded unseen. */
enum cxn_status cxn_step_cast(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                              struct cxn_error *err)
{
    const struct cxn_node_attribute *to = cxn_node_find(&s->node, "to");
    const struct cxn_tensor *t = cxn_step_tensor(s, 0);
    cxn_node_find(&s->node, "saturate"); /* for smaller types */
    if (!to || to->type != CXN_ATTRIBUTE_TYPE_INT ||
        (to->integer != CXN_ONNX_FLOAT && to->integer != CXN_ONNX_FLOAT16))
        return cxn_node_fail(&s->node, err, "to a type that is not float or float16");
    if (t && !(cxn_dtype_is_float(t->dtype) &&
               (to->integer == CXN_ONNX_FLOAT || t->dtype == CXN_DTYPE_F16)))
        return cxn_node_fail(&s->node, err, "a tensor of %s to a narrower type",
                             cxn_dtype_name(t->dtype));
    return cxn_step_identity(s, out, err);
}

enum cxn_status cxn_step_constant(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                  struct cxn_error *err)
{
    const struct cxn_node_attribute *value = cxn_node_find(&s->node, "value");
    if (!value || value->type != CXN_ATTRIBUTE_TYPE_TENSOR || s->node.input_count != 0)
        return cxn_node_fail(&s->node, err, "without a tensor as its value");
    const struct cxn_wire w = { .window = &s->m->window, .name = "TensorProto",
                                .at = value->tensor_at,
                                .end = value->tensor_at + value->tensor_bytes };
    out->kind = CXN_ONNX_TENSOR;
    return cxn_onnx_tensor_read(s->m, w, cxn_names_text(&s->m->names, s->node.output),
                                &out->tensor, err);
}
