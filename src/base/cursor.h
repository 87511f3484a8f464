/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_CURSOR_H
#define CXN_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A read position in borrowed bytes. Reading past the end sets `failed`, returns 0 or NULL and
 * moves nothing; it stays set, so that a run of reads needs one check at its end.
 */
struct cxn_cursor {
    const uint8_t *data;
    size_t size; /* bytes in data */
    size_t pos;  /* 0..size */
    bool failed;
};

struct cxn_cursor cxn_cursor_make(const void *data, size_t size);
size_t cxn_cursor_left(const struct cxn_cursor *c);

uint8_t cxn_cursor_u8(struct cxn_cursor *c);
uint16_t cxn_cursor_u16le(struct cxn_cursor *c);
uint32_t cxn_cursor_u32le(struct cxn_cursor *c);
uint32_t cxn_cursor_u32be(struct cxn_cursor *c);
uint64_t cxn_cursor_u64le(struct cxn_cursor *c);

/* The next n bytes, borrowed from data; NULL when fewer are left (n = 0 gives a valid pointer). */
const uint8_t *cxn_cursor_bytes(struct cxn_cursor *c, size_t n);

/* Move to an absolute position 0..size. */
bool cxn_cursor_seek(struct cxn_cursor *c, size_t pos);

/* The bytes up to, not including, the next '\n' (a final '\r' is dropped), or up to the end where
 * the last line has none. false at the end of the data. */
bool cxn_cursor_line(struct cxn_cursor *c, const char **line, size_t *length);

#endif
