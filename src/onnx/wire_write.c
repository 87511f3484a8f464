/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/wire_write.h"

#include <string.h>

#include "onnx/proto.h"

static void put(struct cxn_wire_out *o, const void *data, size_t n)
{
    if (o->out) cxn_out_write(o->out, data, n);
    o->bytes += n;
}

static void put_varint(struct cxn_wire_out *o, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    put(o, bytes, n);
}

static void put_tag(struct cxn_wire_out *o, uint32_t field, enum cxn_wire_type type)
{
    put_varint(o, (uint64_t)field << 3 | type);
}

void cxn_wire_put_int(struct cxn_wire_out *o, uint32_t field, int64_t value)
{
    put_tag(o, field, CXN_WIRE_VARINT);
    put_varint(o, (uint64_t)value);
}

void cxn_wire_put_float(struct cxn_wire_out *o, uint32_t field, float value)
{
    put_tag(o, field, CXN_WIRE_FIXED32);
    put(o, &value, sizeof value); /* little-endian, as model/source.c asserts */
}

void cxn_wire_put_bytes(struct cxn_wire_out *o, uint32_t field, const void *data, size_t n)
{
    put_tag(o, field, CXN_WIRE_LENGTH);
    put_varint(o, n);
    put(o, data, n);
}

void cxn_wire_put_text(struct cxn_wire_out *o, uint32_t field, const char *text)
{
    cxn_wire_put_bytes(o, field, text, strlen(text));
}

void cxn_wire_put_message(struct cxn_wire_out *o, uint32_t field, cxn_wire_fn *write,
                          const void *ctx)
{
    struct cxn_wire_out count = { 0 };
    write(&count, ctx);
    put_tag(o, field, CXN_WIRE_LENGTH);
    put_varint(o, count.bytes);
    if (o->out) write(o, ctx);
    else o->bytes += count.bytes;
}
