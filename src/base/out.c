/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { BUFFER_BYTES = 1 << 16, TEMP_NAMES_MAX = 100 };

struct cxn_out {
    int fd;
    int error; /* errno of the first failure, 0: none */
    uint64_t size;
    size_t filled;
    char *path, *temp_path;
    uint8_t buffer[BUFFER_BYTES];
};

static void out_free(cxn_out **out)
{
    if ((*out)->fd >= 0) close((*out)->fd);
    free((*out)->path);
    free((*out)->temp_path);
    free(*out);
    *out = NULL;
}

enum cxn_status cxn_file_check_target(const char *path, bool *there, struct cxn_error *err)
{
    struct stat st;
    *there = lstat(path, &st) == 0;
    if (!*there) return errno == ENOENT ? CXN_OK : cxn_fail_errno(err, errno, "write", path);
    if (S_ISREG(st.st_mode)) return CXN_OK;
    return cxn_fail(err, CXN_E_IO, "cannot write '%s': it exists and is not a regular file", path);
}

/* Process number and attempt: two writers never share a name, be they threads, or processes of two
 * containers with the same number; and what a killed one left behind does not stop the next. */
static enum cxn_status open_temp(cxn_out *out, const char *path, struct cxn_error *err)
{
    out->path = strdup(path);
    for (unsigned attempt = 0; out->path && attempt < TEMP_NAMES_MAX; attempt++) {
        free(out->temp_path);
        if (asprintf(&out->temp_path, "%s.%ld-%u.tmp", path, (long)getpid(), attempt) < 0) {
            out->temp_path = NULL;
            break;
        }
        out->fd = open(out->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (out->fd >= 0) return CXN_OK;
        if (errno != EEXIST) return cxn_fail_errno(err, errno, "write", path);
    }
    if (out->temp_path) return cxn_fail_errno(err, EEXIST, "write", path);
    return cxn_fail(err, CXN_E_NOMEM, "no memory to write '%s'", path);
}

enum cxn_status cxn_out_open(cxn_out **out, const char *path, struct cxn_error *err)
{
    bool there;
    *out = NULL;
    enum cxn_status status = cxn_file_check_target(path, &there, err);
    if (status != CXN_OK) return status;
    cxn_out *o = calloc(1, sizeof *o);
    if (!o) return cxn_fail(err, CXN_E_NOMEM, "no memory to write '%s'", path);
    o->fd = -1;
    status = open_temp(o, path, err);
    if (status != CXN_OK) {
        out_free(&o);
        return status;
    }
    *out = o;
    return CXN_OK;
}

static void write_all(cxn_out *out, const uint8_t *data, size_t n)
{
    while (n > 0 && out->error == 0) {
        const ssize_t put = write(out->fd, data, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            out->error = errno;
        } else if (put == 0) {
            out->error = EIO; /* a write that takes nothing would loop for ever */
        } else {
            data += put;
            n -= (size_t)put;
        }
    }
}

static void flush_buffer(cxn_out *out)
{
    write_all(out, out->buffer, out->filled);
    out->filled = 0;
}

void cxn_out_write(cxn_out *out, const void *data, size_t n)
{
    if (n == 0) return; /* memcpy() may not be given NULL, even for nothing */
    out->size += n;
    if (n > BUFFER_BYTES - out->filled) flush_buffer(out);
    if (n > BUFFER_BYTES) {
        write_all(out, data, n);
        return;
    }
    memcpy(out->buffer + out->filled, data, n);
    out->filled += n;
}

void cxn_out_printf(cxn_out *out, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    const int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        if (out->error == 0) out->error = ENOMEM;
        return;
    }
    cxn_out_write(out, text, (size_t)n);
    free(text);
}

uint64_t cxn_out_size(const cxn_out *out)
{
    return out->size;
}

/* The rename is only on the disk when the folder is. Some file systems cannot sync a folder and
 * say EINVAL; there is nothing more to be done then. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder) return ENOMEM;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0) return errno == EACCES ? 0 : errno; /* it may be writable but not readable */
    const int why = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    return why;
}

enum cxn_status cxn_file_sync_folder(const char *path, struct cxn_error *err)
{
    const int why = sync_folder(path);
    return why == 0 ? CXN_OK : cxn_fail_errno(err, why, "write", path);
}

enum cxn_status cxn_out_commit(cxn_out **out_ref, struct cxn_error *err)
{
    cxn_out *out = *out_ref;
    flush_buffer(out);
    if (out->error == 0 && fsync(out->fd) != 0) out->error = errno;
    const int fd = out->fd;
    out->fd = -1;
    if (close(fd) != 0 && errno != EINTR && out->error == 0) out->error = errno;
    if (out->error == 0 && rename(out->temp_path, out->path) != 0) out->error = errno;
    if (out->error != 0) unlink(out->temp_path);
    if (out->error == 0) out->error = sync_folder(out->path);
    enum cxn_status status = CXN_OK;
    if (out->error != 0) status = cxn_fail_errno(err, out->error, "write", out->path);
    out_free(out_ref);
    return status;
}

void cxn_out_abort(cxn_out **out)
{
    if (!out || !*out) return;
    unlink((*out)->temp_path);
    out_free(out);
}
