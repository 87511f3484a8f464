/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors (https://github.com/huggingface/safetensors): a length of eight bytes, so much JSON
 * that places each tensor in the bytes that follow, which they fill without gap or overlap. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_scan.h"
#include "model/safetensors.h"
#include "model/tensors.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_MAX_BYTES = CXN_SAFETENSORS_HEADER_MAX_BYTES,
    JSON_MAX_BYTES = 40 << 20
};

static const char metadata_key[] = "__metadata__";

/* Where a tensor's bytes lie behind the header. */
struct span {
    uint64_t begin, end;
    const char *name; /* the JSON's */
};

static enum cxn_status fail_tensor(const char *name, const char *what, struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_FORMAT, "safetensors: tensor '%.200s': %s", name, what);
}

static bool take_integer(const json_t *v, uint64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0) return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool take_shape(const json_t *v, struct cxn_tensor *t)
{
    const size_t rank = json_array_size(v);
    if (!json_is_array(v) || rank > CXN_TENSOR_RANK_MAX) return false;
    for (size_t i = 0; i < rank; i++)
        if (!take_integer(json_array_get(v, i), &t->dims[i])) return false;
    t->rank = (uint32_t)rank;
    return true;
}

static enum cxn_status take_tensor(const char *name, const json_t *v, struct cxn_tensor *t,
                                   struct span *span, struct cxn_error *err)
{
    const json_t *dtype = json_object_get(v, "dtype"), *shape = json_object_get(v, "shape");
    const json_t *offsets = json_object_get(v, "data_offsets");
    *t = (struct cxn_tensor){ .record = CXN_RECORD_NONE };
    if (json_object_size(v) != 3 || !json_is_string(dtype) || !shape || !offsets)
        return fail_tensor(name, "expected dtype, shape and data_offsets, and nothing else", err);
    if (!cxn_dtype_find(json_string_value(dtype), &t->dtype))
        return cxn_fail(err, CXN_E_FORMAT, "safetensors: tensor '%.200s': unknown dtype '%.50s'",
                        name, json_string_value(dtype));
    if (!take_shape(shape, t))
        return fail_tensor(name, "shape is not up to 8 integers >= 0", err);
    if (json_array_size(offsets) != 2 || !take_integer(json_array_get(offsets, 0), &span->begin) ||
        !take_integer(json_array_get(offsets, 1), &span->end) || span->begin > span->end)
        return fail_tensor(name, "data_offsets are not two rising integers >= 0", err);
    span->name = name;
    if (!cxn_tensor_count(t)) return fail_tensor(name, "its size does not fit 64 bits", err);
    if (span->end - span->begin != t->count * cxn_dtype_bytes(t->dtype))
        return fail_tensor(name, "data_offsets do not fit shape and dtype", err);
    cxn_tensor_strides(t);
    return CXN_OK;
}

static enum cxn_status take_metadata(struct cxn_tensors *list, json_t *metadata,
                                     struct cxn_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return cxn_fail(err, CXN_E_FORMAT, "safetensors: __metadata__ is not an object");
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return cxn_fail(err, CXN_E_FORMAT, "safetensors: __metadata__ '%.200s' is not a string",
                            key);
        const enum cxn_status status =
            cxn_tensors_add_pair(list, key, json_string_value(value), err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->begin != y->begin) return x->begin > y->begin ? 1 : -1;
    return (x->end > y->end) - (x->end < y->end); /* empty ones first */
}

/* The spans fill the data from its first byte to its last, each byte once. */
static enum cxn_status check_tiling(struct span *spans, size_t n, uint64_t data_bytes,
                                    struct cxn_error *err)
{
    uint64_t at = 0;
    qsort(spans, n, sizeof *spans, compare_spans);
    for (size_t i = 0; i < n; i++) {
        if (spans[i].begin != at)
            return cxn_fail(err, CXN_E_FORMAT,
                            "safetensors: tensor '%.200s' begins at byte %llu of the data, %s",
                            spans[i].name, (unsigned long long)spans[i].begin,
                            spans[i].begin > at ? "behind a hole" : "within another tensor");
        at = spans[i].end;
    }
    if (at == data_bytes) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "safetensors: the tensors take %llu bytes, the file has %llu"
                                       " for them",
                    (unsigned long long)at, (unsigned long long)data_bytes);
}

