/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_QUANTIZED_PAIRS_H
#define CXN_ONNX_QUANTIZED_PAIRS_H

#include "onnx/wire_write.h"
#include "quant/quantized_file.h"

/*
 * Metadata of a quantised graph: those of the safetensors file, but for `preprocessing`, and what
 * of its tensors the graph has no use for, the bytes as lower-case hex digits under the tensor's
 * name: both stems and the probe's answers. Its picture is drawn anew: of it there is the SHA-256.
 */

#define CXN_ONNX_PROBE_SHA256 "probe.picture_sha256"

/* One pair of the model's. */
void cxn_onnx_put_pair(struct cxn_wire_out *o, const struct cxn_out_pair *pair);

/* All of them but classes, preprocessing and source, which every model has. */
void cxn_onnx_put_quantized_pairs(struct cxn_wire_out *o,
                                  const struct cxn_quantized_content *content,
                                  const char *put_back);

/* The tensors among them: both stems' arrays, then the probe's reference and answers. */
enum { CXN_PAIR_REFERENCE = 8, CXN_PAIR_ANSWERS, CXN_PAIR_SLOTS };
struct cxn_slot cxn_onnx_pair_slot(const cxn_fold *fold, size_t i);

/* Whether the key is the name of one. */
bool cxn_onnx_is_pair_slot(const cxn_fold *fold, const char *key);

/* CXN_E_FORMAT where the picture is not the one that is drawn. */
enum cxn_status cxn_onnx_check_probe(const struct cxn_env *env, const struct cxn_probe *probe,
                                     struct cxn_error *err);

/* The SHA-256 of its picture. */
void cxn_onnx_probe_sha256(const struct cxn_probe *probe, char hex[CXN_SHA256_HEX_BYTES]);

#endif
