/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_MATCH_H
#define CXN_ONNX_MATCH_H

#include "nn/densenet.h"
#include "onnx/model.h"

/*
 * Which tensors of a graph are which of a network, told by how the nodes hang together and never
 * by a name: from the input on, every node must be the next step of a DenseNet, and is refused
 * where it is not. A norm that an exporter folded into the convolution before it, or wrote as
 * product and sum, becomes one that does the same.
 */

enum cxn_fill_kind {
    CXN_FILL_NONE,
    CXN_FILL_TENSOR,
    CXN_FILL_TURNED,        /* the tensor has rows and columns exchanged */
    CXN_FILL_ZERO,
    CXN_FILL_ONE,
    CXN_FILL_UNIT_VARIANCE, /* makes a norm's deviation 1 */
};

/* Where the numbers of a tensor of the net come from. */
struct cxn_onnx_fill {
    enum cxn_fill_kind kind;
    uint32_t tensor; /* of the model's list */
};

struct cxn_onnx_match {
    struct cxn_onnx_fill *fills; /* [net->tensor_count] */
    bool any_head;         /* set before: a head of another number of classes is left out */
    uint64_t head_classes; /* of that, else 0 */
};

/* Zero the match before, but for any_head. CXN_OK: every tensor of the net has its numbers.
 * CXN_E_FORMAT names the first node that does not fit. Close in either case. */
enum cxn_status cxn_onnx_match(struct cxn_onnx_match *match, struct cxn_onnx_model *m,
                               const cxn_net *net, struct cxn_error *err);
void cxn_onnx_match_close(struct cxn_onnx_match *match);

#endif
