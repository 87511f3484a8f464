/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    TAIL_BYTES = END64_BYTES + LOCATOR_BYTES + END_BYTES,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    NAME_MAX_BYTES = 512,
    ENTRIES_MAX = 65536,
    DIRECTORY_MAX_BYTES = 8 << 20,
    FLAG_DESCRIPTOR = 1 << 3, /* sizes and checksum also behind the data */
    FLAG_UTF8 = 1 << 11,
};

#define SIGNATURE_LOCAL 0x04034b50u
#define SIGNATURE_DESCRIPTOR 0x08074b50u
#define SIGNATURE_CENTRAL 0x02014b50u
#define SIGNATURE_END64 0x06064b50u
#define SIGNATURE_LOCATOR 0x07064b50u
#define SIGNATURE_END 0x06054b50u
#define IN_ZIP64 0xffffffffu /* "the true value is in the zip64 record" */

/* Where the directory lies. */
struct place {
    uint64_t offset, size, count;
};

/* ---- the end records ---------------------------------------------------------------------- */

static enum cxn_status read_end(struct cxn_cursor *c, struct place *p, struct cxn_error *err)
{
    if (cxn_cursor_u32le(c) != SIGNATURE_END)
        return cxn_fail(err, CXN_E_FORMAT, "zip: no end record in the last 22 bytes: truncated, or "
                                           "with a comment or other bytes behind it");
    const uint16_t disk = cxn_cursor_u16le(c), first_disk = cxn_cursor_u16le(c);
    const uint16_t here = cxn_cursor_u16le(c);
    p->count = cxn_cursor_u16le(c);
    p->size = cxn_cursor_u32le(c);
    p->offset = cxn_cursor_u32le(c);
    const uint16_t comment = cxn_cursor_u16le(c);
    if (disk != 0 || first_disk != 0 || here != p->count || comment != 0)
        return cxn_fail(err, CXN_E_FORMAT, "zip: end record of several disks or with a comment");
    return CXN_OK;
}

static enum cxn_status read_end64(struct cxn_cursor *c, uint64_t at, struct place *p,
                                  struct cxn_error *err)
{
    const struct place old = *p;
    bool good = cxn_cursor_u32le(c) == SIGNATURE_END64 && cxn_cursor_u64le(c) == END64_BYTES - 12;
    cxn_cursor_u32le(c); /* versions */
    good = cxn_cursor_u32le(c) == 0 && cxn_cursor_u32le(c) == 0 && good; /* disks */
    const uint64_t here = cxn_cursor_u64le(c);
    p->count = cxn_cursor_u64le(c);
    p->size = cxn_cursor_u64le(c);
    p->offset = cxn_cursor_u64le(c);
    cxn_cursor_u32le(c); /* the locator's signature, seen before */
    good = cxn_cursor_u32le(c) == 0 && cxn_cursor_u64le(c) == at && good;
    good = cxn_cursor_u32le(c) == 1 && here == p->count && good;
    good = good && (old.count == 0xffff || old.count == p->count);
    good = good && (old.size == IN_ZIP64 || old.size == p->size);
    good = good && (old.offset == IN_ZIP64 || old.offset == p->offset);
    if (!good)
        return cxn_fail(err, CXN_E_FORMAT, "zip: zip64 end record at byte %llu is not consistent",
                        (unsigned long long)at);
    return CXN_OK;
}

static enum cxn_status check_place(const struct place *p, uint64_t end, struct cxn_error *err)
{
    if (p->size > end || p->offset != end - p->size)
        return cxn_fail(err, CXN_E_FORMAT,
                        "zip: directory of %llu bytes at byte %llu, expected to end at byte %llu",
                        (unsigned long long)p->size, (unsigned long long)p->offset,
                        (unsigned long long)end);
    if (p->count > ENTRIES_MAX || p->size > DIRECTORY_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "zip: %llu entries in %llu bytes, at most %d in %d",
                        (unsigned long long)p->count, (unsigned long long)p->size, ENTRIES_MAX,
                        DIRECTORY_MAX_BYTES);
    if (p->count * CENTRAL_BYTES > p->size)
        return cxn_fail(err, CXN_E_FORMAT, "zip: %llu entries do not fit a directory of %llu bytes",
                        (unsigned long long)p->count, (unsigned long long)p->size);
    return CXN_OK;
}

