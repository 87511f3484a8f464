/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/write.h"

#include <stdio.h>
#include <string.h>

#include "data/list.h"
#include "kern/window_f32.h"
#include "onnx/about.h"
#include "onnx/proto.h"
#include "onnx/quantized_pairs.h"
#include "onnx/quantized_tensors.h"
#include "onnx/write_graph.h"
#include "quant/quantized_form.h"

/* ---- parameters --------------------------------------------------------------------------- */

struct parameter {
    const char *name;
    enum cxn_onnx_data_type type;
    uint32_t rank;
    const uint32_t *dims;
    const void *values;
    size_t bytes;
};

static void put_tensor(struct cxn_wire_out *o, const void *ctx)
{
    const struct parameter *p = ctx;
    cxn_wire_item(o, p->name);
    for (uint32_t i = 0; i < p->rank; i++) cxn_wire_put_int(o, CXN_TENSOR_DIMS, p->dims[i]);
    cxn_wire_put_int(o, CXN_TENSOR_DATA_TYPE, p->type);
    cxn_wire_put_text(o, CXN_TENSOR_NAME, p->name);
    cxn_wire_put_bytes(o, CXN_TENSOR_RAW_DATA, p->values, p->bytes);
}

static void put_all(struct cxn_wire_out *o, const struct parameter *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cxn_wire_put_message(o, CXN_GRAPH_INITIALIZER, put_tensor, &all[i]);
}

static void put_preprocessing(struct cxn_wire_out *o)
{
    static const uint32_t dims[] = { 1, 3, 1, 1 };
    static const float full_scale = 255.0f;
    const struct parameter all[] = {
        { CXN_ONNX_FULL_SCALE, CXN_ONNX_FLOAT, 0, NULL, &full_scale, sizeof full_scale },
        { CXN_ONNX_MEAN, CXN_ONNX_FLOAT, 4, dims, cxn_window_mean, sizeof cxn_window_mean },
        { CXN_ONNX_DEVIATION, CXN_ONNX_FLOAT, 4, dims, cxn_window_deviation,
          sizeof cxn_window_deviation },
    };
    put_all(o, all, CXN_COUNTOF(all));
}

static void put_trained(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    for (size_t i = 0; i < c->net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &c->net->tensors[i];
        const struct parameter p = { t->name, CXN_ONNX_FLOAT, t->rank, t->dims,
                                     c->block + t->offset, t->count * sizeof *c->block };
        put_all(o, &p, 1);
    }
}

/* ---- parameters of a quantised graph ------------------------------------------------------ */

struct quantized_tensor {
    const cxn_quantized *quantized;
    size_t part;
    const struct cxn_onnx_initializer *initializer;
};

/* Values are made a piece at a time, and only where they are written. */
static void put_quantized_tensor(struct cxn_wire_out *o, const void *ctx)
{
    const struct quantized_tensor *q = ctx;
    const struct cxn_onnx_initializer *t = q->initializer;
    const size_t each = cxn_dtype_bytes(t->slot.dtype);
    float piece[1024];
    cxn_wire_item(o, t->slot.name);
    for (uint32_t i = 0; i < t->slot.rank; i++)
        cxn_wire_put_int(o, CXN_TENSOR_DIMS, (int64_t)t->slot.dims[i]);
    cxn_wire_put_int(o, CXN_TENSOR_DATA_TYPE,
                     t->slot.dtype == CXN_DTYPE_I8 ? CXN_ONNX_INT8 : CXN_ONNX_FLOAT);
    cxn_wire_put_text(o, CXN_TENSOR_NAME, t->slot.name);
    cxn_wire_put_length(o, CXN_TENSOR_RAW_DATA, t->count * each);
    if (!o->out && !o->same) o->bytes += t->count * each;
    for (size_t at = 0, now; (o->out || o->same) && at < t->count; at += now) {
        now = t->count - at < sizeof piece / each ? t->count - at : sizeof piece / each;
        cxn_onnx_initializer_fill(t, q->quantized, q->part, at, now, piece);
        cxn_wire_put_part(o, piece, now * each);
    }
}

static void put_grid(struct cxn_wire_out *o)
{
    static const float scale = 1.0f, eighth = 0.125f;
    static const uint8_t zero_point = 0;
    const struct parameter all[] = {
        { CXN_ONNX_SCALE, CXN_ONNX_FLOAT, 0, NULL, &scale, sizeof scale },
        { CXN_ONNX_ZERO_POINT, CXN_ONNX_UINT8, 0, NULL, &zero_point, sizeof zero_point },
        { CXN_ONNX_TIE, CXN_ONNX_FLOAT, 0, NULL, &eighth, sizeof eighth },
    };
    put_all(o, all, CXN_COUNTOF(all));
}

