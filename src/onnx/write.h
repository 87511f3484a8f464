/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WRITE_H
#define CXN_ONNX_WRITE_H

#include "base/env.h"
#include "base/file.h"
#include "nn/densenet.h"
#include "quant/quantized_file.h"

enum {
    CXN_ONNX_IR_VERSION = 8,
    CXN_ONNX_OPSET = 17,
    CXN_ONNX_SIDE = 224,
    CXN_ONNX_BATCH_MAX = 1024, /* pictures a call */
};

/* What is to be written; borrowed. */
struct cxn_onnx_content {
    const cxn_net *net;
    const float *block; /* net->float_count floats, finite; or NULL and */
    const struct cxn_quantized_content *quantized; /* as cxn_quantized_write() takes it */
    uint32_t batch;     /* pictures a call, at most CXN_ONNX_BATCH_MAX; 0: any number */
    bool preprocessing; /* the graph takes samples of 0 to 255 */
    const char *version; /* of the library */
    const char *source_name, *source_sha256;
};

struct cxn_onnx_written {
    uint64_t bytes;
    uint32_t nodes;
};

/*
 * Write the network as an ONNX model: docs/formats.md has its form. Complete or not at all; memory
 * does not grow with the network. The same content gives the same bytes.
 *
 * CXN_OK, CXN_E_IO or CXN_E_NOMEM; CXN_E_FORMAT for a quantised model with numbers that a graph
 * cannot have, or a probe that is not this version's.
 */
enum cxn_status cxn_onnx_write(const struct cxn_env *env, const char *path,
                               const struct cxn_onnx_content *content,
                               struct cxn_onnx_written *written, struct cxn_error *err);

/* CXN_OK where the graph of the content, quantised, is these n bytes from offset. CXN_E_FORMAT
 * names what is not. */
enum cxn_status cxn_onnx_graph_is(const struct cxn_onnx_content *content,
                                  const struct cxn_source *source, uint64_t offset, uint64_t n,
                                  struct cxn_error *err);

#endif