static enum cxn_status find_directory(const struct cxn_source *source, struct place *p,
                                      struct cxn_error *err)
{
    uint8_t tail[TAIL_BYTES] = { 0 };
    const uint64_t size = source->size_bytes;
    const size_t have = size < TAIL_BYTES ? (size_t)size : TAIL_BYTES;
    if (have < END_BYTES) return cxn_fail(err, CXN_E_FORMAT, "zip: too short for an end record");
    enum cxn_status status = cxn_source_read(source, size - have, tail + TAIL_BYTES - have, have,
                                             err);
    if (status != CXN_OK) return status;
    struct cxn_cursor end = cxn_cursor_make(tail + TAIL_BYTES - END_BYTES, END_BYTES);
    status = read_end(&end, p, err);
    if (status != CXN_OK) return status;
    struct cxn_cursor locator = cxn_cursor_make(tail + END64_BYTES, LOCATOR_BYTES);
    if (have < TAIL_BYTES || cxn_cursor_u32le(&locator) != SIGNATURE_LOCATOR)
        return check_place(p, size - END_BYTES, err);
    struct cxn_cursor end64 = cxn_cursor_make(tail, END64_BYTES + LOCATOR_BYTES);
    status = read_end64(&end64, size - TAIL_BYTES, p, err);
    return status == CXN_OK ? check_place(p, size - TAIL_BYTES, err) : status;
}

/* ---- entries ------------------------------------------------------------------------------ */

static enum cxn_status fail_entry(const struct cxn_zip_entry *e, const char *what,
                                  struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_FORMAT, "zip: entry '%.*s' at byte %llu: %s", (int)e->name_size,
                    e->name, (unsigned long long)e->header_offset, what);
}

/* The values that stand in a header as IN_ZIP64 follow in the extra field of type 1, in this
 * order. Those that are NULL are not looked for. */
static bool read_zip64_extra(struct cxn_cursor extra, uint64_t *size, uint64_t *packed_size,
                             uint64_t *offset)
{
    uint64_t *const wanted[] = { size, packed_size, offset };
    bool seen = false, open = false;
    for (size_t i = 0; i < CXN_COUNTOF(wanted); i++)
        open = open || (wanted[i] && *wanted[i] == IN_ZIP64);
    while (cxn_cursor_left(&extra) > 0) {
        const uint16_t type = cxn_cursor_u16le(&extra);
        const uint16_t n = cxn_cursor_u16le(&extra);
        const uint8_t *body = cxn_cursor_bytes(&extra, n);
        if (!body || (type == 1 && seen)) return false;
        if (type != 1) continue;
        seen = true;
        struct cxn_cursor c = cxn_cursor_make(body, n);
        for (size_t i = 0; i < CXN_COUNTOF(wanted); i++)
            if (wanted[i] && *wanted[i] == IN_ZIP64) *wanted[i] = cxn_cursor_u64le(&c);
        if (c.failed || (open && cxn_cursor_left(&c) > 0)) return false;
    }
    return seen || !open;
}

static enum cxn_status read_central(struct cxn_cursor *c, struct cxn_zip_entry *e,
                                    struct cxn_error *err)
{
    const size_t at = c->pos;
    const uint32_t signature = cxn_cursor_u32le(c);
    cxn_cursor_u32le(c); /* versions */
    e->flags = cxn_cursor_u16le(c);
    const uint16_t method = cxn_cursor_u16le(c);
    cxn_cursor_u32le(c); /* time and date */
    e->crc32 = cxn_cursor_u32le(c);
    uint64_t packed_size = cxn_cursor_u32le(c);
    e->size_bytes = cxn_cursor_u32le(c);
    e->name_size = cxn_cursor_u16le(c);
    const uint16_t extra_size = cxn_cursor_u16le(c), comment_size = cxn_cursor_u16le(c);
    const uint16_t disk = cxn_cursor_u16le(c);
    cxn_cursor_bytes(c, 6); /* attributes */
    e->header_offset = cxn_cursor_u32le(c);
    e->name = (const char *)cxn_cursor_bytes(c, e->name_size);
    const uint8_t *extra = cxn_cursor_bytes(c, extra_size);
    cxn_cursor_bytes(c, comment_size);
    if (c->failed || signature != SIGNATURE_CENTRAL)
        return cxn_fail(err, CXN_E_FORMAT, "zip: wrong entry at byte %zu of the directory", at);
    if (e->name_size == 0 || e->name_size > NAME_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "zip: a name of %u bytes, expected 1..%d", e->name_size,
                        NAME_MAX_BYTES);
    if (!read_zip64_extra(cxn_cursor_make(extra, extra_size), &e->size_bytes, &packed_size,
                          &e->header_offset))
        return fail_entry(e, "wrong extra field", err);
    if (e->flags & ~(unsigned)(FLAG_DESCRIPTOR | FLAG_UTF8))
        return fail_entry(e, "encrypted, or with flags that torch.save does not set", err);
    if (method != 0 || packed_size != e->size_bytes)
        return fail_entry(e, "compressed, as TorchScript does; expected a state_dict by torch.save",
                          err);
    return disk == 0 ? CXN_OK : fail_entry(e, "on another disk", err);
}