static void put_quantized(struct cxn_wire_out *o, const cxn_quantized *q)
{
    put_grid(o);
    for (size_t i = 0; i < q->fold->count; i++) {
        struct cxn_onnx_initializer list[CXN_INITIALIZERS_MAX];
        const size_t n =
            cxn_onnx_initializers(&q->fold->parts[i], q->parts[i].low != NULL, list);
        for (size_t k = 0; k < n; k++) {
            const struct quantized_tensor t = { q, i, &list[k] };
            cxn_wire_put_message(o, CXN_GRAPH_INITIALIZER, put_quantized_tensor, &t);
        }
    }
}

static void put_parameters(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    if (c->preprocessing) put_preprocessing(o);
    if (c->quantized) put_quantized(o, c->quantized->quantized);
    else put_trained(o, c);
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
    cxn_wire_item(o, s->name);
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

static uint32_t put_nodes(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    const cxn_quantized *quantized = c->quantized ? c->quantized->quantized : NULL;
    return cxn_onnx_put_nodes(o, c->net, quantized, c->preprocessing);
}

static void put_graph(struct cxn_wire_out *o, const void *ctx)
{
    const struct cxn_onnx_content *c = ctx;
    put_nodes(o, c);
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

static void put_metadata(struct cxn_wire_out *o, const struct cxn_onnx_content *c)
{
    char classes[CXN_FINDING_COUNT * 24];
    size_t at = 0;
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        at += (size_t)snprintf(classes + at, sizeof classes - at, "%s%s", i > 0 ? "," : "",
                               cxn_finding_names[i]);
    const struct cxn_out_pair pairs[] = {
        { "classes", classes },
        { CXN_ONNX_PREPROCESSING,
          c->preprocessing ? CXN_ONNX_TAKES_SAMPLES : CXN_ONNX_TAKES_NORMALISED },
        { CXN_ONNX_SOURCE_NAME, c->source_name },
        { CXN_ONNX_SOURCE_SHA256, c->source_sha256 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(pairs); i++) cxn_onnx_put_pair(o, &pairs[i]);
}

/* put_back: of a quantised network, the layers that were. */
static void put_model(struct cxn_wire_out *o, const struct cxn_onnx_content *c,
                      const char *put_back)
{
    cxn_wire_put_int(o, CXN_MODEL_IR_VERSION, CXN_ONNX_IR_VERSION);
    cxn_wire_put_text(o, CXN_MODEL_PRODUCER_NAME, CXN_ONNX_PRODUCER);
    cxn_wire_put_text(o, CXN_MODEL_PRODUCER_VERSION, c->version);
    cxn_wire_put_text(o, CXN_MODEL_DOC_STRING, CXN_ONNX_DOC);
    cxn_wire_put_message(o, CXN_MODEL_GRAPH, put_graph, c);
    cxn_wire_put_message(o, CXN_MODEL_OPSET_IMPORT, put_opset, NULL);
    put_metadata(o, c);
    if (c->quantized) cxn_onnx_put_quantized_pairs(o, c->quantized, put_back);
}

static enum cxn_status write_file(const char *path, const struct cxn_onnx_content *content,
                                  const char *put_back, struct cxn_onnx_written *written,
                                  struct cxn_error *err)
{
    struct cxn_wire_out o = { 0 }, count = { 0 };
    enum cxn_status status = cxn_out_open(&o.out, path, err);
    if (status != CXN_OK) return status;
    put_model(&o, content, put_back);
    *written = (struct cxn_onnx_written){ .bytes = o.bytes, .nodes = put_nodes(&count, content) };
    return cxn_out_commit(&o.out, err);
}

enum cxn_status cxn_onnx_write(const struct cxn_env *env, const char *path,
                               const struct cxn_onnx_content *content,
                               struct cxn_onnx_written *written, struct cxn_error *err)
{
    char *put_back;
    if (!content->quantized) return write_file(path, content, NULL, written, err);
    enum cxn_status status = cxn_onnx_check_quantized(content->quantized->quantized, err);
    if (status == CXN_OK) status = cxn_onnx_check_probe(env, content->quantized->probe, err);
    if (status == CXN_OK)
        status = cxn_quantized_put_back(content->quantized->quantized, env->mem, &put_back, err);
    if (status != CXN_OK) return status;
    status = write_file(path, content, put_back, written, err);
    cxn_free(put_back);
    return status;
}

enum cxn_status cxn_onnx_graph_is(const struct cxn_onnx_content *content,
                                  const struct cxn_source *source, uint64_t offset, uint64_t n,
                                  struct cxn_error *err)
{
    struct cxn_wire_same same = { .source = source, .at = offset, .item = "GraphProto",
                                  .err = err };
    struct cxn_wire_out o = { .same = &same };
    put_graph(&o, content);
    if (same.status != CXN_OK || (!same.differs && o.bytes == n)) return same.status;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: byte %llu, in or behind '%s', is not what export "
                                       "writes", (unsigned long long)same.at, same.item);
}
