/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/write_graph.h"

#include <stdio.h>
#include <string.h>

#include "onnx/proto.h"

enum { NAME_BYTES = CXN_NET_NAME_BYTES, INTS_MAX = 4, ATTRIBUTES_MAX = 3, LAYERS_MAX = 64 };

struct attribute {
    const char *name;
    enum cxn_onnx_attribute_type type;
    float number;
    int64_t ints[INTS_MAX]; /* the first alone for an INT */
    size_t count;
};

struct node {
    const char *op, *name; /* its output has the same name */
    const char *const *inputs;
    size_t input_count;
    struct attribute attributes[ATTRIBUTES_MAX]; /* to the first without a name */
};

/* The network's tensors are taken in the order of its table. */
struct walk {
    struct cxn_wire_out *o;
    const struct cxn_net_tensor *next;
    const struct cxn_quantized_part *part; /* that the next tensor is in; NULL: in float */
    uint32_t nodes;
    char value[NAME_BYTES]; /* what the last node made */
};

/* ---- messages ----------------------------------------------------------------------------- */

static void put_attribute(struct cxn_wire_out *o, const void *ctx)
{
    const struct attribute *a = ctx;
    cxn_wire_put_text(o, CXN_ATTRIBUTE_NAME, a->name);
    if (a->type == CXN_ATTRIBUTE_TYPE_FLOAT) cxn_wire_put_float(o, CXN_ATTRIBUTE_F, a->number);
    if (a->type == CXN_ATTRIBUTE_TYPE_INT) cxn_wire_put_int(o, CXN_ATTRIBUTE_I, a->ints[0]);
    for (size_t i = 0; a->type == CXN_ATTRIBUTE_TYPE_INTS && i < a->count; i++)
        cxn_wire_put_int(o, CXN_ATTRIBUTE_INTS, a->ints[i]);
    cxn_wire_put_int(o, CXN_ATTRIBUTE_TYPE, a->type);
}

static void put_node(struct cxn_wire_out *o, const void *ctx)
{
    const struct node *n = ctx;
    cxn_wire_item(o, n->name);
    for (size_t i = 0; i < n->input_count; i++)
        cxn_wire_put_text(o, CXN_NODE_INPUT, n->inputs[i]);
    cxn_wire_put_text(o, CXN_NODE_OUTPUT, n->name);
    cxn_wire_put_text(o, CXN_NODE_NAME, n->name);
    cxn_wire_put_text(o, CXN_NODE_OP_TYPE, n->op);
    for (size_t i = 0; i < ATTRIBUTES_MAX && n->attributes[i].name; i++)
        cxn_wire_put_message(o, CXN_NODE_ATTRIBUTE, put_attribute, &n->attributes[i]);
}

static struct attribute one_int(const char *name, int64_t value)
{
    return (struct attribute){ .name = name, .type = CXN_ATTRIBUTE_TYPE_INT, .ints = { value } };
}

/* `count` times the same. */
static struct attribute equal_ints(const char *name, int64_t value, size_t count)
{
    struct attribute a = { .name = name, .type = CXN_ATTRIBUTE_TYPE_INTS, .count = count };
    for (size_t i = 0; i < count; i++) a.ints[i] = value;
    return a;
}

/* A node beside the way from input to output. */
static void add_beside(struct walk *w, const struct node *n)
{
    cxn_wire_put_message(w->o, CXN_GRAPH_NODE, put_node, n);
    w->nodes++;
}

static void add(struct walk *w, const struct node *n)
{
    add_beside(w, n);
    snprintf(w->value, sizeof w->value, "%s", n->name);
}

/* ---- operations --------------------------------------------------------------------------- */

/* torchvision's name of the module that the next tensor belongs to. */
static void name_module(const struct walk *w, char name[NAME_BYTES])
{
    const char *dot = strrchr(w->next->name, '.');
    snprintf(name, NAME_BYTES, "%.*s", (int)(dot - w->next->name), w->next->name);
}

/* An operation on the last value alone, or on it and one other. */
static void add_plain(struct walk *w, const char *op, const char *name, const char *second)
{
    const char *const inputs[] = { w->value, second };
    add(w, &(struct node){ .op = op, .name = name, .inputs = inputs,
                           .input_count = second ? 2 : 1 });
}

static void add_conv_of(struct walk *w, const char *weight, const char *bias, int64_t stride)
{
    const struct cxn_net_tensor *t = w->next;
    const char *const inputs[] = { w->value, weight, bias };
    char name[NAME_BYTES];
    name_module(w, name);
    w->next++;
    add(w, &(struct node){ .op = "Conv", .name = name, .inputs = inputs,
                           .input_count = bias ? 3 : 2,
                           .attributes = { equal_ints("kernel_shape", t->dims[2], 2),
                                           equal_ints("pads", t->dims[2] / 2, 4),
                                           equal_ints("strides", stride, 2) } });
}