/* A local value may be left 0 where a descriptor follows the data. */
static bool agrees(uint64_t local, uint64_t central, const struct cxn_zip_entry *e)
{
    return local == central || (local == 0 && (e->flags & FLAG_DESCRIPTOR));
}

static enum cxn_status check_local_sizes(const struct cxn_source *source,
                                         const struct cxn_zip_entry *e, uint16_t extra_size,
                                         uint64_t sizes[2], struct cxn_error *err)
{
    if (sizes[0] == IN_ZIP64 || sizes[1] == IN_ZIP64) {
        uint8_t extra[512];
        if (extra_size > sizeof extra) return fail_entry(e, "extra field too long", err);
        const enum cxn_status status =
            cxn_source_read(source, e->data_offset - extra_size, extra, extra_size, err);
        if (status != CXN_OK) return status;
        if (!read_zip64_extra(cxn_cursor_make(extra, extra_size), &sizes[0], &sizes[1], NULL))
            return fail_entry(e, "wrong extra field in its local header", err);
    }
    if (!agrees(sizes[0], e->size_bytes, e) || !agrees(sizes[1], e->size_bytes, e))
        return fail_entry(e, "sizes differ between local header and directory", err);
    return CXN_OK;
}

static enum cxn_status check_local(const struct cxn_source *source, struct cxn_zip_entry *e,
                                   struct cxn_error *err)
{
    uint8_t raw[LOCAL_BYTES + NAME_MAX_BYTES];
    const size_t n = LOCAL_BYTES + (size_t)e->name_size;
    const enum cxn_status status = cxn_source_read(source, e->header_offset, raw, n, err);
    if (status != CXN_OK) return status;
    struct cxn_cursor c = cxn_cursor_make(raw, n);
    const uint32_t signature = cxn_cursor_u32le(&c);
    cxn_cursor_u16le(&c); /* version */
    const uint16_t flags = cxn_cursor_u16le(&c), method = cxn_cursor_u16le(&c);
    cxn_cursor_u32le(&c); /* time and date */
    const uint32_t crc = cxn_cursor_u32le(&c);
    const uint64_t packed_size = cxn_cursor_u32le(&c);
    uint64_t sizes[2] = { cxn_cursor_u32le(&c), packed_size };
    const uint16_t name_size = cxn_cursor_u16le(&c), extra_size = cxn_cursor_u16le(&c);
    if (signature != SIGNATURE_LOCAL) return fail_entry(e, "no local header there", err);
    if (name_size != e->name_size || memcmp(raw + LOCAL_BYTES, e->name, name_size) != 0)
        return fail_entry(e, "another name in its local header", err);
    if (flags != e->flags || method != 0 || !agrees(crc, e->crc32, e))
        return fail_entry(e, "local header and directory differ", err);
    e->data_offset = e->header_offset + n + extra_size;
    return check_local_sizes(source, e, extra_size, sizes, err);
}

/* What follows the data up to the next header: nothing, or a descriptor with 4- or 8-byte sizes
 * that says the same. */
static enum cxn_status check_descriptor(const struct cxn_source *source,
                                        const struct cxn_zip_entry *e, uint64_t gap,
                                        struct cxn_error *err)
{
    uint8_t raw[24];
    if (!(e->flags & FLAG_DESCRIPTOR) && gap == 0) return CXN_OK;
    if (!(e->flags & FLAG_DESCRIPTOR) || (gap != 16 && gap != 24))
        return fail_entry(e, "does not end where the next one begins", err);
    const enum cxn_status status =
        cxn_source_read(source, e->data_offset + e->size_bytes, raw, (size_t)gap, err);
    if (status != CXN_OK) return status;
    struct cxn_cursor c = cxn_cursor_make(raw, (size_t)gap);
    bool good = cxn_cursor_u32le(&c) == SIGNATURE_DESCRIPTOR && cxn_cursor_u32le(&c) == e->crc32;
    for (int i = 0; i < 2; i++) {
        const uint64_t size = gap == 24 ? cxn_cursor_u64le(&c) : cxn_cursor_u32le(&c);
        good = good && size == e->size_bytes;
    }
    return good ? CXN_OK : fail_entry(e, "descriptor and directory differ", err);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct cxn_zip_entry *x = a, *y = b;
    return (x->header_offset > y->header_offset) - (x->header_offset < y->header_offset);
}

