/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_MODEL_H
#define CXN_ONNX_MODEL_H

#include "base/file.h"
#include "model/tensors.h"
#include "onnx/names.h"
#include "onnx/wire.h"

/* What this room's readers share: a model whose message was gone through once, with its tensors,
 * its ends and the place of its nodes. */

enum {
    CXN_ONNX_NAME_BYTES = CXN_TENSOR_NAME_MAX + 1,
    CXN_ONNX_INTS_MAX = 8, /* of a small tensor of integers, or an attribute */
    CXN_ONNX_LOCATIONS_MAX = 1024, /* files of external data */
    CXN_ONNX_OPSET_MIN = 11,
    CXN_ONNX_OPSET_MAX = 23,
    CXN_ONNX_INPUT_RANK = 4,
};

/* Beside each item of the list. */
struct cxn_onnx_tensor {
    uint32_t location; /* number + 1 of the file its bytes lie in; 0: the model's own */
    bool has_ints;     /* a row of up to CXN_ONNX_INTS_MAX integers, which are kept: */
    size_t int_count;
    int64_t ints[CXN_ONNX_INTS_MAX];
};

enum cxn_onnx_kind { CXN_ONNX_UNKNOWN, CXN_ONNX_TENSOR, CXN_ONNX_MAPS };

/* How far into the network a value lies (match.c). */
enum cxn_onnx_stage {
    CXN_STAGE_INPUT,
    CXN_STAGE_UNIT,       /* samples / 255 */
    CXN_STAGE_CENTRED,    /* less the mean */
    CXN_STAGE_NORMALISED, /* divided by the deviation */
    CXN_STAGE_CONV,       /* its norm is to come, or was folded into it */
    CXN_STAGE_SCALED,     /* half of a norm that is written as product and sum */
    CXN_STAGE_NORM,
    CXN_STAGE_RELU,
    CXN_STAGE_MAPS, /* of a dense block */
    CXN_STAGE_TRANSITION, /* its convolution; pooling is to come */
    CXN_STAGE_POOLED,     /* [batch][channels][1][1] */
    CXN_STAGE_FLAT,       /* [batch][channels] */
    CXN_STAGE_PRODUCT,    /* the head without its bias */
    CXN_STAGE_LOGITS,
    CXN_STAGE_PROBABILITIES,
};

/* What a name of the graph stands for. */
struct cxn_onnx_value {
    enum cxn_onnx_kind kind;
    bool is_input;       /* listed as one; so are initialisers before IR version 4 */
    uint64_t at, bytes;  /* of its ValueInfo, of an input */
    uint32_t tensor;     /* CXN_ONNX_TENSOR: number in the list */
    enum cxn_onnx_stage stage; /* CXN_ONNX_MAPS, this and the rest */
    uint32_t next;             /* tensor of the net that is to come */
    uint32_t block;            /* dense block, 0..3 */
    uint32_t from, to;         /* its maps number from to to - 1: what entered it is 0 */
};

struct cxn_onnx_model {
    struct cxn_mem *mem;
    const struct cxn_source *source; /* borrowed */
    struct cxn_wire_window window;
    struct cxn_tensors list; /* initialisers, and constants as the nodes are gone through */
    struct cxn_onnx_tensor *tensors; /* [list.capacity] */
    size_t tensor_capacity;
    struct cxn_onnx_names names;
    struct cxn_onnx_value *values; /* [names.count] */
    size_t value_count, value_capacity;
    struct cxn_onnx_names locations;
    struct cxn_onnx_names keys; /* of the metadata, numbered as the list's pairs */
    struct cxn_file external; /* the file opened last */
    uint32_t external_location; /* its number + 1; 0: none */
    int64_t ir_version, opset;
    bool is_ours; /* the producer's name is */
    uint64_t graph_at, graph_bytes;
    uint32_t input, output; /* names */
    bool has_output;
};

/* Go through the message and its graph, but for the nodes. Close the model in either case. */
enum cxn_status cxn_onnx_model_read(struct cxn_onnx_model *m, struct cxn_mem *mem,
                                    const struct cxn_source *source, struct cxn_error *err);
void cxn_onnx_model_close(struct cxn_onnx_model *m);

/* The shape of the input, of floats; 0: any. */
enum cxn_status cxn_onnx_input_dims(struct cxn_onnx_model *m, int64_t dims[CXN_ONNX_INPUT_RANK],
                                    struct cxn_error *err);

/* The value of a name, made where there is none. Moves when another name comes. */
enum cxn_status cxn_onnx_value_of(struct cxn_onnx_model *m, const char *name, uint32_t *number,
                                  struct cxn_error *err);

/* Read a StringStringEntryProto; what it does not say is "". */
enum cxn_status cxn_onnx_entry_read(struct cxn_wire w, char *key, size_t key_room, char *value,
                                    size_t value_room, struct cxn_error *err);

/* Read a TensorProto and add it to the list. name: NULL where it must have one of its own. */
enum cxn_status cxn_onnx_tensor_read(struct cxn_onnx_model *m, struct cxn_wire w,
                                     const char *name, uint32_t *tensor, struct cxn_error *err);

/* The file that a tensor's bytes lie in, as a source that is good until the next call; file is
 * behind it. */
enum cxn_status cxn_onnx_tensor_source(struct cxn_onnx_model *m, uint32_t location,
                                       struct cxn_source *source, struct cxn_error *err);

#endif
