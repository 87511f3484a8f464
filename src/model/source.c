/* SPDX-License-Identifier: Apache-2.0 */
#include "model/source.h"

#include <string.h>

#include "base/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "weights are stored little-endian and copied as they are");

struct cxn_source cxn_source_file(const struct cxn_file *file, const char *path)
{
    return (struct cxn_source){ .file = file, .path = path, .size_bytes = file->size_bytes };
}

struct cxn_source cxn_source_memory(const void *data, size_t size)
{
    return (struct cxn_source){ .data = data, .size_bytes = size };
}

enum cxn_status cxn_source_read(const struct cxn_source *s, uint64_t offset, void *dst, size_t n,
                                struct cxn_error *err)
{
    if (offset > s->size_bytes || n > s->size_bytes - offset)
        return cxn_fail(err, CXN_E_FORMAT,
                        "truncated: %zu bytes expected at byte %llu, the file has %llu", n,
                        (unsigned long long)offset, (unsigned long long)s->size_bytes);
    if (s->file) return cxn_file_pread(s->file, s->path, offset, dst, n, err);
    if (n > 0) memcpy(dst, s->data + offset, n);
    return CXN_OK;
}

enum cxn_status cxn_source_crc32(const struct cxn_source *s, uint64_t offset, uint64_t n,
                                 uint32_t *crc, struct cxn_error *err)
{
    uint8_t piece[16384];
    *crc = 0;
    while (n > 0) {
        const size_t now = n < sizeof piece ? (size_t)n : sizeof piece;
        const enum cxn_status status = cxn_source_read(s, offset, piece, now, err);
        if (status != CXN_OK) return status;
        *crc = cxn_crc32(*crc, piece, now);
        offset += now;
        n -= now;
    }
    return CXN_OK;
}
