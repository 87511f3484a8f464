/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_PICKLE_H
#define CXN_MODEL_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/dtype.h"
#include "model/tensors.h"

/*
 * A restricted reader of Python pickles, protocol 2, as far as torch.save writes them: numbers,
 * strings, tuples, lists, dicts, storages and tensors. Names of classes and functions come from a
 * fixed table; nothing is ever called. All values lie in a few growing arrays and refer to each
 * other by number, so that neither depth nor cycles can hurt, and freeing is a few calls.
 */

enum cxn_pickle_kind {
    CXN_PICKLE_NONE,
    CXN_PICKLE_BOOL,
    CXN_PICKLE_INT,
    CXN_PICKLE_FLOAT,
    CXN_PICKLE_TEXT,
    CXN_PICKLE_TUPLE,
    CXN_PICKLE_LIST,
    CXN_PICKLE_DICT,    /* items are key, value, key, value, ... */
    CXN_PICKLE_GLOBAL,  /* a name of the fixed table */
    CXN_PICKLE_STORAGE,
    CXN_PICKLE_TENSOR,
    CXN_PICKLE_OPAQUE,  /* something known to be harmless whose value nobody needs */
};

struct cxn_pickle_items {
    uint32_t first, last; /* links, CXN_PICKLE_END when empty */
};

struct cxn_pickle_text {
    uint32_t at, size; /* in the pickle's bytes */
};

struct cxn_pickle_value {
    uint8_t kind;
    uint8_t depth;  /* of containers within it */
    uint32_t count; /* items of a container */
    union {
        int64_t number; /* INT; BOOL 0 or 1 */
        double real;
        struct cxn_pickle_text text;
        struct cxn_pickle_items items;
        uint32_t index; /* of the global, storage or tensor */
    } as;
};

struct cxn_pickle_link {
    uint32_t value, next;
};

/* ("storage", FloatStorage, key, location, numel): the location is ignored, all becomes CPU. */
struct cxn_pickle_storage {
    struct cxn_pickle_text key;
    enum cxn_dtype dtype;
    uint64_t count; /* elements */
};

struct cxn_pickle_tensor {
    uint32_t storage, rank;
    uint64_t offset; /* elements */
    uint64_t dims[CXN_TENSOR_RANK_MAX], strides[CXN_TENSOR_RANK_MAX];
};

#define CXN_PICKLE_END UINT32_MAX

struct cxn_pickle {
    struct cxn_mem *mem;
    const uint8_t *bytes; /* borrowed: values refer to it */
    size_t end;           /* position behind STOP */
    uint32_t root;
    struct cxn_pickle_value *values;
    struct cxn_pickle_link *links;
    struct cxn_pickle_storage *storages;
    struct cxn_pickle_tensor *tensors;
    size_t value_count, value_capacity;
    size_t link_count, link_capacity;
    size_t storage_count, storage_capacity;
    size_t tensor_count, tensor_capacity;
};

enum { CXN_PICKLE_MAX_BYTES = 8 << 20 };

/*
 * Read the pickle that begins at byte `start` of bytes (size at most CXN_PICKLE_MAX_BYTES) up to
 * its STOP. CXN_E_FORMAT with the byte and what is wrong there, CXN_E_LIMIT, CXN_E_NOMEM. Close
 * also after an error. Every tensor lies within its storage's stated size.
 */
enum cxn_status cxn_pickle_open(struct cxn_pickle *p, struct cxn_mem *mem, const uint8_t *bytes,
                                size_t size, size_t start, struct cxn_error *err);
void cxn_pickle_close(struct cxn_pickle *p);

/* Walk the items of a container: start with its items.first; CXN_PICKLE_END ends. */
static inline const struct cxn_pickle_value *cxn_pickle_at(const struct cxn_pickle *p,
                                                           uint32_t link, uint32_t *next)
{
    *next = p->links[link].next;
    return &p->values[p->links[link].value];
}

/* The value under a text key of a dict, NULL when it is absent; CXN_E_FORMAT when the key is there
 * twice. */
enum cxn_status cxn_pickle_find(const struct cxn_pickle *p, const struct cxn_pickle_value *dict,
                                const char *key, const struct cxn_pickle_value **value,
                                struct cxn_error *err);

#endif
