/* SPDX-License-Identifier: Apache-2.0 */
#include "data/cache_format.h"

#include <string.h>

#include "base/hash.h"
#include "data/names.h"
#include "image/image.h"

enum { VERSION = 1, HEADER_CRC_AT = 60 };
const uint8_t cxn_cache_magic[CXN_CACHE_MAGIC_BYTES] = { 'C', 'X', 'N', 'C', 'A', 'C', 'H', 'E' };
static const uint8_t record_magic[4] = { 'C', 'X', 'N', 'R' };

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
    return p + 4;
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
    return put_u32(put_u32(p, (uint32_t)v), (uint32_t)(v >> 32));
}

uint64_t cxn_cache_align(uint64_t n)
{
    return (n + CXN_CACHE_ALIGN_BYTES - 1) & ~(uint64_t)(CXN_CACHE_ALIGN_BYTES - 1);
}

void cxn_cache_header_encode(const struct cxn_cache_header *h, uint8_t dst[CXN_CACHE_HEADER_BYTES])
{
    memset(dst, 0, CXN_CACHE_HEADER_BYTES);
    memcpy(dst, cxn_cache_magic, CXN_CACHE_MAGIC_BYTES);
    uint8_t *p = put_u32(dst + CXN_CACHE_MAGIC_BYTES, VERSION);
    p = put_u32(p, CXN_RESIZE_SIDE);
    p = put_u64(p, h->entry_count);
    p = put_u64(p, h->index_offset);
    p = put_u64(p, h->index_bytes);
    put_u32(p, h->index_crc);
    put_u32(dst + HEADER_CRC_AT, cxn_crc32(0, dst, HEADER_CRC_AT));
}

enum cxn_status cxn_cache_header_decode(const uint8_t src[CXN_CACHE_HEADER_BYTES],
                                        struct cxn_cache_header *h, struct cxn_error *err)
{
    struct cxn_cursor c = cxn_cursor_make(src, CXN_CACHE_HEADER_BYTES);
    const uint8_t *magic = cxn_cursor_bytes(&c, CXN_CACHE_MAGIC_BYTES);
    if (memcmp(magic, cxn_cache_magic, CXN_CACHE_MAGIC_BYTES) != 0)
        return cxn_fail(err, CXN_E_FORMAT, "not a cache made by chexnet prepare");
    const uint32_t version = cxn_cursor_u32le(&c), side = cxn_cursor_u32le(&c);
    if (version != VERSION)
        return cxn_fail(err, CXN_E_FORMAT, "cache of version %u, expected %d", version, VERSION);
    if (side != CXN_RESIZE_SIDE)
        return cxn_fail(err, CXN_E_FORMAT, "cache header: shorter side %u, expected %u", side,
                        CXN_RESIZE_SIDE);
    h->entry_count = cxn_cursor_u64le(&c);
    h->index_offset = cxn_cursor_u64le(&c);
    h->index_bytes = cxn_cursor_u64le(&c);
    h->index_crc = cxn_cursor_u32le(&c);
    while (c.pos < HEADER_CRC_AT)
        if (cxn_cursor_u8(&c) != 0)
            return cxn_fail(err, CXN_E_FORMAT, "cache header: byte %zu is not 0", c.pos - 1);
    if (cxn_cursor_u32le(&c) != cxn_crc32(0, src, HEADER_CRC_AT))
        return cxn_fail(err, CXN_E_FORMAT, "cache header: wrong checksum");
    return CXN_OK;
}

size_t cxn_cache_entry_encode(const struct cxn_cache_entry *e,
                              uint8_t dst[CXN_CACHE_ENTRY_BYTES_MAX])
{
    const size_t name_bytes = strlen(e->name);
    memset(dst, 0, CXN_CACHE_ENTRY_BYTES_MAX);
    uint8_t *p = put_u64(dst, e->data_offset);
    p = put_u64(p, e->source_bytes);
    p = put_u64(p, (uint64_t)e->source_mtime_ns);
    p = put_u32(p, e->width);
    p = put_u32(p, e->height);
    p = put_u32(p, e->data_bytes);
    p = put_u32(p, e->data_crc);
    p = put_u32(p, e->channels | (uint32_t)e->status << 8 | (uint32_t)name_bytes << 16);
    p = put_u32(p, e->notes);
    memcpy(p, e->name, name_bytes); /* the NUL behind it, and padding, are there already */
    return (CXN_CACHE_ENTRY_BYTES + name_bytes + 1 + 7) & ~(size_t)7;
}

/* A name is a file name, never a path, and fills its place to the padding. */
static enum cxn_status decode_name(struct cxn_cursor *c, size_t name_bytes, const char **name,
                                   struct cxn_error *err)
{
    const size_t padded = ((CXN_CACHE_ENTRY_BYTES + name_bytes + 1 + 7) & ~(size_t)7)
                          - CXN_CACHE_ENTRY_BYTES;
    const char *text = (const char *)cxn_cursor_bytes(c, padded);
    if (!text) return cxn_fail(err, CXN_E_FORMAT, "an entry goes past the end");
    if (name_bytes < 1 || name_bytes > CXN_NAME_MAX_BYTES ||
        memchr(text, '\0', padded) != text + name_bytes || memchr(text, '/', name_bytes))
        return cxn_fail(err, CXN_E_FORMAT, "an entry's name is not a file name of 1..%d bytes",
                        CXN_NAME_MAX_BYTES);
    for (size_t i = name_bytes; i < padded; i++)
        if (text[i] != '\0')
            return cxn_fail(err, CXN_E_FORMAT, "'%s': padding of its entry is not 0", text);
    *name = text;
    return CXN_OK;
}