static enum cxn_status take_all(struct cxn_tensors *list, json_t *root, uint64_t data_at,
                                struct span *spans, struct cxn_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value) {
        struct cxn_tensor t;
        enum cxn_status status;
        if (strcmp(name, metadata_key) == 0) {
            status = take_metadata(list, value, err);
        } else {
            struct span *span = &spans[list->count];
            status = take_tensor(name, value, &t, span, err);
            t.offset_bytes = data_at + span->begin;
            if (status == CXN_OK) status = cxn_tensors_add(list, &t, name, strlen(name), err);
        }
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

static enum cxn_status take_root(struct cxn_tensors *list, json_t *root, uint64_t data_at,
                                 uint64_t data_bytes, struct cxn_error *err)
{
    const size_t n = json_object_size(root);
    if (n > CXN_TENSORS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "safetensors: %zu tensors, at most %d", n,
                        CXN_TENSORS_MAX);
    struct span *spans = cxn_alloc_zero(list->mem, n, sizeof *spans);
    if (!spans) return cxn_fail_nomem(err, list->mem, n * sizeof *spans, "places of tensors");
    enum cxn_status status = take_all(list, root, data_at, spans, err);
    if (status == CXN_OK) status = check_tiling(spans, list->count, data_bytes, err);
    cxn_free(spans);
    return status;
}

/* jansson allocates by itself; what it may take was estimated, and counts in the budget. */
static enum cxn_status parse(struct cxn_tensors *list, const char *text, size_t size,
                             uint64_t data_bytes, struct cxn_error *err)
{
    size_t memory_bytes = 0;
    json_error_t why;
    enum cxn_status status = cxn_json_scan(text, size, &memory_bytes, err);
    if (status != CXN_OK) return status;
    if (memory_bytes > JSON_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "safetensors: the header needs about %zu bytes of memory,"
                                          " at most %d", memory_bytes, JSON_MAX_BYTES);
    if (!cxn_mem_take(list->mem, memory_bytes))
        return cxn_fail_nomem(err, list->mem, memory_bytes, "the header's JSON");
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (root) status = take_root(list, root, LENGTH_BYTES + size, data_bytes, err);
    else if (json_error_code(&why) == json_error_out_of_memory)
        status = cxn_fail_nomem(err, list->mem, memory_bytes, "the header's JSON");
    else
        status = cxn_fail(err, CXN_E_FORMAT, "safetensors: header, byte %d: %s", why.position,
                          why.text);
    json_decref(root);
    cxn_mem_give(list->mem, memory_bytes);
    return status;
}

enum cxn_status cxn_safetensors_read(struct cxn_tensors *list, const struct cxn_source *source,
                                     struct cxn_error *err)
{
    uint64_t size = 0;
    list->format = "safetensors";
    enum cxn_status status = cxn_source_read(source, 0, &size, LENGTH_BYTES, err);
    if (status != CXN_OK) return status;
    const uint64_t left = source->size_bytes - LENGTH_BYTES;
    if (size > left)
        return cxn_fail(err, CXN_E_FORMAT, "safetensors: a header of %llu bytes in a file of %llu",
                        (unsigned long long)size, (unsigned long long)source->size_bytes);
    if (size > HEADER_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "safetensors: a header of %llu bytes, at most %d",
                        (unsigned long long)size, HEADER_MAX_BYTES);
    char *text = cxn_alloc(list->mem, (size_t)size, 1);
    if (!text) return cxn_fail_nomem(err, list->mem, (size_t)size, "the header");
    status = cxn_source_read(source, LENGTH_BYTES, text, (size_t)size, err);
    if (status == CXN_OK) status = parse(list, text, (size_t)size, left - size, err);
    cxn_free(text);
    return status;
}
