/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/write.h"

#include <stdio.h>
#include <string.h>

#include "data/list.h"
#include "kern/window_f32.h"
#include "onnx/about.h"
#include "onnx/proto.h"
#include "onnx/write_graph.h"

/* ---- parameters --------------------------------------------------------------------------- */

struct parameter {
    const char *name;
    uint32_t rank;
    const uint32_t *dims;
    const float *values;
    size_t count;
};

static void put_tensor(struct cxn_wire_out *o, const void *ctx)
{
    const struct parameter *p = ctx;
    for (uint32_t i = 0; i < p->rank; i++) cxn_wire_put_int(o, CXN_TENSOR_DIMS, p->dims[i]);
    cxn_wire_put_int(o, CXN_TENSOR_DATA_TYPE, CXN_ONNX_FLOAT);
    cxn_wire_put_text(o, CXN_TENSOR_NAME, p->name);
    cxn_wire_put_bytes(o, CXN_TENSOR_RAW_DATA, p->values, p->count * sizeof *p->values);
}

static void put_preprocessing(struct cxn_wire_out *o)
{
    static const uint32_t dims[] = { 1, 3, 1, 1 };
    static const float full_scale = 255.0f;
    const struct parameter all[] = {
        { .name = CXN_ONNX_FULL_SCALE, .values = &full_scale, .count = 1 },
        { CXN_ONNX_MEAN, 4, dims, cxn_window_mean, 3 },
        { CXN_ONNX_DEVIATION, 4, dims, cxn_window_deviation, 3 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(all); i++)
        cxn_wire_put_message(o, CXN_GRAPH_INITIALIZER, put_tensor, &all[i]);
}

static void put_parameters(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    if (c->preprocessing) put_preprocessing(o);
    for (size_t i = 0; i < c->net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &c->net->tensors[i];
        const struct parameter p = { t->name, t->rank, t->dims, c->block + t->offset, t->count };
        cxn_wire_put_message(o, CXN_GRAPH_INITIALIZER, put_tensor, &p);
    }
}

/* ---- input and output --------------------------------------------------------------------- */

/* A number, or a name for any. */
struct dim {
    const char *name;
    int64_t value;
};

struct shape {
    const char *name;
    struct dim dims[4];
    size_t rank;
};

static void put_dim(struct cxn_wire_out *o, const void *ctx)
{
    const struct dim *d = ctx;
    if (d->name) cxn_wire_put_text(o, CXN_DIM_PARAM, d->name);
    else cxn_wire_put_int(o, CXN_DIM_VALUE, d->value);
}

static void put_dims(struct cxn_wire_out *o, const void *ctx)
{
    const struct shape *s = ctx;
    for (size_t i = 0; i < s->rank; i++)
        cxn_wire_put_message(o, CXN_SHAPE_DIM, put_dim, &s->dims[i]);
}

static void put_tensor_type(struct cxn_wire_out *o, const void *ctx)
{
    cxn_wire_put_int(o, CXN_TENSOR_TYPE_ELEM, CXN_ONNX_FLOAT);
    cxn_wire_put_message(o, CXN_TENSOR_TYPE_SHAPE, put_dims, ctx);
}

static void put_type(struct cxn_wire_out *o, const void *ctx)
{
    cxn_wire_put_message(o, CXN_TYPE_TENSOR, put_tensor_type, ctx);
}

static void put_value(struct cxn_wire_out *o, const void *ctx)
{
    const struct shape *s = ctx;
    cxn_wire_put_text(o, CXN_VALUE_NAME, s->name);
    cxn_wire_put_message(o, CXN_VALUE_TYPE, put_type, s);
}

static void put_ends(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    const struct dim batch = { c->batch > 0 ? NULL : "batch", c->batch };
    /* One channel or three: a grey picture becomes three channels where the mean is taken off. */
    const struct dim channels = { c->preprocessing ? "channels" : NULL, 3 };
    const struct dim side = { NULL, CXN_ONNX_SIDE }, classes = { NULL, c->net->config.classes };
    const struct shape input = { CXN_ONNX_INPUT, { batch, channels, side, side }, 4 };
    const struct shape output = { CXN_ONNX_OUTPUT, { batch, classes }, 2 };
    cxn_wire_put_message(o, CXN_GRAPH_INPUT, put_value, &input);
    cxn_wire_put_message(o, CXN_GRAPH_OUTPUT, put_value, &output);
}

/* ---- model -------------------------------------------------------------------------------- */

static void put_graph(struct cxn_wire_out *o, const void *ctx)
{
    const struct cxn_onnx_content *c = ctx;
    cxn_onnx_put_nodes(o, c->net, c->preprocessing);
    cxn_wire_put_text(o, CXN_GRAPH_NAME, "DenseNet");
    put_parameters(o, c);
    put_ends(o, c);
}

static void put_opset(struct cxn_wire_out *o, const void *ctx)
{
    (void)ctx;
    cxn_wire_put_text(o, CXN_OPSET_DOMAIN, "");
    cxn_wire_put_int(o, CXN_OPSET_VERSION, CXN_ONNX_OPSET);
}

struct pair {
    const char *key, *value;
};

static void put_pair(struct cxn_wire_out *o, const void *ctx)
{
    const struct pair *p = ctx;
    cxn_wire_put_text(o, CXN_ENTRY_KEY, p->key);
    cxn_wire_put_text(o, CXN_ENTRY_VALUE, p->value);
}

static void put_metadata(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    char classes[CXN_FINDING_COUNT * 24];
    size_t at = 0;
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        at += (size_t)snprintf(classes + at, sizeof classes - at, "%s%s", i > 0 ? "," : "",
                               cxn_finding_names[i]);
    const struct pair pairs[] = {
        { "classes", classes },
        { "preprocessing",
          c->preprocessing ? CXN_ONNX_TAKES_SAMPLES : CXN_ONNX_TAKES_NORMALISED },
        { CXN_ONNX_SOURCE_NAME, c->source_name },
        { CXN_ONNX_SOURCE_SHA256, c->source_sha256 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(pairs); i++)
        cxn_wire_put_message(o, CXN_MODEL_METADATA_PROPS, put_pair, &pairs[i]);
}

static void put_model(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    cxn_wire_put_int(o, CXN_MODEL_IR_VERSION, CXN_ONNX_IR_VERSION);
    cxn_wire_put_text(o, CXN_MODEL_PRODUCER_NAME, CXN_ONNX_PRODUCER);
    cxn_wire_put_text(o, CXN_MODEL_PRODUCER_VERSION, c->version);
    cxn_wire_put_text(o, CXN_MODEL_DOC_STRING, CXN_ONNX_DOC);
    cxn_wire_put_message(o, CXN_MODEL_GRAPH, put_graph, c);
    cxn_wire_put_message(o, CXN_MODEL_OPSET_IMPORT, put_opset, NULL);
    put_metadata(o, c);
}

enum cxn_status cxn_onnx_write(const char *path, const struct cxn_onnx_content *content,
                               struct cxn_onnx_written *written, struct cxn_error *err)
{
    struct cxn_wire_out o = { 0 }, count = { 0 };
    enum cxn_status status = cxn_out_open(&o.out, path, err);
    if (status != CXN_OK) return status;
    put_model(&o, content);
    *written = (struct cxn_onnx_written){
        .bytes = o.bytes, .nodes = cxn_onnx_put_nodes(&count, content->net, content->preprocessing)
    };
    return cxn_out_commit(&o.out, err);
}
