/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_dump.h"
#include "base/utf8.h"
#include "model/safetensors.h"

enum { ALIGN_BYTES = 8, ELEMENT_MAX_BYTES = 8 };

static uint64_t tensor_bytes(const struct cxn_out_tensor *t)
{
    uint64_t bytes = cxn_dtype_bytes(t->dtype);
    for (uint32_t i = 0; i < t->rank; i++) bytes *= t->dims[i];
    return bytes;
}

/* The next tensor to be written behind number i of elements of `bytes`; both are moved on. Start
 * with tensor_count and 2 * ELEMENT_MAX_BYTES; false at the end. */
static bool next_tensor(const struct cxn_safetensors_content *c, size_t *i, size_t *bytes)
{
    for (;;) {
        if (*i >= c->tensor_count) {
            *bytes /= 2;
            *i = 0;
        } else {
            (*i)++;
        }
        if (*bytes == 0) return false;
        while (*i < c->tensor_count && cxn_dtype_bytes(c->tensors[*i].dtype) != *bytes) (*i)++;
        if (*i < c->tensor_count) return true;
    }
}

static bool is_text(const char *text)
{
    return cxn_utf8_is_valid((const uint8_t *)text, strlen(text));
}

static enum cxn_status no_memory(struct cxn_error *err)
{
    return cxn_fail_nomem(err, NULL, 0, "a header");
}

/* Adds value, which it takes over, under a new key. NULL: there was no memory for it. */
static enum cxn_status set_key(json_t *object, const char *key, json_t *value,
                               struct cxn_error *err)
{
    const size_t n = strlen(key);
    if (n > 0 && n <= CXN_TENSOR_NAME_MAX && is_text(key) && !json_object_get(object, key))
        return json_object_set_new(object, key, value) == 0 ? CXN_OK : no_memory(err);
    json_decref(value);
    return cxn_fail(err, CXN_E_ARG, "safetensors: cannot write '%.200s': twice, empty, longer than "
                                    "%d bytes, or not UTF-8", key, CXN_TENSOR_NAME_MAX);
}

static enum cxn_status set_text(json_t *metadata, const char *key, const char *text,
                                struct cxn_error *err)
{
    if (is_text(text)) return set_key(metadata, key, json_string(text), err);
    return cxn_fail(err, CXN_E_ARG, "safetensors: cannot write the value of '%.200s': not UTF-8",
                    key);
}

/* NULL: no memory. */
static json_t *describe(const struct cxn_out_tensor *t, uint64_t begin)
{
    json_t *shape = json_array();
    int failed = 0;
    for (uint32_t i = 0; i < t->rank; i++)
        failed |= json_array_append_new(shape, json_integer((json_int_t)t->dims[i]));
    if (!failed)
        return json_pack("{s:s, s:o, s:[I, I]}", "dtype", cxn_dtype_name(t->dtype), "shape", shape,
                         "data_offsets", (json_int_t)begin,
                         (json_int_t)(begin + tensor_bytes(t)));
    json_decref(shape);
    return NULL;
}

static enum cxn_status fill_header(json_t *root, const struct cxn_safetensors_content *c,
                                   struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    uint64_t at = 0;
    if (c->metadata_count > 0) {
        json_t *metadata = json_object();
        status = set_key(root, "__metadata__", metadata, err);
        for (size_t i = 0; i < c->metadata_count && status == CXN_OK; i++)
            status = set_text(metadata, c->metadata[i].key, c->metadata[i].value, err);
    }
    for (size_t i = c->tensor_count, bytes = 2 * ELEMENT_MAX_BYTES;
         status == CXN_OK && next_tensor(c, &i, &bytes);) {
        status = set_key(root, c->tensors[i].name, describe(&c->tensors[i], at), err);
        at += tensor_bytes(&c->tensors[i]);
    }
    return status;
}

/* Bytes of the largest tensor that read() gives. */
static uint64_t count_scratch(const struct cxn_safetensors_content *c)
{
    uint64_t most = 0;
    for (size_t i = 0; i < c->tensor_count; i++)
        if (!c->tensors[i].data && tensor_bytes(&c->tensors[i]) > most)
            most = tensor_bytes(&c->tensors[i]);
    return most;
}

static enum cxn_status write_tensors(cxn_out *out, const struct cxn_safetensors_content *c,
                                     void *scratch, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t i = c->tensor_count, bytes = 2 * ELEMENT_MAX_BYTES;
         status == CXN_OK && next_tensor(c, &i, &bytes);) {
        const void *data = c->tensors[i].data;
        if (!data) {
            status = c->read(c->read_ctx, i, scratch, err);
            data = scratch;
        }
        if (status == CXN_OK) cxn_out_write(out, data, (size_t)tensor_bytes(&c->tensors[i]));
    }
    return status;
}

static void write_header(cxn_out *out, const char *header, size_t header_bytes)
{
    static const char spaces[ALIGN_BYTES] = "        ";
    const size_t pad = (ALIGN_BYTES - header_bytes % ALIGN_BYTES) % ALIGN_BYTES;
    const uint64_t length = header_bytes + pad; /* little-endian, as source.c asserts */
    cxn_out_write(out, &length, sizeof length);
    cxn_out_write(out, header, header_bytes);
    cxn_out_write(out, spaces, pad);
}

static enum cxn_status write_file(const struct cxn_env *env, const char *path, const char *header,
                                  const struct cxn_safetensors_content *c, struct cxn_error *err)
{
    const size_t header_bytes = strlen(header);
    const uint64_t scratch_bytes = count_scratch(c);
    cxn_out *out;
    if (header_bytes > CXN_SAFETENSORS_HEADER_MAX_BYTES - ALIGN_BYTES ||
        c->tensor_count > CXN_TENSORS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "safetensors: %zu tensors with a header of %zu bytes, at "
                                          "most %d and %d",
                        c->tensor_count, header_bytes, CXN_TENSORS_MAX,
                        CXN_SAFETENSORS_HEADER_MAX_BYTES);
    void *scratch = cxn_alloc(env->mem, (size_t)scratch_bytes, 1);
    if (!scratch) return cxn_fail_nomem(err, env->mem, (size_t)scratch_bytes, "a tensor");
    enum cxn_status status = cxn_out_open(&out, path, err);
    if (status == CXN_OK) {
        write_header(out, header, header_bytes);
        status = write_tensors(out, c, scratch, err);
        if (status == CXN_OK) status = cxn_out_commit(&out, err);
        else cxn_out_abort(&out);
    }
    cxn_free(scratch);
    return status;
}

enum cxn_status cxn_safetensors_write(const struct cxn_env *env, const char *path,
                                      const struct cxn_safetensors_content *content,
                                      struct cxn_error *err)
{
    json_t *root = json_object();
    enum cxn_status status = root ? fill_header(root, content, err) : no_memory(err);
    char *header = status == CXN_OK ? cxn_json_dump(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (status != CXN_OK) return status;
    if (!header) return no_memory(err);
    status = write_file(env, path, header, content, err);
    free(header);
    return status;
}
