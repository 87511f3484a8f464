/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_SAFETENSORS_H
#define CXN_MODEL_SAFETENSORS_H

#include "base/env.h"
#include "model/dtype.h"
#include "model/tensors.h"

/* A tensor to be written, row-major. Borrowed for the call. data: NULL where read() gives it. */
struct cxn_out_tensor {
    const char *name;
    enum cxn_dtype dtype;
    uint32_t rank; /* 0..CXN_TENSOR_RANK_MAX */
    uint64_t dims[CXN_TENSOR_RANK_MAX];
    const void *data;
};

struct cxn_out_pair {
    const char *key, *value;
};

struct cxn_safetensors_content {
    const struct cxn_out_tensor *tensors;
    size_t tensor_count;
    const struct cxn_out_pair *metadata;
    size_t metadata_count;
    /* Fills in tensor number i when its turn comes, so that not all need be in memory at once; what
     * it returns ends the writing. May be NULL where every tensor has its data. */
    enum cxn_status (*read)(void *ctx, size_t i, void *data, struct cxn_error *err);
    void *read_ctx;
};

/*
 * Write a safetensors file, complete or not at all. The same content gives the same bytes: metadata
 * in the order given, tensors with larger elements first and else in the order given, so that all
 * are aligned to their element; the header padded with spaces to a multiple of 8 bytes.
 *
 * CXN_OK; CXN_E_ARG: a name or key that is twice, empty, too long or not UTF-8; CXN_E_LIMIT: more
 * than the reader would take back; CXN_E_IO; CXN_E_NOMEM; what content->read() returns.
 */
enum cxn_status cxn_safetensors_write(const struct cxn_env *env, const char *path,
                                      const struct cxn_safetensors_content *content,
                                      struct cxn_error *err);

enum { CXN_SAFETENSORS_HEADER_MAX_BYTES = 4 << 20 };

#endif
