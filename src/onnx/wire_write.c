/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/wire_write.h"

#include <stdio.h>
#include <string.h>

#include "onnx/proto.h"

/* The window with the next byte in it; false where there is none. */
static bool look(struct cxn_wire_same *s)
{
    const uint64_t left = s->at < s->source->size_bytes ? s->source->size_bytes - s->at : 0;
    if (s->at >= s->window_at && s->at < s->window_at + s->n) return true;
    s->window_at = s->at;
    s->n = left < sizeof s->window ? (size_t)left : sizeof s->window;
    if (s->n > 0) s->status = cxn_source_read(s->source, s->at, s->window, s->n, s->err);
    return s->n > 0 && s->status == CXN_OK;
}

static void compare(struct cxn_wire_same *s, const uint8_t *data, size_t n)
{
    while (n > 0 && !s->differs && s->status == CXN_OK) {
        if (!look(s)) {
            s->differs = true;
            return;
        }
        const size_t from = (size_t)(s->at - s->window_at), left = s->n - from;
        const size_t now = n < left ? n : left;
        size_t same = 0;
        if (memcmp(s->window + from, data, now) == 0) same = now;
        else while (s->window[from + same] == data[same]) same++;
        s->differs = same < now;
        s->at += same;
        data += same;
        n -= same;
    }
}

static void put(struct cxn_wire_out *o, const void *data, size_t n)
{
    if (o->out) cxn_out_write(o->out, data, n);
    if (o->same) compare(o->same, data, n);
    o->bytes += n;
}

void cxn_wire_item(struct cxn_wire_out *o, const char *name)
{
    if (o->same && !o->same->differs)
        snprintf(o->same->item, sizeof o->same->item, "%s", name);
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

void cxn_wire_put_length(struct cxn_wire_out *o, uint32_t field, size_t n)
{
    put_tag(o, field, CXN_WIRE_LENGTH);
    put_varint(o, n);
}

void cxn_wire_put_part(struct cxn_wire_out *o, const void *data, size_t n)
{
    put(o, data, n);
}

void cxn_wire_put_bytes(struct cxn_wire_out *o, uint32_t field, const void *data, size_t n)
{
    cxn_wire_put_length(o, field, n);
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
    cxn_wire_put_length(o, field, (size_t)count.bytes);
    if (o->out || o->same) write(o, ctx);
    else o->bytes += count.bytes;
}
