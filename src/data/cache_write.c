/* SPDX-License-Identifier: Apache-2.0 */
#include "data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

struct cxn_cache_writer {
    const struct cxn_env *env;
    struct cxn_file file; /* the unfinished one, locked */
    char *path, *partial;
    uint64_t end; /* where the next record goes */
};

/* ---- bytes to the disk -------------------------------------------------------------------- */

static enum cxn_status put_bytes(cxn_cache_writer *w, uint64_t offset, const void *data, size_t n,
                                 struct cxn_error *err)
{
    const uint8_t *from = data;
    while (n > 0) {
        const ssize_t put = pwrite(w->file.fd, from, n, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return cxn_fail_errno(err, put < 0 ? errno : EIO, "write", w->partial);
        from += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return CXN_OK;
}

static enum cxn_status sync_file(cxn_cache_writer *w, struct cxn_error *err)
{
    if (fsync(w->file.fd) == 0) return CXN_OK;
    return cxn_fail_errno(err, errno, "write", w->partial);
}

static enum cxn_status put_header(cxn_cache_writer *w, const struct cxn_cache_header *h,
                                  struct cxn_error *err)
{
    uint8_t bytes[CXN_CACHE_HEADER_BYTES];
    cxn_cache_header_encode(h, bytes);
    return put_bytes(w, 0, bytes, sizeof bytes, err);
}

/* ---- opening and going on ------------------------------------------------------------------ */

/* The lock is on the file, which a finishing writer renames away: what was locked must still be
 * what the name stands for. */
static enum cxn_status lock_partial(cxn_cache_writer *w, struct cxn_error *err)
{
    struct stat mine, named;
    w->file.fd = open(w->partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (w->file.fd < 0) return cxn_fail_errno(err, errno, "write", w->partial);
    const bool locked = flock(w->file.fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK) return cxn_fail_errno(err, errno, "lock", w->partial);
    if (!locked || fstat(w->file.fd, &mine) != 0 || stat(w->partial, &named) != 0 ||
        mine.st_ino != named.st_ino || mine.st_dev != named.st_dev)
        return cxn_fail(err, CXN_E_IO, "cannot write '%s': another prepare is writing it", w->path);
    if (!S_ISREG(mine.st_mode))
        return cxn_fail(err, CXN_E_IO, "cannot write '%s': not a regular file", w->partial);
    w->file.size_bytes = (uint64_t)mine.st_size;
    return CXN_OK;
}

static bool read_at(const cxn_cache_writer *w, uint64_t offset, void *dst, size_t n)
{
    return cxn_file_pread(&w->file, w->partial, offset, dst, n, NULL) == CXN_OK;
}

/* One record at w->end: false at the first that is not whole, which ends what can be kept. The
 * pixels are checked too, for after a loss of power a file may have its length but not its
 * content. scratch grows as needed. */
static bool read_record(cxn_cache_writer *w, uint8_t head[CXN_CACHE_ENTRY_BYTES_MAX],
                        struct cxn_bytes *scratch, struct cxn_cache_entry *e)
{
    uint8_t record[CXN_CACHE_RECORD_BYTES];
    size_t entry_bytes;
    uint32_t entry_crc;
    if (!read_at(w, w->end, record, sizeof record) ||
        !cxn_cache_record_decode(record, &entry_bytes, &entry_crc) ||
        !read_at(w, w->end + sizeof record, head, entry_bytes) ||
        cxn_crc32(0, head, entry_bytes) != entry_crc)
        return false;
    struct cxn_cursor c = cxn_cursor_make(head, entry_bytes);
    if (cxn_cache_entry_decode(&c, w->file.size_bytes, e, NULL) != CXN_OK ||
        cxn_cursor_left(&c) != 0 ||
        e->data_offset != cxn_cache_align(w->end + sizeof record + entry_bytes))
        return false;
    if (e->data_bytes > scratch->size) {
        uint8_t *more = cxn_realloc(w->env->mem, scratch->data, e->data_bytes, 1);
        if (!more) return false; /* decoding it again is always right */
        *scratch = (struct cxn_bytes){ .data = more, .size = e->data_bytes };
    }
    return read_at(w, e->data_offset, scratch->data, e->data_bytes) &&
           cxn_crc32(0, scratch->data, e->data_bytes) == e->data_crc;
}

static void scan_records(cxn_cache_writer *w, cxn_cache_found_fn *found, void *ctx)
{
    uint8_t head[CXN_CACHE_ENTRY_BYTES_MAX];
    struct cxn_bytes scratch = { 0 };
    struct cxn_cache_entry e;
    while (read_record(w, head, &scratch, &e)) {
        found(ctx, &e);
        w->end = cxn_cache_align(e.data_offset + e.data_bytes);
    }
    cxn_free(scratch.data);
}

/* A file that is there and did not come from here is not written over. Zeros are what a loss of
 * power may leave of a header. */
static enum cxn_status check_partial(cxn_cache_writer *w, struct cxn_error *err)
{
    struct cxn_cache_header h;
    static const uint8_t zeros[CXN_CACHE_HEADER_BYTES];
    uint8_t bytes[CXN_CACHE_HEADER_BYTES];
    enum cxn_status status = cxn_file_pread(&w->file, w->partial, 0, bytes, sizeof bytes, err);
    if (status != CXN_OK || memcmp(bytes, zeros, sizeof bytes) == 0) return status;
    return cxn_fail_in(err, cxn_cache_header_decode(bytes, &h, err), w->partial);
}

static enum cxn_status resume(cxn_cache_writer *w, cxn_cache_found_fn *found, void *ctx,
                              struct cxn_error *err)
{
    w->end = CXN_CACHE_HEADER_BYTES;
    if (w->file.size_bytes >= CXN_CACHE_HEADER_BYTES) {
        const enum cxn_status status = check_partial(w, err);
        if (status != CXN_OK) return status;
        scan_records(w, found, ctx);
    }
    /* The header before anything else: at no moment is the file one that would be refused. */
    const enum cxn_status status = put_header(w, &(struct cxn_cache_header){ 0 }, err);
    if (status != CXN_OK) return status;
    if (ftruncate(w->file.fd, (off_t)w->end) != 0)
        return cxn_fail_errno(err, errno, "write", w->partial);
    return CXN_OK;
}

static enum cxn_status name_files(cxn_cache_writer *w, const char *path, struct cxn_error *err)
{
    static const char suffix[] = ".partial";
    struct cxn_mem *mem = w->env->mem;
    const size_t n = strlen(path);
    w->path = cxn_strndup(mem, path, n);
    w->partial = cxn_alloc(mem, n + sizeof suffix, 1);
    if (!w->path || !w->partial) return cxn_fail_nomem(err, mem, n, "a cache's name");
    memcpy(w->partial, path, n);
    memcpy(w->partial + n, suffix, sizeof suffix);
    return CXN_OK;
}

enum cxn_status cxn_cache_writer_open(cxn_cache_writer **writer, const struct cxn_env *env,
                                      const char *path, cxn_cache_found_fn *found, void *ctx,
                                      struct cxn_error *err)
{
    *writer = NULL;
    cxn_cache_writer *w = cxn_alloc_zero(env->mem, 1, sizeof *w);
    if (!w) return cxn_fail_nomem(err, env->mem, sizeof *w, "a cache");
    w->env = env;
    w->file.fd = -1;
    enum cxn_status status = name_files(w, path, err);
    if (status == CXN_OK) status = lock_partial(w, err);
    if (status == CXN_OK) status = resume(w, found, ctx, err);
    if (status != CXN_OK) cxn_cache_writer_close(&w);
    *writer = w;
    return status;
}

/* ---- adding and finishing ------------------------------------------------------------------ */

enum cxn_status cxn_cache_writer_append(cxn_cache_writer *w, struct cxn_cache_entry *e,
                                        const uint8_t *data, struct cxn_error *err)
{
    uint8_t bytes[CXN_CACHE_RECORD_BYTES + CXN_CACHE_ENTRY_BYTES_MAX];
    uint8_t *entry = bytes + CXN_CACHE_RECORD_BYTES;
    const size_t entry_bytes = cxn_cache_entry_encode(e, entry); /* its size does not change */
    e->data_offset = cxn_cache_align(w->end + CXN_CACHE_RECORD_BYTES + entry_bytes);
    e->data_crc = cxn_crc32(0, data, e->data_bytes);
    cxn_cache_entry_encode(e, entry);
    cxn_cache_record_encode(entry, entry_bytes, bytes);
    enum cxn_status status = put_bytes(w, e->data_offset, data, e->data_bytes, err);
    if (status == CXN_OK)
        status = put_bytes(w, w->end, bytes, CXN_CACHE_RECORD_BYTES + entry_bytes, err);
    if (status == CXN_OK) w->end = cxn_cache_align(e->data_offset + e->data_bytes);
    return status;
}

static enum cxn_status put_index(cxn_cache_writer *w, const struct cxn_cache_entry *const *entries,
                                 struct cxn_cache_header *h, struct cxn_error *err)
{
    h->index_offset = w->end;
    for (size_t i = 0; i < h->entry_count; i++) {
        uint8_t entry[CXN_CACHE_ENTRY_BYTES_MAX];
        const size_t n = cxn_cache_entry_encode(entries[i], entry);
        h->index_crc = cxn_crc32(h->index_crc, entry, n);
        const enum cxn_status status = put_bytes(w, w->end + h->index_bytes, entry, n, err);
        if (status != CXN_OK) return status;
        h->index_bytes += n;
    }
    if (h->index_bytes > CXN_CACHE_INDEX_BYTES_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "%s: an index of %llu bytes, at most %llu", w->path,
                        (unsigned long long)h->index_bytes,
                        (unsigned long long)CXN_CACHE_INDEX_BYTES_MAX);
    return CXN_OK;
}

/* In this order: an index is on the disk before the header points at it, and both before the file
 * has its name. Where the last record ends before its alignment, the index begins after a hole. */
enum cxn_status cxn_cache_writer_finish(cxn_cache_writer *w,
                                        const struct cxn_cache_entry *const *entries, size_t count,
                                        struct cxn_error *err)
{
    struct cxn_cache_header h = { .entry_count = count };
    enum cxn_status status = put_index(w, entries, &h, err);
    if (status == CXN_OK && ftruncate(w->file.fd, (off_t)(h.index_offset + h.index_bytes)) != 0)
        status = cxn_fail_errno(err, errno, "write", w->partial);
    if (status == CXN_OK) status = sync_file(w, err);
    if (status == CXN_OK) status = put_header(w, &h, err);
    if (status == CXN_OK) status = sync_file(w, err);
    if (status == CXN_OK && rename(w->partial, w->path) != 0)
        status = cxn_fail_errno(err, errno, "write", w->path);
    if (status == CXN_OK) status = cxn_file_sync_folder(w->path, err);
    return status;
}

void cxn_cache_writer_discard(cxn_cache_writer *w)
{
    unlink(w->partial);
}

void cxn_cache_writer_close(cxn_cache_writer **writer)
{
    if (!writer || !*writer) return;
    cxn_file_close(&(*writer)->file); /* gives the lock back */
    cxn_free((*writer)->partial);
    cxn_free((*writer)->path);
    cxn_free(*writer);
    *writer = NULL;
}