static bool is_bad_image_status(enum cxn_status status)
{
    return status == CXN_E_FORMAT || status == CXN_E_LIMIT || status == CXN_E_IO;
}

static enum cxn_status check_shape(const struct cxn_cache_entry *e, struct cxn_error *err)
{
    if (e->channels == 0) {
        const bool fine = e->width == 0 && e->height == 0 && e->notes == 0 &&
                          is_bad_image_status(e->status) && e->data_bytes < CXN_ERROR_BYTES;
        return fine ? CXN_OK
                    : cxn_fail(err, CXN_E_FORMAT, "'%s': not the entry of a bad image", e->name);
    }
    const uint32_t low = e->width < e->height ? e->width : e->height;
    const uint32_t high = e->width < e->height ? e->height : e->width;
    if ((e->channels != 1 && e->channels != 3) || low != CXN_RESIZE_SIDE ||
        high > CXN_RESIZE_LONG_MAX)
        return cxn_fail(err, CXN_E_FORMAT,
                        "'%s': %ux%u, %u channels; expected a shorter side of %u, at most %u, "
                        "1 or 3 channels",
                        e->name, e->width, e->height, e->channels, CXN_RESIZE_SIDE,
                        CXN_RESIZE_LONG_MAX);
    if (e->data_bytes != (uint64_t)e->width * e->height * e->channels)
        return cxn_fail(err, CXN_E_FORMAT, "'%s': %u bytes of pixels, expected %ux%ux%u", e->name,
                        e->data_bytes, e->width, e->height, e->channels);
    if (e->status != CXN_OK || (e->notes & ~(uint32_t)CXN_NOTE_SCALED_16) != 0)
        return cxn_fail(err, CXN_E_FORMAT, "'%s': unknown flags in its entry", e->name);
    return CXN_OK;
}

enum cxn_status cxn_cache_entry_decode(struct cxn_cursor *c, uint64_t data_end,
                                       struct cxn_cache_entry *e, struct cxn_error *err)
{
    e->data_offset = cxn_cursor_u64le(c);
    e->source_bytes = cxn_cursor_u64le(c);
    e->source_mtime_ns = (int64_t)cxn_cursor_u64le(c);
    e->width = cxn_cursor_u32le(c);
    e->height = cxn_cursor_u32le(c);
    e->data_bytes = cxn_cursor_u32le(c);
    e->data_crc = cxn_cursor_u32le(c);
    const uint32_t packed = cxn_cursor_u32le(c);
    e->channels = packed & 0xff;
    e->status = (enum cxn_status)(packed >> 8 & 0xff);
    e->notes = cxn_cursor_u32le(c);
    if (c->failed) return cxn_fail(err, CXN_E_FORMAT, "an entry goes past the end");
    enum cxn_status status = decode_name(c, packed >> 16, &e->name, err);
    if (status == CXN_OK) status = check_shape(e, err);
    if (status != CXN_OK) return status;
    if (e->data_offset % CXN_CACHE_ALIGN_BYTES != 0 || e->data_offset < CXN_CACHE_HEADER_BYTES ||
        e->data_offset > data_end || e->data_bytes > data_end - e->data_offset)
        return cxn_fail(err, CXN_E_FORMAT, "'%s': its data (%u bytes from %llu) is not in 64..%llu",
                        e->name, e->data_bytes, (unsigned long long)e->data_offset,
                        (unsigned long long)data_end);
    return CXN_OK;
}

void cxn_cache_record_encode(const uint8_t *entry, size_t entry_bytes,
                             uint8_t dst[CXN_CACHE_RECORD_BYTES])
{
    memcpy(dst, record_magic, sizeof record_magic);
    uint8_t *p = put_u32(dst + sizeof record_magic, (uint32_t)entry_bytes);
    p = put_u32(p, cxn_crc32(0, entry, entry_bytes));
    put_u32(p, 0);
}

bool cxn_cache_record_decode(const uint8_t src[CXN_CACHE_RECORD_BYTES], size_t *entry_bytes,
                             uint32_t *entry_crc)
{
    struct cxn_cursor c = cxn_cursor_make(src, CXN_CACHE_RECORD_BYTES);
    if (memcmp(cxn_cursor_bytes(&c, sizeof record_magic), record_magic, sizeof record_magic) != 0)
        return false;
    *entry_bytes = cxn_cursor_u32le(&c);
    *entry_crc = cxn_cursor_u32le(&c);
    return cxn_cursor_u32le(&c) == 0 && *entry_bytes > CXN_CACHE_ENTRY_BYTES &&
           *entry_bytes <= CXN_CACHE_ENTRY_BYTES_MAX;
}
