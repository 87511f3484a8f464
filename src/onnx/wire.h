/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WIRE_H
#define CXN_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/source.h"
#include "onnx/proto.h"

/*
 * Protocol Buffers, pulled field by field from untrusted bytes: nothing is allocated, a message
 * within another is its place in the file, and what nobody asks for is skipped. Stricter than
 * protobuf where that would let two readers see two files: groups, and singular fields that are
 * there twice, are refused.
 */

enum {
    CXN_WIRE_WINDOW_BYTES = 4096,
    CXN_WIRE_FIELDS_MAX = 4 << 20, /* in one file, all passes together; bounds the time */
};

/* The bytes that were read last, and what is left of the limit. */
struct cxn_wire_window {
    const struct cxn_source *source;
    uint64_t at;
    size_t n;
    uint32_t fields_left;
    uint8_t bytes[CXN_WIRE_WINDOW_BYTES];
};

void cxn_wire_window_init(struct cxn_wire_window *window, const struct cxn_source *source);

/* A message: fields from `at` to `end`. */
struct cxn_wire {
    struct cxn_wire_window *window;
    const char *name; /* of the message, for texts */
    uint64_t at, end;
    uint64_t seen; /* a bit for each singular field below 64 */
};

/* The whole file as one message. */
struct cxn_wire cxn_wire_whole(struct cxn_wire_window *window, const char *name);

struct cxn_wire_field {
    uint32_t number; /* from 1 */
    enum cxn_wire_type type;
    uint64_t value;     /* of a number */
    uint64_t at, bytes; /* of CXN_WIRE_LENGTH; within the message */
};

/* The next field; *more is false, and nothing else, at the end. CXN_E_FORMAT, CXN_E_LIMIT for too
 * many fields, CXN_E_IO. */
enum cxn_status cxn_wire_next(struct cxn_wire *w, struct cxn_wire_field *field, bool *more,
                              struct cxn_error *err);

/* What a field holds; CXN_E_FORMAT where it is of another type. The first three are for singular
 * fields and refuse a second one. */
enum cxn_status cxn_wire_int(struct cxn_wire *w, const struct cxn_wire_field *field,
                             int64_t *value, struct cxn_error *err);
enum cxn_status cxn_wire_float(struct cxn_wire *w, const struct cxn_wire_field *field,
                               float *value, struct cxn_error *err);
enum cxn_status cxn_wire_once(struct cxn_wire *w, const struct cxn_wire_field *field,
                              struct cxn_error *err);
enum cxn_status cxn_wire_within(const struct cxn_wire *w, const struct cxn_wire_field *field,
                                const char *name, struct cxn_wire *inner, struct cxn_error *err);

/* A string of at most room - 1 bytes, UTF-8 without NUL, and a NUL behind it. CXN_E_LIMIT: it is
 * longer. */
enum cxn_status cxn_wire_text(const struct cxn_wire *w, const struct cxn_wire_field *field,
                              char *text, size_t room, struct cxn_error *err);

/* The integers of a repeated field, packed or not, behind the *count that are there, at most max
 * (CXN_E_LIMIT). */
enum cxn_status cxn_wire_ints(const struct cxn_wire *w, const struct cxn_wire_field *field,
                              int64_t *values, size_t max, size_t *count, struct cxn_error *err);

#endif
