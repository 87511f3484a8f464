/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ONNX: a model for other runtimes. Models that those programs wrote are read by cxn_model_open(),
 * as all weights are.
 */
#ifndef CHEXNET_ONNX_H
#define CHEXNET_ONNX_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Pictures a call of a model with a fixed number of them, at most. */
#define CXN_EXPORT_BATCH_MAX 1024

struct cxn_export_options {
    uint32_t batch;             /**< pictures a call, 1..CXN_EXPORT_BATCH_MAX; 0: any number */
    int32_t with_preprocessing; /**< not 0: the model takes samples of 0 to 255, grey or colour, and
                                     normalises them itself */
};

/** What was written. */
struct cxn_export_result {
    uint64_t bytes;         /**< of the file */
    uint32_t nodes;         /**< of the graph */
    uint32_t opset;         /**< version of ONNX's operators */
    int32_t quantized;      /**< 1: of a quantised model, in 8 bits; 0: in float32 */
    char source_sha256[65]; /**< of the weights' file, 64 lower-case hex digits; docs/formats.md
                                 says what it is where an ONNX model has external data */
};

/**
 * Write weights as an ONNX model in float32, or a quantised model as one in 8 bits, with
 * QuantizeLinear and DequantizeLinear: input `input` [batch][3][224][224], normalised, or with
 * preprocessing [batch][1 or 3][224][224]; output `probabilities` [batch][14], after the sigmoid,
 * in the order of cxn_finding_name(). docs/formats.md has the whole form.
 *
 * @param path     weights or a quantised model as cxn_model_open() takes them, but not an optimised
 *                 model
 * @param options  NULL: any number of pictures, normalised by the caller
 * @param out      the file; it appears under its name only when complete
 * @param result   out: written on success alone; may be NULL
 * @return CXN_OK
 *         CXN_E_ARG     options out of range
 *         CXN_E_IO      a file cannot be read or written
 *         CXN_E_FORMAT  not such weights
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *
 * The same weights and options give the same bytes. A model written here that is exported again
 * keeps what it tells of its source, so it too gives the same bytes.
 */
CXN_API enum cxn_status cxn_export_onnx(cxn_context *ctx, const char *path,
                                        const struct cxn_export_options *options, const char *out,
                                        struct cxn_export_result *result, struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
