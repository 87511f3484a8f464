/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_WIRE_WRITE_H
#define CXN_ONNX_WIRE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

/*
 * Protocol Buffers, written field by field (protobuf.dev/programming-guides/encoding). A message
 * within another needs its length in front: whoever writes one is a function, called first to count
 * and then to write, so that nothing is kept in memory.
 */
struct cxn_wire_out {
    cxn_out *out;   /* NULL: only count */
    uint64_t bytes; /* so far */
};

typedef void cxn_wire_fn(struct cxn_wire_out *o, const void *ctx);

void cxn_wire_put_int(struct cxn_wire_out *o, uint32_t field, int64_t value);
void cxn_wire_put_float(struct cxn_wire_out *o, uint32_t field, float value);
void cxn_wire_put_bytes(struct cxn_wire_out *o, uint32_t field, const void *data, size_t n);
void cxn_wire_put_text(struct cxn_wire_out *o, uint32_t field, const char *text);
void cxn_wire_put_message(struct cxn_wire_out *o, uint32_t field, cxn_wire_fn *write,
                          const void *ctx);

#endif
