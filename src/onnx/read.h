/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_READ_H
#define CXN_ONNX_READ_H

#include "base/hash.h"
#include "model/weights.h"
#include "onnx/match.h"

/*
 * Weights from an ONNX model: a DenseNet-121 as PyTorch's exporters and this room's own writer
 * leave it, folded or not. docs/formats.md says what is taken. Untrusted input: limits in
 * docs/untrusted-files.md.
 */

/* Whether a file that begins with these bytes is a ModelProto and can be none of the other forms
 * of weights. n: as many as there are, 8 are enough. */
bool cxn_onnx_is(const uint8_t *head, size_t n);

/* The same of a file. CXN_E_IO. */
enum cxn_status cxn_onnx_file_is(const char *path, bool *is_onnx, struct cxn_error *err);

/* Zeroed is a closed one. Not to be moved while open. */
struct cxn_onnx_file {
    const char *path; /* borrowed */
    struct cxn_file file;
    struct cxn_source source;
    struct cxn_onnx_model model;
    bool open;
};

/* Read all but nodes and values. Texts name the file. Close in either case. */
enum cxn_status cxn_onnx_file_open(struct cxn_onnx_file *f, struct cxn_mem *mem, const char *path,
                                   struct cxn_error *err);
void cxn_onnx_file_close(struct cxn_onnx_file *f);

/* The head that a graph must have: the net's, or, to begin training with, one of any number of
 * classes, which is then left out as cxn_weights_load_start() does it. */
enum cxn_onnx_head { CXN_ONNX_HEAD_SAME, CXN_ONNX_HEAD_ANY };

/*
 * The weights of the net: CXN_E_FORMAT names the first node that does not fit, or the first value
 * that is not finite. Peak memory: the block, one tensor, and what docs/untrusted-files.md bounds.
 *
 * block   out: net->float_count floats, to be freed with cxn_free(); NULL on error
 * report  out
 */
enum cxn_status cxn_onnx_load(struct cxn_onnx_model *m, const cxn_net *net,
                              enum cxn_onnx_head head, float **block,
                              struct cxn_weights_report *report, struct cxn_error *err);

/* The second half of that, from what cxn_onnx_match() found. */
enum cxn_status cxn_onnx_fill_block(struct cxn_onnx_model *m, const struct cxn_onnx_match *match,
                                    const cxn_net *net, float **block, struct cxn_error *err);

/* The same of a file: texts name it, and a head that is left out is told to env->log. */
enum cxn_status cxn_onnx_file_load(const struct cxn_env *env, struct cxn_onnx_file *f,
                                   const cxn_net *net, enum cxn_onnx_head head, float **block,
                                   struct cxn_weights_report *report, struct cxn_error *err);

/* SHA-256 of what the weights were read from: the file's; where it has external data, that of the
 * digits so far and the data file's behind them, for each in the order in which the model names
 * them. CXN_E_IO. */
enum cxn_status cxn_onnx_file_sha256(struct cxn_onnx_file *f, char hex[CXN_SHA256_HEX_BYTES],
                                     struct cxn_error *err);

/* The source that a model of ours tells; false for any other, and name and sha256 of no use. */
enum { CXN_ONNX_SOURCE_NAME_BYTES = 256 };
bool cxn_onnx_find_source(const struct cxn_onnx_model *m, char name[CXN_ONNX_SOURCE_NAME_BYTES],
                          char sha256[CXN_SHA256_HEX_BYTES]);

#endif
