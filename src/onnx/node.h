/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_NODE_H
#define CXN_ONNX_NODE_H

#include "onnx/model.h"
#include "onnx/proto.h"

enum {
    CXN_NODES_MAX = 16384, /* DenseNet-121 has about 430, and as many copies of small tensors */
    CXN_NODE_INPUTS_MAX = 128,
    CXN_NODE_ATTRIBUTES_MAX = 16,
    CXN_NODE_OP_BYTES = 64,
    CXN_NODE_NONE = -1, /* an optional input that is left out */
};

struct cxn_node_attribute {
    char name[32];
    enum cxn_onnx_attribute_type type;
    float number;
    int64_t integer;
    int64_t ints[CXN_ONNX_INTS_MAX];
    size_t int_count;
    char text[32];
    uint64_t tensor_at, tensor_bytes;
    bool used; /* somebody asked for it */
};

/* A node whose one output is new. */
struct cxn_node {
    size_t number; /* in the file */
    char name[CXN_ONNX_NAME_BYTES], op[CXN_NODE_OP_BYTES];
    int64_t inputs[CXN_NODE_INPUTS_MAX]; /* values, or CXN_NODE_NONE */
    size_t input_count;
    uint32_t output; /* value */
    size_t output_count;
    struct cxn_node_attribute attributes[CXN_NODE_ATTRIBUTES_MAX];
    size_t attribute_count;
};

/* Read a NodeProto. The inputs must have been made before: no cycle, nothing undefined. */
enum cxn_status cxn_node_read(struct cxn_node *node, struct cxn_onnx_model *m, struct cxn_wire w,
                              size_t number, struct cxn_error *err);

/* CXN_E_FORMAT: the node, then why. */
enum cxn_status cxn_node_fail(const struct cxn_node *node, struct cxn_error *err, const char *fmt,
                              ...) __attribute__((format(printf, 3, 4)));

/* Attributes, each by its name: what they must be where they are there. CXN_E_FORMAT else. */
enum { CXN_REQUIRED = 0, CXN_OPTIONAL = 1 };
enum cxn_status cxn_node_want_ints(struct cxn_node *node, const char *name, int64_t each,
                                   size_t count, int optional, struct cxn_error *err);
enum cxn_status cxn_node_want_int(struct cxn_node *node, const char *name, int64_t value,
                                  int optional, struct cxn_error *err);
enum cxn_status cxn_node_want_float(struct cxn_node *node, const char *name, float value,
                                    struct cxn_error *err);
/* 0 or 1; *flag stays where it is not there. */
enum cxn_status cxn_node_read_flag(struct cxn_node *node, const char *name, bool *flag,
                                   struct cxn_error *err);
enum cxn_status cxn_node_want_text(struct cxn_node *node, const char *name, const char *text,
                                   struct cxn_error *err);

/* The attribute of that name, which counts as used; NULL: there is none. */
struct cxn_node_attribute *cxn_node_find(struct cxn_node *node, const char *name);

/* CXN_E_FORMAT for an attribute that nobody asked for. */
enum cxn_status cxn_node_check_used(const struct cxn_node *node, struct cxn_error *err);

#endif
