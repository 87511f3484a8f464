/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_CACHE_FORMAT_H
#define CXN_DATA_CACHE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/status.h"

/*
 * The bytes of a prepared cache (docs/formats.md): a header, records of 64-byte alignment, and the
 * index, which repeats every record's entry sorted by name. An unfinished file has no index; its
 * records alone say what is there.
 */
enum {
    CXN_CACHE_MAGIC_BYTES = 8, /* of the header */
    CXN_CACHE_HEADER_BYTES = 64,
    CXN_CACHE_RECORD_BYTES = 16, /* of a record before its entry */
    CXN_CACHE_ENTRY_BYTES = 48,  /* of an entry before its name */
    CXN_CACHE_ENTRY_BYTES_MAX = 48 + 256,
    CXN_CACHE_ALIGN_BYTES = 64,
};
#define CXN_CACHE_INDEX_BYTES_MAX ((uint64_t)256 << 20)

/* The first bytes of a cache, finished or not. */
extern const uint8_t cxn_cache_magic[CXN_CACHE_MAGIC_BYTES];

struct cxn_cache_header {
    uint64_t entry_count;
    uint64_t index_offset; /* 0: unfinished */
    uint64_t index_bytes;
    uint32_t index_crc;
};

/* One image. Where channels is 0 the image could not be decoded: data is the sentence that says
 * why, and status the code. */
struct cxn_cache_entry {
    const char *name; /* borrowed */
    uint64_t data_offset;
    uint64_t source_bytes;
    int64_t source_mtime_ns;
    uint32_t width, height, channels;
    uint32_t data_bytes, data_crc;
    uint32_t notes; /* CXN_NOTE_ bits */
    enum cxn_status status;
};

/* n rounded up to CXN_CACHE_ALIGN_BYTES; n at most 2^63. */
uint64_t cxn_cache_align(uint64_t n);

void cxn_cache_header_encode(const struct cxn_cache_header *h, uint8_t dst[CXN_CACHE_HEADER_BYTES]);

/* Checks magic, version, checksum and reserved bytes, nothing that depends on the file's size. */
enum cxn_status cxn_cache_header_decode(const uint8_t src[CXN_CACHE_HEADER_BYTES],
                                        struct cxn_cache_header *h, struct cxn_error *err);

/* Bytes of the encoded entry, at most CXN_CACHE_ENTRY_BYTES_MAX, a multiple of 8. */
size_t cxn_cache_entry_encode(const struct cxn_cache_entry *e,
                              uint8_t dst[CXN_CACHE_ENTRY_BYTES_MAX]);

/* The entry at the cursor; e->name borrows from the cursor's data. data_end: where the pixel bytes
 * of the file must have ended. Everything is checked; CXN_E_FORMAT or CXN_E_LIMIT. */
enum cxn_status cxn_cache_entry_decode(struct cxn_cursor *c, uint64_t data_end,
                                       struct cxn_cache_entry *e, struct cxn_error *err);

/* What stands before an entry in the data part. */
void cxn_cache_record_encode(const uint8_t *entry, size_t entry_bytes,
                             uint8_t dst[CXN_CACHE_RECORD_BYTES]);

/* false where src is no record's beginning; else its entry's size and checksum. */
bool cxn_cache_record_decode(const uint8_t src[CXN_CACHE_RECORD_BYTES], size_t *entry_bytes,
                             uint32_t *entry_crc);

#endif
