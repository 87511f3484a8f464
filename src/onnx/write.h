/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WRITE_H
#define CXN_ONNX_WRITE_H

#include "base/file.h"
#include "nn/densenet.h"

enum { CXN_ONNX_IR_VERSION = 8, CXN_ONNX_OPSET = 17, CXN_ONNX_SIDE = 224 };

/* What is to be written; borrowed. */
struct cxn_onnx_content {
    const cxn_net *net;
    const float *block; /* net->float_count floats, finite */
    uint32_t batch;     /* pictures a call; 0: any number */
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
 * CXN_OK, CXN_E_IO or CXN_E_NOMEM.
 */
enum cxn_status cxn_onnx_write(const char *path, const struct cxn_onnx_content *content,
                               struct cxn_onnx_written *written, struct cxn_error *err);

#endif