static int compare_keys(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_names(const void *a, const void *b)
{
    const struct cxn_zip_entry *x = a, *y = b;
    return compare_keys(x->name, x->name_size, y->name, y->name_size);
}

/* Entries lie one behind the other from byte 0 to the directory. */
static enum cxn_status check_tiling(struct cxn_zip *zip, const struct cxn_source *source,
                                    uint64_t directory_offset, struct cxn_error *err)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_offsets);
    if (zip->entries[0].header_offset != 0)
        return fail_entry(&zip->entries[0], "the first one, expected at byte 0", err);
    for (size_t i = 0; i < zip->count; i++) {
        struct cxn_zip_entry *e = &zip->entries[i];
        const uint64_t next =
            i + 1 < zip->count ? zip->entries[i + 1].header_offset : directory_offset;
        enum cxn_status status = check_local(source, e, err);
        if (status != CXN_OK) return status;
        if (next < e->data_offset || e->size_bytes > next - e->data_offset)
            return fail_entry(e, "overlaps what follows it", err);
        status = check_descriptor(source, e, next - e->data_offset - e->size_bytes, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

static enum cxn_status check_names(struct cxn_zip *zip, struct cxn_error *err)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_names(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return fail_entry(&zip->entries[i], "its name is there twice", err);
    return CXN_OK;
}

static enum cxn_status read_directory(struct cxn_zip *zip, const struct cxn_source *source,
                                      const struct place *p, struct cxn_error *err)
{
    zip->directory = cxn_alloc(zip->mem, (size_t)p->size, 1);
    zip->entries = cxn_alloc_zero(zip->mem, (size_t)p->count, sizeof *zip->entries);
    if (!zip->directory || !zip->entries)
        return cxn_fail_nomem(err, zip->mem, (size_t)p->size, "the directory of a zip");
    enum cxn_status status =
        cxn_source_read(source, p->offset, zip->directory, (size_t)p->size, err);
    struct cxn_cursor c = cxn_cursor_make(zip->directory, (size_t)p->size);
    for (; zip->count < p->count && status == CXN_OK; zip->count++)
        status = read_central(&c, &zip->entries[zip->count], err);
    if (status == CXN_OK && cxn_cursor_left(&c) > 0)
        return cxn_fail(err, CXN_E_FORMAT, "zip: directory longer than its %zu entries",
                        zip->count);
    return status;
}

enum cxn_status cxn_zip_open(struct cxn_zip *zip, struct cxn_mem *mem,
                             const struct cxn_source *source, struct cxn_error *err)
{
    struct place p = { 0 };
    *zip = (struct cxn_zip){ .mem = mem };
    enum cxn_status status = find_directory(source, &p, err);
    if (status != CXN_OK) return status;
    if (p.count == 0) return cxn_fail(err, CXN_E_FORMAT, "zip: no entries");
    status = read_directory(zip, source, &p, err);
    if (status == CXN_OK) status = check_tiling(zip, source, p.offset, err);
    return status == CXN_OK ? check_names(zip, err) : status;
}

void cxn_zip_close(struct cxn_zip *zip)
{
    cxn_free(zip->directory);
    cxn_free(zip->entries);
    *zip = (struct cxn_zip){ .mem = zip->mem };
}

const struct cxn_zip_entry *cxn_zip_find(const struct cxn_zip *zip, const char *name, size_t size)
{
    size_t lo = 0, hi = zip->count;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const struct cxn_zip_entry *e = &zip->entries[mid];
        const int order = compare_keys(name, size, e->name, e->name_size);
        if (order == 0) return e;
        if (order < 0) hi = mid;
        else lo = mid + 1;
    }
    return NULL;
}

enum cxn_status cxn_zip_read(const struct cxn_zip *zip, const struct cxn_source *source,
                             const struct cxn_zip_entry *entry, size_t limit_bytes,
                             struct cxn_bytes *bytes, struct cxn_error *err)
{
    if (entry->size_bytes > limit_bytes)
        return cxn_fail(err, CXN_E_LIMIT, "zip: entry '%.*s' has %llu bytes, at most %zu are read",
                        (int)entry->name_size, entry->name, (unsigned long long)entry->size_bytes,
                        limit_bytes);
    const size_t size = (size_t)entry->size_bytes;
    uint8_t *data = cxn_alloc(zip->mem, size, 1);
    if (!data) return cxn_fail_nomem(err, zip->mem, size, "an entry of a zip");
    enum cxn_status status = cxn_source_read(source, entry->data_offset, data, size, err);
    if (status == CXN_OK && cxn_crc32(0, data, size) != entry->crc32)
        status = fail_entry(entry, "its CRC-32 is wrong", err);
    if (status != CXN_OK) {
        cxn_free(data);
        return status;
    }
    *bytes = (struct cxn_bytes){ .data = data, .size = size };
    return CXN_OK;
}
