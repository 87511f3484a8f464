/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes over fd; fails also where the file has more names than one and may not. */
static enum cxn_status take_descriptor(struct cxn_file *f, int fd, const char *path,
                                       nlink_t names_max, struct cxn_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        const int why = errno;
        close(fd);
        return cxn_fail_errno(err, why, "examine", path);
    }
    if (!S_ISREG(st.st_mode) || (names_max > 0 && st.st_nlink > names_max)) {
        close(fd);
        return cxn_fail(err, CXN_E_IO, "cannot read '%s': %s", path,
                        S_ISREG(st.st_mode) ? "it has more names than one"
                                            : "not a regular file");
    }
    f->fd = fd;
    f->size_bytes = (uint64_t)st.st_size;
    return CXN_OK;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer; it is refused right behind. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK };

enum cxn_status cxn_file_open(struct cxn_file *f, const char *path, struct cxn_error *err)
{
    *f = (struct cxn_file){ .fd = -1 };
    const int fd = open(path, OPEN_FLAGS);
    if (fd < 0) return cxn_fail_errno(err, errno, "open", path);
    return take_descriptor(f, fd, path, 0, err);
}

enum cxn_status cxn_file_open_beside(struct cxn_file *f, const char *path, const char *name,
                                     struct cxn_error *err)
{
    const char *slash = strrchr(path, '/');
    *f = (struct cxn_file){ .fd = -1 };
    if (strchr(name, '/')) return cxn_fail(err, CXN_E_ARG, "'%s' is not a file name", name);
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder) return cxn_fail(err, CXN_E_NOMEM, "no memory to open '%s'", name);
    const int in = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int why = errno;
    free(folder);
    if (in < 0) return cxn_fail_errno(err, why, "open the folder of", path);
    const int fd = openat(in, name, OPEN_FLAGS | O_NOFOLLOW);
    const int failure = errno;
    close(in);
    if (fd < 0) return cxn_fail_errno(err, failure, "open", name);
    return take_descriptor(f, fd, name, 1, err);
}

enum cxn_status cxn_file_pread(const struct cxn_file *f, const char *path, uint64_t offset,
                               void *dst, size_t n, struct cxn_error *err)
{
    uint8_t *to = dst;
    if (offset > INT64_MAX)
        return cxn_fail(err, CXN_E_IO, "cannot read '%s': offset too large", path);
    while (n > 0) {
        const ssize_t got = pread(f->fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cxn_fail_errno(err, errno, "read", path);
        if (got == 0)
            return cxn_fail(err, CXN_E_IO, "cannot read '%s': it ends %zu bytes early", path, n);
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return CXN_OK;
}

void cxn_file_close(struct cxn_file *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

enum cxn_status cxn_file_stamp(const char *path, struct cxn_file_stamp *stamp,
                               struct cxn_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) return cxn_fail_errno(err, errno, "examine", path);
    stamp->size_bytes = (uint64_t)st.st_size;
    /* Unsigned: dates after 2262, which file systems can hold, wrap instead of being undefined. */
    stamp->mtime_ns = (int64_t)((uint64_t)st.st_mtim.tv_sec * 1000000000u +
                                (uint64_t)st.st_mtim.tv_nsec);
    return CXN_OK;
}

static enum cxn_status read_open_file(struct cxn_mem *mem, const struct cxn_file *f,
                                      const char *path, size_t limit_bytes,
                                      struct cxn_bytes *bytes, struct cxn_error *err)
{
    if (f->size_bytes > limit_bytes)
        return cxn_fail(err, CXN_E_LIMIT, "%s: %llu bytes, at most %zu are read", path,
                        (unsigned long long)f->size_bytes, limit_bytes);
    const size_t size = (size_t)f->size_bytes;
    uint8_t *data = cxn_alloc(mem, size, 1);
    if (!data) return cxn_fail_in(err, cxn_fail_nomem(err, mem, size, "the file"), path);
    const enum cxn_status status = cxn_file_pread(f, path, 0, data, size, err);
    if (status != CXN_OK) {
        cxn_free(data);
        return status;
    }
    *bytes = (struct cxn_bytes){ .data = data, .size = size };
    return CXN_OK;
}

enum cxn_status cxn_file_read(struct cxn_mem *mem, const char *path, size_t limit_bytes,
                              struct cxn_bytes *bytes, struct cxn_error *err)
{
    *bytes = (struct cxn_bytes){ 0 };
    struct cxn_file f;
    enum cxn_status status = cxn_file_open(&f, path, err);
    if (status != CXN_OK) return status;
    status = read_open_file(mem, &f, path, limit_bytes, bytes, err);
    cxn_file_close(&f);
    return status;
}
