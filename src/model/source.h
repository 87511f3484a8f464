/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_SOURCE_H
#define CXN_MODEL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

/*
 * Bytes that a reader may look at in any order: an open file, or memory. Borrowed, both. A file is
 * read by pread into the reader's own memory, never mapped, so that a file that changes or shrinks
 * meanwhile gives an error or other values, not a signal.
 */
struct cxn_source {
    const struct cxn_file *file; /* NULL: memory */
    const char *path;            /* for the texts of I/O errors */
    const uint8_t *data;
    uint64_t size_bytes;
};

struct cxn_source cxn_source_file(const struct cxn_file *file, const char *path);
struct cxn_source cxn_source_memory(const void *data, size_t size);

/* Exactly n bytes from offset. CXN_E_FORMAT when they do not lie within the size, CXN_E_IO. */
enum cxn_status cxn_source_read(const struct cxn_source *s, uint64_t offset, void *dst, size_t n,
                                struct cxn_error *err);

/* CRC-32 of n bytes from offset, read in pieces. */
enum cxn_status cxn_source_crc32(const struct cxn_source *s, uint64_t offset, uint64_t n,
                                 uint32_t *crc, struct cxn_error *err);

#endif
