/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_PROTO_H
#define CXN_ONNX_PROTO_H

/*
 * ONNX's messages (onnx/onnx.proto): numbers of those fields that are read or written. The name of
 * each enum is the message's.
 */

/* How a field's value is written in protobuf; groups, 3 and 4, are refused. */
enum cxn_wire_type {
    CXN_WIRE_VARINT = 0,
    CXN_WIRE_FIXED64 = 1,
    CXN_WIRE_LENGTH = 2,
    CXN_WIRE_FIXED32 = 5,
};

enum cxn_onnx_model_field {
    CXN_MODEL_IR_VERSION = 1,
    CXN_MODEL_PRODUCER_NAME = 2,
    CXN_MODEL_PRODUCER_VERSION = 3,
    CXN_MODEL_DOC_STRING = 6,
    CXN_MODEL_GRAPH = 7,
    CXN_MODEL_OPSET_IMPORT = 8,
    CXN_MODEL_METADATA_PROPS = 14,
    CXN_MODEL_TRAINING_INFO = 20,
    CXN_MODEL_FUNCTIONS = 25,
};

enum cxn_onnx_opset_field { CXN_OPSET_DOMAIN = 1, CXN_OPSET_VERSION = 2 };

enum cxn_onnx_entry_field { CXN_ENTRY_KEY = 1, CXN_ENTRY_VALUE = 2 };

enum cxn_onnx_graph_field {
    CXN_GRAPH_NODE = 1,
    CXN_GRAPH_NAME = 2,
    CXN_GRAPH_INITIALIZER = 5,
    CXN_GRAPH_INPUT = 11,
    CXN_GRAPH_OUTPUT = 12,
    CXN_GRAPH_SPARSE_INITIALIZER = 15,
};

enum cxn_onnx_node_field {
    CXN_NODE_INPUT = 1,
    CXN_NODE_OUTPUT = 2,
    CXN_NODE_NAME = 3,
    CXN_NODE_OP_TYPE = 4,
    CXN_NODE_ATTRIBUTE = 5,
    CXN_NODE_DOMAIN = 7,
};

enum cxn_onnx_attribute_field {
    CXN_ATTRIBUTE_NAME = 1,
    CXN_ATTRIBUTE_F = 2,
    CXN_ATTRIBUTE_I = 3,
    CXN_ATTRIBUTE_S = 4,
    CXN_ATTRIBUTE_T = 5,
    CXN_ATTRIBUTE_INTS = 8,
    CXN_ATTRIBUTE_DOC_STRING = 13,
    CXN_ATTRIBUTE_TYPE = 20,
};

/* AttributeProto.AttributeType */
enum cxn_onnx_attribute_type {
    CXN_ATTRIBUTE_TYPE_FLOAT = 1,
    CXN_ATTRIBUTE_TYPE_INT = 2,
    CXN_ATTRIBUTE_TYPE_STRING = 3,
    CXN_ATTRIBUTE_TYPE_TENSOR = 4,
    CXN_ATTRIBUTE_TYPE_INTS = 7,
};

enum cxn_onnx_tensor_field {
    CXN_TENSOR_DIMS = 1,
    CXN_TENSOR_DATA_TYPE = 2,
    CXN_TENSOR_SEGMENT = 3,
    CXN_TENSOR_FLOAT_DATA = 4,
    CXN_TENSOR_INT32_DATA = 5,
    CXN_TENSOR_STRING_DATA = 6,
    CXN_TENSOR_INT64_DATA = 7,
    CXN_TENSOR_NAME = 8,
    CXN_TENSOR_RAW_DATA = 9,
    CXN_TENSOR_DOUBLE_DATA = 10,
    CXN_TENSOR_UINT64_DATA = 11,
    CXN_TENSOR_EXTERNAL_DATA = 13,
    CXN_TENSOR_DATA_LOCATION = 14,
};

/* TensorProto.DataType, those that a tensor may have. */
enum cxn_onnx_data_type {
    CXN_ONNX_FLOAT = 1,
    CXN_ONNX_UINT8 = 2,
    CXN_ONNX_INT8 = 3,
    CXN_ONNX_UINT16 = 4,
    CXN_ONNX_INT16 = 5,
    CXN_ONNX_INT32 = 6,
    CXN_ONNX_INT64 = 7,
    CXN_ONNX_BOOL = 9,
    CXN_ONNX_FLOAT16 = 10,
    CXN_ONNX_DOUBLE = 11,
    CXN_ONNX_UINT32 = 12,
    CXN_ONNX_UINT64 = 13,
    CXN_ONNX_BFLOAT16 = 16,
};

enum cxn_onnx_value_field { CXN_VALUE_NAME = 1, CXN_VALUE_TYPE = 2 };
enum cxn_onnx_type_field { CXN_TYPE_TENSOR = 1 };
enum cxn_onnx_tensor_type_field { CXN_TENSOR_TYPE_ELEM = 1, CXN_TENSOR_TYPE_SHAPE = 2 };
enum cxn_onnx_shape_field { CXN_SHAPE_DIM = 1 };
enum cxn_onnx_dim_field { CXN_DIM_VALUE = 1, CXN_DIM_PARAM = 2 };

#endif
