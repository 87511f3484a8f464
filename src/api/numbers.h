/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_NUMBERS_H
#define CXN_API_NUMBERS_H

#include "fuse/optimized.h"
#include "model/weights.h"
#include "nn/engine.h"
#include "onnx/quantized.h"
#include "onnx/read.h"
#include "quant/quantized_file.h"

/* The numbers of a model file, whichever kind it is: weights as trained, an optimised file, which
 * is read as an engine asks for it, or a quantised one; an ONNX model is of the first kind or the
 * last. */
struct cxn_numbers {
    struct cxn_engine_source source; /* for engines to be opened with while this is open */
    const char *path;                /* borrowed */
    struct cxn_weights_file file;    /* closed for an ONNX model */
    struct cxn_onnx_file onnx;       /* closed for any other */
    float *block;                      /* NULL but for weights as trained */
    const struct cxn_derived *derived; /* of one of the two files below; NULL: weights as trained */
    const struct cxn_engine *only;     /* that it is for; NULL: weights as trained */
    cxn_fold *fold;
    struct cxn_optimized optimized;
    struct cxn_fold_source folded;
    struct cxn_quantized_file *quantized; /* one of the next two; NULL: not quantised */
    struct cxn_quantized_file quantized_file;
    struct cxn_onnx_quantized onnx_quantized;
};

/* net outlives it. Texts name the file. Close in either case; not to be moved while open. */
enum cxn_status cxn_numbers_open(struct cxn_numbers *n, const struct cxn_env *env,
                                 const cxn_net *net, const char *path, struct cxn_error *err);
/* CXN_E_FORMAT for an optimised or quantised file; else block is there. */
enum cxn_status cxn_numbers_want_trained(const struct cxn_numbers *n, struct cxn_error *err);
/* Both: CXN_E_FORMAT for an optimised or quantised file: block is there. */
enum cxn_status cxn_numbers_open_trained(struct cxn_numbers *n, const struct cxn_env *env,
                                         const cxn_net *net, const char *path,
                                         struct cxn_error *err);
void cxn_numbers_close(struct cxn_numbers *n);

/* SHA-256 of the file, with an ONNX model's external data. CXN_E_IO. */
enum cxn_status cxn_numbers_sha256(struct cxn_numbers *n, char hex[CXN_SHA256_HEX_BYTES],
                                   struct cxn_error *err);

/* The weights of a file to begin training with, as cxn_weights_load_start() and from ONNX models
 * too. */
enum cxn_status cxn_numbers_load_start(const struct cxn_env *env, const char *path,
                                       const cxn_net *net, float **block,
                                       struct cxn_weights_report *report, struct cxn_error *err);

/* *engine: the row that the mode names on this CPU, as cxn_engine_choose() left it; an optimised or
 * quantised file has its own for "auto". CXN_E_ARG for a mode that the numbers are not for. */
enum cxn_status cxn_numbers_choose(const struct cxn_numbers *n, const char *mode,
                                   const struct cxn_engine **engine, struct cxn_error *err);

#endif
