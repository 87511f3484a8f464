/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_TENSORS_H
#define CXN_MODEL_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/dtype.h"
#include "model/source.h"

/*
 * What every reader of weights produces: a list of named tensors and where their bytes lie. The
 * list owns all its text; nothing of the file's own structures is kept. All places are checked
 * against the size of the file, so that reading a tensor can fail only by I/O, memory or checksum.
 */

enum {
    CXN_TENSORS_MAX = 32768,      /* tensors in one file; DenseNet-121 has 727 */
    CXN_TENSOR_RANK_MAX = 8,
    CXN_TENSOR_NAME_MAX = 512,    /* bytes */
    CXN_TENSOR_SHAPE_BYTES = 192, /* room for cxn_shape_text() */
    CXN_RECORD_NONE = -1,
};

struct cxn_tensor {
    uint32_t name_at; /* cxn_tensors_name() */
    enum cxn_dtype dtype;
    uint32_t rank;   /* 0..CXN_TENSOR_RANK_MAX */
    int32_t record;  /* whose checksum covers it, or CXN_RECORD_NONE */
    uint64_t count;  /* product of dims */
    uint64_t offset_bytes; /* of element [0]...[0], in the source */
    uint64_t dims[CXN_TENSOR_RANK_MAX];
    uint64_t strides[CXN_TENSOR_RANK_MAX]; /* in elements; all places lie in the source */
};

/* A piece of the file with a checksum. */
struct cxn_record {
    uint64_t offset_bytes, size_bytes;
    uint32_t crc32;
    bool checked;
};

struct cxn_pair {
    uint32_t key_at, value_at;
};

/* Zeroed but for mem is an empty one. */
struct cxn_tensors {
    struct cxn_mem *mem;
    const char *format; /* "safetensors", "pth (zip)", "pth (legacy)"; static storage */
    struct cxn_tensor *items;
    size_t count, capacity;
    struct cxn_record *records;
    size_t record_count;
    struct cxn_pair *pairs; /* metadata */
    size_t pair_count, pair_capacity;
    char *text; /* names, keys and values, each with a NUL */
    size_t text_size, text_capacity;
};

/*
 * Read the list of tensors of a weights file, told apart by content: safetensors, or PyTorch's .pth
 * in its zip or its legacy form. CXN_E_FORMAT, CXN_E_LIMIT, CXN_E_IO or CXN_E_NOMEM; the texts do
 * not name the file. Close the list also after an error.
 */
enum cxn_status cxn_tensors_open(struct cxn_tensors *list, struct cxn_mem *mem,
                                 const struct cxn_source *source, struct cxn_error *err);
void cxn_tensors_close(struct cxn_tensors *list);

const char *cxn_tensors_name(const struct cxn_tensors *list, size_t i);
const char *cxn_tensors_text(const struct cxn_tensors *list, uint32_t at);

/* Add one, as a reader: t->name_at and t->count are filled in. Names are not empty, at most
 * CXN_TENSOR_NAME_MAX bytes, without NUL. */
enum cxn_status cxn_tensors_add(struct cxn_tensors *list, const struct cxn_tensor *t,
                                const char *name, size_t name_size, struct cxn_error *err);
enum cxn_status cxn_tensors_add_pair(struct cxn_tensors *list, const char *key, const char *value,
                                     struct cxn_error *err);

/* CXN_E_FORMAT that names a tensor which is there twice. */
enum cxn_status cxn_tensors_check_unique(const struct cxn_tensors *list, struct cxn_error *err);

/* Row-major strides of dims. */
void cxn_tensor_strides(struct cxn_tensor *t);

/* Product of dims into t->count; false when it, or its size in bytes, does not fit. */
bool cxn_tensor_count(struct cxn_tensor *t);

/*
 * The values of tensor i as float32 in row-major order. Checks the checksum of its record once.
 * Needs scratch memory only where the file's order or type differs. CXN_E_FORMAT for a type that is
 * not a float one, a tensor that does not fill its place densely, or a wrong checksum.
 */
enum cxn_status cxn_tensors_read_f32(struct cxn_tensors *list, const struct cxn_source *source,
                                     size_t i, float *dst, struct cxn_error *err);

/* "[64][3][7][7]", "scalar" for rank 0; returns buffer. */
const char *cxn_shape_text(char buffer[CXN_TENSOR_SHAPE_BYTES], const uint64_t *dims,
                           uint32_t rank);

/* The readers, which cxn_tensors_open() (read.c) chooses from. */
enum cxn_status cxn_safetensors_read(struct cxn_tensors *list, const struct cxn_source *source,
                                     struct cxn_error *err);
enum cxn_status cxn_pth_zip_read(struct cxn_tensors *list, const struct cxn_source *source,
                                 struct cxn_error *err);
enum cxn_status cxn_pth_legacy_read(struct cxn_tensors *list, const struct cxn_source *source,
                                    struct cxn_error *err);

/* The first bytes of a legacy .pth: a pickle of the number 0x1950a86a20f9469cfc6c. */
enum { CXN_PTH_MAGIC_BYTES = 15 };
extern const uint8_t cxn_pth_magic[CXN_PTH_MAGIC_BYTES];

#endif
