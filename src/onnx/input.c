/* SPDX-License-Identifier: Apache-2.0 */
/* The type of a graph's one input. */
#include "onnx/model.h"
#include "onnx/proto.h"

enum { RANK = CXN_ONNX_INPUT_RANK };

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

static enum cxn_status read_shape(struct cxn_wire w, int64_t dims[RANK], size_t *rank,
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
        if (*rank < RANK) dims[*rank] = dim;
        (*rank)++;
    }
    return status;
}

static enum cxn_status read_tensor_type(const struct cxn_onnx_model *m, struct cxn_wire w,
                                        int64_t dims[RANK], struct cxn_error *err)
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
            if (status == CXN_OK) status = read_shape(inner, dims, &rank, err);
        }
        if (status != CXN_OK) return status;
    }
    if (status != CXN_OK) return status;
    for (size_t i = 0; i < RANK; i++)
        if (dims[i] < 0) rank = 0;
    const bool grey_or_colour = dims[1] == 0 || dims[1] == 1 || dims[1] == 3;
    if (rank == RANK && grey_or_colour &&
        (type == CXN_ONNX_FLOAT || type == CXN_ONNX_FLOAT16))
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "onnx: input '%.200s' is not of type float or float16, "
                    "[batch][3 or, where the graph normalises, 1][height][width]",
                    cxn_names_text(&m->names, m->input));
}

/* ValueInfoProto.type.tensor_type */
enum cxn_status cxn_onnx_input_dims(struct cxn_onnx_model *m, int64_t dims[RANK],
                                    struct cxn_error *err)
{
    const struct cxn_onnx_value *v = &m->values[m->input];
    static const uint32_t path[] = { CXN_VALUE_TYPE, CXN_TYPE_TENSOR };
    struct cxn_wire w = { .window = &m->window, .name = "ValueInfoProto", .at = v->at,
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
    return read_tensor_type(m, w, dims, err);
}
