/* SPDX-License-Identifier: Apache-2.0 */
#include "train/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_dump.h"

enum { DEPTH_MAX = 16 };

static const struct cxn_json_limits usual = { CXN_JSON_TEXT_MAX_BYTES, CXN_JSON_MEMORY_MAX_BYTES };

/* Upper bounds of what jansson 2.14 allocates for each, as in model/json_scan.c. */
enum { OBJECT_BYTES = 304, ARRAY_BYTES = 136, STRING_BYTES = 96, VALUE_BYTES = 44 };

/* Position behind the string whose opening quote is at `at`. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at < size ? at + 1 : size;
}

/* How deep it nests, and what it will take in memory; whether it is JSON is left to jansson. Each
 * value but a container is a string or stands before a comma or an end. */
static enum cxn_status scan(const char *text, size_t size, size_t memory_max,
                            size_t *memory_bytes, struct cxn_error *err)
{
    size_t depth = 0, bytes = VALUE_BYTES;
    for (size_t at = 0; at < size;) {
        const char c = text[at];
        if (c == '"') {
            const size_t end = skip_string(text, size, at);
            bytes += STRING_BYTES + (end - at);
            at = end;
            continue;
        }
        if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return cxn_fail(err, CXN_E_FORMAT, "JSON: byte %zu: nested more than %d deep", at,
                                DEPTH_MAX);
            bytes += c == '{' ? OBJECT_BYTES : ARRAY_BYTES;
        } else if (c == '}' || c == ']') {
            if (depth > 0) depth--;
            bytes += VALUE_BYTES;
        } else if (c == ',') {
            bytes += VALUE_BYTES;
        }
        at++;
    }
    *memory_bytes = bytes;
    if (bytes <= memory_max) return CXN_OK;
    return cxn_fail(err, CXN_E_LIMIT, "JSON: needs about %zu bytes of memory, at most %zu", bytes,
                    memory_max);
}

static enum cxn_status load(struct cxn_json *json, const char *text, size_t size,
                            struct cxn_error *err)
{
    json_error_t why;
    json->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(json->root)) return CXN_OK;
    if (json->root) return cxn_fail(err, CXN_E_FORMAT, "JSON: expected an object");
    if (json_error_code(&why) == json_error_out_of_memory)
        return cxn_fail_nomem(err, json->mem, json->memory_bytes, "JSON");
    return cxn_fail(err, CXN_E_FORMAT, "JSON: byte %d: %s", why.position, why.text);
}

enum cxn_status cxn_json_parse(struct cxn_json *json, struct cxn_mem *mem, const void *text,
                               size_t size, struct cxn_error *err)
{
    return cxn_json_parse_within(json, mem, text, size, &usual, err);
}

enum cxn_status cxn_json_parse_within(struct cxn_json *json, struct cxn_mem *mem, const void *text,
                                      size_t size, const struct cxn_json_limits *limits,
                                      struct cxn_error *err)
{
    size_t memory_bytes = 0;
    *json = (struct cxn_json){ 0 };
    if (size > limits->text_bytes)
        return cxn_fail(err, CXN_E_LIMIT, "JSON: %zu bytes, at most %zu", size,
                        limits->text_bytes);
    enum cxn_status status = scan(text, size, limits->memory_bytes, &memory_bytes, err);
    if (status != CXN_OK) return status;
    if (!cxn_mem_take(mem, memory_bytes)) return cxn_fail_nomem(err, mem, memory_bytes, "JSON");
    *json = (struct cxn_json){ .mem = mem, .memory_bytes = memory_bytes };
    status = load(json, text, size, err);
    if (status == CXN_OK) return status;
    json_decref(json->root);
    cxn_mem_give(mem, memory_bytes);
    *json = (struct cxn_json){ 0 };
    return status;
}

enum cxn_status cxn_json_read(struct cxn_json *json, struct cxn_mem *mem, const char *path,
                              struct cxn_error *err)
{
    struct cxn_bytes bytes;
    *json = (struct cxn_json){ 0 };
    enum cxn_status status = cxn_file_read(mem, path, CXN_JSON_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_json_parse(json, mem, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return cxn_fail_in(err, status, path);
}

void cxn_json_close(struct cxn_json *json)
{
    if (!json->root) return;
    json_decref(json->root);
    cxn_mem_give(json->mem, json->memory_bytes);
    *json = (struct cxn_json){ 0 };
}

static enum cxn_status write_text(const char *path, const char *text, struct cxn_error *err)
{
    cxn_out *out;
    size_t memory_bytes;
    const size_t size = strlen(text);
    if (size + 1 > CXN_JSON_TEXT_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "%s: %zu bytes of JSON, at most %d", path, size + 1,
                        CXN_JSON_TEXT_MAX_BYTES);
    enum cxn_status status = scan(text, size, usual.memory_bytes, &memory_bytes, err);
    if (status != CXN_OK) return cxn_fail_in(err, CXN_E_LIMIT, path);
    status = cxn_out_open(&out, path, err);
    if (status != CXN_OK) return status;
    cxn_out_write(out, text, size);
    cxn_out_write(out, "\n", 1);
    return cxn_out_commit(&out, err);
}

enum cxn_status cxn_json_write(const char *path, const json_t *object, struct cxn_error *err)
{
    if (!json_is_object(object))
        return cxn_fail(err, CXN_E_ARG, "%s: expected a JSON object to write", path);
    /* 17 digits, which jansson writes by itself, bring back any double. */
    char *text = cxn_json_dump(object, JSON_INDENT(2));
    if (!text) return cxn_fail(err, CXN_E_NOMEM, "no memory to write '%s'", path);
    const enum cxn_status status = write_text(path, text, err);
    free(text);
    return status;
}
