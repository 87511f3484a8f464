/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WIRE_WRITE_H
#define CXN_ONNX_WIRE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "model/source.h"

/*
 * Protocol Buffers, written field by field (protobuf.dev/programming-guides/encoding). A message
 * within another needs its length in front: whoever writes one is a function, called first to count
 * and then to write, so that nothing is kept in memory.
 */
struct cxn_wire_out {
    cxn_out *out;               /* this or the next; both NULL: only count */
    struct cxn_wire_same *same; /* not to write, but to compare */
    uint64_t bytes;             /* so far */
};

/* Bytes that are there already, held against those that would be written. */
struct cxn_wire_same {
    const struct cxn_source *source;
    uint64_t at;  /* of the next byte */
    bool differs; /* at that byte */
    char item[96]; /* cxn_wire_item() of it, or of what stands in front */
    enum cxn_status status; /* of reading; err is told */
    struct cxn_error *err;
    uint8_t window[4096]; /* n bytes from window_at */
    uint64_t window_at;
    size_t n;
};

typedef void cxn_wire_fn(struct cxn_wire_out *o, const void *ctx);

void cxn_wire_put_int(struct cxn_wire_out *o, uint32_t field, int64_t value);
void cxn_wire_put_float(struct cxn_wire_out *o, uint32_t field, float value);
void cxn_wire_put_bytes(struct cxn_wire_out *o, uint32_t field, const void *data, size_t n);
void cxn_wire_put_text(struct cxn_wire_out *o, uint32_t field, const char *text);
/* A field of n bytes, which cxn_wire_put_part() brings. */
void cxn_wire_put_length(struct cxn_wire_out *o, uint32_t field, size_t n);
void cxn_wire_put_part(struct cxn_wire_out *o, const void *data, size_t n);
/* What is written from here on, for texts about what differs. */
void cxn_wire_item(struct cxn_wire_out *o, const char *name);
void cxn_wire_put_message(struct cxn_wire_out *o, uint32_t field, cxn_wire_fn *write,
                          const void *ctx);

#endif
