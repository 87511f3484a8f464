/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_JSON_TEXT_H
#define CXN_TRAIN_JSON_TEXT_H

#include <jansson.h>

#include "base/env.h"
#include "base/file.h"

/*
 * JSON objects from files that anyone may have written. At most 1 MiB of text or a limit of the
 * caller's, 16 deep, no key twice; what jansson may take for it, by an upper estimate of at most 8
 * MiB or the caller's limit, is counted in the budget before it starts, until cxn_json_close().
 */

enum { CXN_JSON_TEXT_MAX_BYTES = 1 << 20, CXN_JSON_MEMORY_MAX_BYTES = 8 << 20 };

/* Zeroed is a closed one. */
struct cxn_json {
    json_t *root; /* an object; NULL: closed */
    struct cxn_mem *mem;
    size_t memory_bytes; /* counted in mem */
};

/* CXN_E_FORMAT with the byte, CXN_E_LIMIT, CXN_E_NOMEM; *json is closed then. */
enum cxn_status cxn_json_parse(struct cxn_json *json, struct cxn_mem *mem, const void *text,
                               size_t size, struct cxn_error *err);

/* The same within other limits. */
struct cxn_json_limits {
    size_t text_bytes, memory_bytes;
};
enum cxn_status cxn_json_parse_within(struct cxn_json *json, struct cxn_mem *mem, const void *text,
                                      size_t size, const struct cxn_json_limits *limits,
                                      struct cxn_error *err);

/* The whole of a file; texts of errors name it. Also CXN_E_IO. */
enum cxn_status cxn_json_read(struct cxn_json *json, struct cxn_mem *mem, const char *path,
                              struct cxn_error *err);
void cxn_json_close(struct cxn_json *json);

/* As a file of its own, complete or not at all; numbers so that reading gives the same ones again.
 * CXN_E_ARG: not an object; CXN_E_LIMIT: more than the reader would take back; CXN_E_IO;
 * CXN_E_NOMEM. */
enum cxn_status cxn_json_write(const char *path, const json_t *object, struct cxn_error *err);

#endif
