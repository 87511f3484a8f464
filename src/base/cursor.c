/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include <string.h>

struct cxn_cursor cxn_cursor_make(const void *data, size_t size)
{
    /* Nothing, given as NULL, still has a valid address: no arithmetic is done on NULL. */
    return (struct cxn_cursor){ .data = data ? data : (const void *)"", .size = data ? size : 0 };
}

size_t cxn_cursor_left(const struct cxn_cursor *c)
{
    return c->failed ? 0 : c->size - c->pos;
}

const uint8_t *cxn_cursor_bytes(struct cxn_cursor *c, size_t n)
{
    if (c->failed || n > c->size - c->pos) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->data + c->pos;
    c->pos += n;
    return p;
}

static uint64_t read_le(struct cxn_cursor *c, size_t n)
{
    const uint8_t *p = cxn_cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = n; p && i-- > 0;) v = v << 8 | p[i];
    return v;
}

static uint64_t read_be(struct cxn_cursor *c, size_t n)
{
    const uint8_t *p = cxn_cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++) v = v << 8 | p[i];
    return v;
}

uint8_t cxn_cursor_u8(struct cxn_cursor *c) { return (uint8_t)read_le(c, 1); }
uint16_t cxn_cursor_u16le(struct cxn_cursor *c) { return (uint16_t)read_le(c, 2); }
uint32_t cxn_cursor_u32le(struct cxn_cursor *c) { return (uint32_t)read_le(c, 4); }
uint32_t cxn_cursor_u32be(struct cxn_cursor *c) { return (uint32_t)read_be(c, 4); }
uint64_t cxn_cursor_u64le(struct cxn_cursor *c) { return read_le(c, 8); }

bool cxn_cursor_seek(struct cxn_cursor *c, size_t pos)
{
    if (c->failed || pos > c->size) {
        c->failed = true;
        return false;
    }
    c->pos = pos;
    return true;
}

bool cxn_cursor_line(struct cxn_cursor *c, const char **line, size_t *length)
{
    const size_t left = cxn_cursor_left(c);
    if (left == 0) return false;
    const uint8_t *start = c->data + c->pos;
    const uint8_t *end = memchr(start, '\n', left);
    size_t n = end ? (size_t)(end - start) : left;
    c->pos += end ? n + 1 : n;
    if (n > 0 && start[n - 1] == '\r') n--;
    *line = (const char *)start;
    *length = n;
    return true;
}
