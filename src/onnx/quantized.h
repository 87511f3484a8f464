/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_QUANTIZED_H
#define CXN_ONNX_QUANTIZED_H

#include "base/env.h"
#include "onnx/model.h"
#include "quant/quantized_file.h"

/*
 * Quantised models as export writes them, and no others: from its tensors and metadata a model is
 * taken back to what the safetensors file held, which is read as that file is; then the graph must
 * be what export writes of it, byte for byte. Untrusted input.
 */

/* Whether the metadata say that it is one. */
bool cxn_onnx_is_quantized(const struct cxn_onnx_model *m);

/* Zeroed is a closed one. Not to be moved while open. */
struct cxn_onnx_quantized {
    struct cxn_tensors list; /* the safetensors file's, of bytes */
    uint8_t *bytes;
    struct cxn_source source;
    struct cxn_quantized_file file;
};

/* What cxn_quantized_read() returns; CXN_E_FORMAT names the first tensor or metadata that is not of
 * a model, or where the graph differs. env: what the probe is drawn with. Close in either case. */
enum cxn_status cxn_onnx_quantized_open(struct cxn_onnx_quantized *q, struct cxn_onnx_model *m,
                                        const cxn_fold *fold, const struct cxn_env *env,
                                        struct cxn_error *err);
void cxn_onnx_quantized_close(struct cxn_onnx_quantized *q);

#endif
