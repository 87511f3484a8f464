/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_ONNX_CASE_H
#define CXN_TESTS_ONNX_CASE_H

#include "onnx/proto.h"
#include "onnx/read.h"
#include "weights_case.h"

/* ---- messages put together by hand -------------------------------------------------------- */

void pb_varint(struct case_bytes *b, uint64_t v);
void pb_int(struct case_bytes *b, uint32_t field, int64_t v);
void pb_bytes(struct case_bytes *b, uint32_t field, const void *data, size_t n);
void pb_text(struct case_bytes *b, uint32_t field, const char *text);
/* A message within, which is freed. */
void pb_message(struct case_bytes *b, uint32_t field, struct case_bytes inner);

/* A TensorProto of zeros, without its values where count is 0. */
struct case_bytes onnx_tensor(const char *name, const int64_t *dims, size_t rank, size_t count);

/* A NodeProto with attributes to be added. Inputs end with NULL. */
struct case_bytes onnx_node(const char *op, const char *const *inputs, const char *output);
void onnx_add_ints(struct case_bytes *node, const char *name, const int64_t *values, size_t count);

/* A GraphProto of case_tiny's input `x`, output `y` and first parameters: "w" of the convolution,
 * "c" of its channels. */
struct case_bytes onnx_graph(void);

/* The ModelProto of a graph, which is freed. */
struct case_bytes onnx_model(struct case_bytes graph);

/* ---- reading ------------------------------------------------------------------------------ */

/* The weights of net from memory, where they end with an allocation. *block is NULL on error. */
enum cxn_status onnx_load_bytes(const void *data, size_t size, const cxn_net *net,
                                struct cxn_mem *mem, float **block, struct cxn_error *err);

/* Reading ends so, in a second, in less than 64 MiB and without a leak; frees the file. */
void onnx_expect(struct case_bytes file, enum cxn_status status, const char *text);

#endif
