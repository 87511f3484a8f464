/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_dump.h"

enum cxn_status cxn_run_log_open(struct cxn_run_log *log, const char *path,
                                 struct cxn_error *err)
{
    struct stat st;
    *log = (struct cxn_run_log){ .path = path };
    log->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (log->fd < 0) return cxn_fail_errno(err, errno, "write", path);
    if (fstat(log->fd, &st) != 0) return cxn_fail_errno(err, errno, "examine", path);
    if (!S_ISREG(st.st_mode))
        return cxn_fail(err, CXN_E_IO, "cannot write '%s': not a regular file", path);
    log->size_bytes = (uint64_t)st.st_size;
    return CXN_OK;
}

void cxn_run_log_close(struct cxn_run_log *log)
{
    if (log->fd >= 0) close(log->fd);
    log->fd = -1;
}

/* ---- adding ------------------------------------------------------------------------------- */

static int put_all(int fd, const char *text, size_t n, uint64_t offset)
{
    while (n > 0) {
        const ssize_t put = pwrite(fd, text, n, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? errno : EIO;
        text += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return 0;
}

enum cxn_status cxn_run_log_add(struct cxn_run_log *log, const json_t *object,
                                struct cxn_error *err)
{
    if (!json_is_object(object))
        return cxn_fail(err, CXN_E_ARG, "%s: expected a JSON object to add", log->path);
    char *line = cxn_json_dump(object, JSON_COMPACT);
    if (!line) return cxn_fail(err, CXN_E_NOMEM, "no memory to write '%s'", log->path);
    const size_t n = strlen(line) + 1;
    line[n - 1] = '\n'; /* in the place of the NUL */
    const int why = put_all(log->fd, line, n, log->size_bytes);
    free(line);
    if (why == 0) {
        log->size_bytes += n;
        return CXN_OK;
    }
    /* Where this fails too, the next line or the next resume overwrites what is left. */
    if (ftruncate(log->fd, (off_t)log->size_bytes) != 0) errno = 0;
    return cxn_fail_errno(err, why, "write", log->path);
}

enum cxn_status cxn_run_log_sync(struct cxn_run_log *log, struct cxn_error *err)
{
    return fsync(log->fd) == 0 ? CXN_OK : cxn_fail_errno(err, errno, "write", log->path);
}

/* ---- cutting ------------------------------------------------------------------------------ */

static bool ends_line(const struct cxn_run_log *log, uint64_t at)
{
    char c;
    return at == 0 || (at <= log->size_bytes && pread(log->fd, &c, 1, (off_t)at - 1) == 1 &&
                       c == '\n');
}

/* *at: behind the last '\n' before `from`. */
static enum cxn_status find_last_line(const struct cxn_run_log *log, uint64_t from, uint64_t *at,
                                      struct cxn_error *err)
{
    char piece[4096];
    const struct cxn_file file = { .fd = log->fd, .size_bytes = log->size_bytes };
    *at = 0;
    for (uint64_t end = from < log->size_bytes ? from : log->size_bytes; end > 0;) {
        const size_t n = end < sizeof piece ? (size_t)end : sizeof piece;
        const enum cxn_status status = cxn_file_pread(&file, log->path, end - n, piece, n, err);
        if (status != CXN_OK) return status;
        const char *last = memrchr(piece, '\n', n);
        end -= n;
        if (!last) continue;
        *at = end + (uint64_t)(last - piece) + 1;
        break;
    }
    return CXN_OK;
}

enum cxn_status cxn_run_log_cut(struct cxn_run_log *log, uint64_t size_bytes,
                                const struct cxn_log *notes, struct cxn_error *err)
{
    uint64_t keep = size_bytes;
    if (!ends_line(log, size_bytes)) {
        const enum cxn_status status = find_last_line(log, size_bytes, &keep, err);
        if (status != CXN_OK) return status;
        cxn_note(notes, "%s: no line ends at byte %llu, as the checkpoint has it; going on behind "
                        "byte %llu of %llu",
                 log->path, (unsigned long long)size_bytes, (unsigned long long)keep,
                 (unsigned long long)log->size_bytes);
    }
    if (ftruncate(log->fd, (off_t)keep) != 0)
        return cxn_fail_errno(err, errno, "write", log->path);
    log->size_bytes = keep;
    return CXN_OK;
}