static void add_norm_relu(struct walk *w)
{
    const struct cxn_net_tensor *t = w->next;
    const char *const inputs[] = { w->value, t[0].name, t[1].name, t[2].name, t[3].name };
    char name[NAME_BYTES];
    name_module(w, name);
    const float epsilon = w->part ? 0.0f : (float)CXN_NET_EPSILON;
    w->next += 4;
    if (w->part) w->part++;
    add(w, &(struct node){ .op = "BatchNormalization", .name = name, .inputs = inputs,
                           .input_count = CXN_COUNTOF(inputs),
                           .attributes = { { .name = "epsilon",
                                             .type = CXN_ATTRIBUTE_TYPE_FLOAT,
                                             .number = epsilon } } });
    memcpy(strrchr(name, 'n'), "relu", 4); /* norm1, relu1: as torchvision has them */
    add_plain(w, "Relu", name, NULL);
}

static void add_pool(struct walk *w, const char *op, const char *name, int64_t side, int64_t pad)
{
    const char *const inputs[] = { w->value };
    add(w, &(struct node){ .op = op, .name = name, .inputs = inputs, .input_count = 1,
                           .attributes = { equal_ints("kernel_shape", side, 2),
                                           equal_ints("pads", pad, 4),
                                           equal_ints("strides", 2, 2) } });
}

/* ---- bytes -------------------------------------------------------------------------------- */

static const char quantized_end[] = ".quantized";

/* The last value as bytes, ReLU included: what is below 0 is 0. Nothing in float. */
static void add_quantize(struct walk *w)
{
    const char *const inputs[] = { w->value, CXN_ONNX_SCALE, CXN_ONNX_ZERO_POINT };
    char name[NAME_BYTES + sizeof quantized_end];
    if (!w->part) return;
    snprintf(name, sizeof name, "%s%s", w->value, quantized_end);
    add(w, &(struct node){ .op = "QuantizeLinear", .name = name, .inputs = inputs,
                           .input_count = CXN_COUNTOF(inputs) });
}

/* Those bytes as numbers. Nothing in float. */
static void add_dequantize(struct walk *w)
{
    static const char end[] = ".dequantized";
    const char *const inputs[] = { w->value, CXN_ONNX_SCALE, CXN_ONNX_ZERO_POINT };
    const size_t n = strlen(w->value), less = sizeof quantized_end - 1;
    const bool is_named = n > less && strcmp(w->value + n - less, quantized_end) == 0;
    char name[NAME_BYTES + sizeof end];
    if (!w->part) return;
    snprintf(name, sizeof name, "%.*s%s", (int)(is_named ? n - less : n), w->value, end);
    add(w, &(struct node){ .op = "DequantizeLinear", .name = name, .inputs = inputs,
                           .input_count = CXN_COUNTOF(inputs) });
}

static void add_requantize(struct walk *w)
{
    add_quantize(w);
    add_dequantize(w);
}

/* The weights MODULE.WEIGHT with MODULE.SCALE, a number for each output channel, as `name`. */
static void dequantize_weight(struct walk *w, const char *weight, const char *scale, char *name)
{
    char module[NAME_BYTES], from[2 * NAME_BYTES], of[2 * NAME_BYTES];
    const char *const inputs[] = { from, of };
    name_module(w, module);
    snprintf(from, sizeof from, "%s.%s", module, weight);
    snprintf(of, sizeof of, "%s.%s", module, scale);
    snprintf(name, 2 * NAME_BYTES, "%s.%s.dequantized", module, weight);
    add_beside(w, &(struct node){ .op = "DequantizeLinear", .name = name, .inputs = inputs,
                                  .input_count = CXN_COUNTOF(inputs),
                                  .attributes = { one_int("axis", 0) } });
}

/* Weights in two parts are their sum, which no runtime multiplies as bytes. */
static void dequantize_both(struct walk *w, char *name)
{
    char high[2 * NAME_BYTES], low[2 * NAME_BYTES], module[NAME_BYTES];
    const char *const inputs[] = { high, low };
    dequantize_weight(w, "weight_hi", "scale_hi", high);
    dequantize_weight(w, "weight_lo", "scale", low);
    name_module(w, module);
    snprintf(name, 2 * NAME_BYTES, "%s.weight.dequantized", module);
    add_beside(w, &(struct node){ .op = "Add", .name = name, .inputs = inputs,
                                  .input_count = CXN_COUNTOF(inputs) });
}

static void name_bias(const struct walk *w, char bias[2 * NAME_BYTES])
{
    char module[NAME_BYTES];
    name_module(w, module);
    snprintf(bias, 2 * NAME_BYTES, "%s.bias", module);
}

/* ---- network ------------------------------------------------------------------------------ */

