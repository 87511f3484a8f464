/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WRITE_GRAPH_H
#define CXN_ONNX_WRITE_GRAPH_H

#include "nn/densenet.h"
#include "onnx/wire_write.h"
#include "quant/quantized.h"

/* Names of the graph's own values. */
#define CXN_ONNX_INPUT "input"
#define CXN_ONNX_OUTPUT "probabilities"
#define CXN_ONNX_FULL_SCALE "preprocessing.full_scale"
#define CXN_ONNX_MEAN "preprocessing.mean"
#define CXN_ONNX_DEVIATION "preprocessing.deviation"
#define CXN_ONNX_SCALE "quantization.scale"
#define CXN_ONNX_ZERO_POINT "quantization.zero_point"
#define CXN_ONNX_TIE "quantization.tie"

/* All nodes as fields of a GraphProto, in the order in which they run; how many they are. The
 * parameters they name are the net's tensors, and the first three above where there is
 * preprocessing. quantized: NULL for a graph in float; else those of quantized_tensors.h, and the
 * last three above. */
uint32_t cxn_onnx_put_nodes(struct cxn_wire_out *o, const cxn_net *net,
                            const cxn_quantized *quantized, bool preprocessing);

#endif
