/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_STEPS_H
#define CXN_ONNX_STEPS_H

#include "onnx/match.h"
#include "onnx/node.h"

/* A graph on its way through the network: match.c goes from node to node, steps*.c know what each
 * operator may be. */
struct cxn_onnx_steps {
    struct cxn_onnx_model *m;
    const cxn_net *net;
    struct cxn_onnx_match *match;
    struct cxn_node node; /* the one at hand */
    int64_t dims[CXN_ONNX_INPUT_RANK]; /* of the input; 0: any */
};

/* What a node makes of its inputs. */
typedef enum cxn_status cxn_step_fn(struct cxn_onnx_steps *s, struct cxn_onnx_value *out,
                                    struct cxn_error *err);

/* Convolutions, norms, pools, and what the network is made of (steps.c). */
cxn_step_fn cxn_step_conv, cxn_step_norm, cxn_step_mul, cxn_step_add, cxn_step_relu;
cxn_step_fn cxn_step_concat, cxn_step_max_pool, cxn_step_average_pool;
/* What stands in front of it, behind it and between (steps_ends.c). */
cxn_step_fn cxn_step_div, cxn_step_sub, cxn_step_global_pool, cxn_step_reduce_mean;
cxn_step_fn cxn_step_flatten, cxn_step_reshape, cxn_step_squeeze, cxn_step_gemm, cxn_step_matmul;
cxn_step_fn cxn_step_sigmoid, cxn_step_identity, cxn_step_cast, cxn_step_constant;

/* Input i; NULL: there is none, or it is of the other kind. */
const struct cxn_onnx_value *cxn_step_maps(const struct cxn_onnx_steps *s, size_t i);
const struct cxn_tensor *cxn_step_tensor(const struct cxn_onnx_steps *s, size_t i);

/* The node has `least` to `most` inputs. */
enum cxn_status cxn_step_check_inputs(const struct cxn_onnx_steps *s, size_t least, size_t most,
                                      struct cxn_error *err);

/* The node does not follow on what it has as its first input. */
enum cxn_status cxn_step_fail(const struct cxn_onnx_steps *s, struct cxn_error *err);

/* Fill tensor t of the net, once. */
enum cxn_status cxn_step_fill(struct cxn_onnx_steps *s, uint32_t t, enum cxn_fill_kind kind,
                              uint32_t tensor, struct cxn_error *err);

/* The same with input i, which must have its shape. */
enum cxn_status cxn_step_fill_input(struct cxn_onnx_steps *s, uint32_t t, size_t i,
                                    struct cxn_error *err);

/* Whether the value is what the head pools. */
bool cxn_step_is_last(const struct cxn_onnx_steps *s, const struct cxn_onnx_value *v);

/* The bias of a head that was a product (cxn_step_add()). */
enum cxn_status cxn_step_add_bias(struct cxn_onnx_steps *s, size_t product, size_t bias,
                                  struct cxn_onnx_value *out, struct cxn_error *err);

#endif