static void add_preprocessing(struct walk *w)
{
    add_plain(w, "Div", "preprocessing.unit", CXN_ONNX_FULL_SCALE);
    add_plain(w, "Sub", "preprocessing.centred", CXN_ONNX_MEAN);
    add_plain(w, "Div", "preprocessing.normalised", CXN_ONNX_DEVIATION);
}

static void add_stem(struct walk *w)
{
    char bias[2 * NAME_BYTES];
    name_bias(w, bias);
    add_conv_of(w, w->next->name, w->part ? bias : NULL, 2);
    if (w->part) {
        w->next += 4; /* norm0 is in there */
        w->part += 2; /* grey and colour */
        add_quantize(w);
    } else {
        add_norm_relu(w);
    }
    add_pool(w, "MaxPool", "features.pool0", 3, 1);
}

static void add_conv(struct walk *w)
{
    char weight[2 * NAME_BYTES], bias[2 * NAME_BYTES];
    if (!w->part) {
        add_conv_of(w, w->next->name, NULL, 1);
        return;
    }
    if (w->part->low) dequantize_both(w, weight);
    else dequantize_weight(w, "weight", "scale", weight);
    name_bias(w, bias);
    add_conv_of(w, weight, bias, 1);
    w->part++;
}

/* Bytes of the maps before: norm, 1x1, norm, 3x3. */
static void add_layer(struct walk *w)
{
    add_dequantize(w);
    add_norm_relu(w);
    add_requantize(w);
    add_conv(w);
    if (w->part) {
        w->next += 4; /* norm2 is in there */
        add_requantize(w);
    } else {
        add_norm_relu(w);
    }
    add_conv(w);
    add_quantize(w);
}

static void concatenate(struct walk *w, const char *const *maps, size_t count, const char *name)
{
    add(w, &(struct node){ .op = "Concat", .name = name, .inputs = maps, .input_count = count,
                           .attributes = { one_int("axis", 1) } });
}

/* The maps that enter it and those of each layer; the last value is all of them. */
static void add_block(struct walk *w, uint32_t number, uint32_t layers)
{
    char maps[LAYERS_MAX + 1][NAME_BYTES], name[NAME_BYTES];
    const char *names[LAYERS_MAX + 1];
    snprintf(maps[0], NAME_BYTES, "%s", w->value);
    names[0] = maps[0];
    for (uint32_t i = 0; i < layers; i++) {
        snprintf(name, sizeof name, "features.denseblock%u.denselayer%u.concat", number, i + 1);
        if (i > 0) concatenate(w, names, i + 1, name);
        add_layer(w);
        snprintf(maps[i + 1], NAME_BYTES, "%s", w->value);
        names[i + 1] = maps[i + 1];
    }
    snprintf(name, sizeof name, "features.denseblock%u.concat", number);
    concatenate(w, names, layers + 1, name);
}

/* Bytes are pooled in front of the 1x1, which is the same but for rounding. Ties go up: of means of
 * four bytes an eighth more moves no other. */
static void add_transition(struct walk *w, uint32_t number)
{
    char name[NAME_BYTES], up[NAME_BYTES];
    snprintf(name, sizeof name, "features.transition%u.pool", number);
    snprintf(up, sizeof up, "features.transition%u.ties", number);
    add_dequantize(w);
    add_norm_relu(w);
    if (!w->part) add_conv(w);
    add_pool(w, "AveragePool", name, 2, 0);
    if (!w->part) return;
    add_plain(w, "Add", up, CXN_ONNX_TIE);
    add_requantize(w);
    add_conv(w);
    add_quantize(w);
}

static void add_head(struct walk *w)
{
    add_plain(w, "GlobalAveragePool", "features.pool5", NULL);
    add_plain(w, "Flatten", "features.flatten", NULL); /* axis 1, as by default */
    const char *const inputs[] = { w->value, w->next[0].name, w->next[1].name };
    add(w, &(struct node){ .op = "Gemm", .name = "classifier", .inputs = inputs, .input_count = 3,
                           .attributes = { one_int("transB", 1) } });
    add_plain(w, "Sigmoid", CXN_ONNX_OUTPUT, NULL);
}

uint32_t cxn_onnx_put_nodes(struct cxn_wire_out *o, const cxn_net *net,
                            const cxn_quantized *quantized, bool preprocessing)
{
    struct walk w = { .o = o, .next = net->tensors, .value = CXN_ONNX_INPUT,
                      .part = quantized ? quantized->parts : NULL };
    if (preprocessing) add_preprocessing(&w);
    add_stem(&w);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        add_block(&w, b + 1, net->config.layers[b]);
        if (b + 1 < CXN_NET_BLOCKS) add_transition(&w, b + 1);
    }
    add_dequantize(&w);
    add_norm_relu(&w);
    add_head(&w);
    return w.nodes;
}
