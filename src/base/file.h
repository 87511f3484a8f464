/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_FILE_H
#define CXN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* ---- reading ------------------------------------------------------------------------------ */

/* An open regular file; anything else (folder, pipe, device) is refused when opening. */
struct cxn_file {
    int fd;
    uint64_t size_bytes; /* when opened */
};

enum cxn_status cxn_file_open(struct cxn_file *f, const char *path, struct cxn_error *err);

/* The file `name`, without a folder, beside the one at path. For names that come from a file: a
 * symbolic link, a file with several names and all that is not a regular file are refused. */
enum cxn_status cxn_file_open_beside(struct cxn_file *f, const char *path, const char *name,
                                     struct cxn_error *err);

/* Exactly n bytes from offset; CXN_E_IO when the file ends before (it shrank since it was opened).
 * Texts of errors name path. */
enum cxn_status cxn_file_pread(const struct cxn_file *f, const char *path, uint64_t offset,
                               void *dst, size_t n, struct cxn_error *err);

void cxn_file_close(struct cxn_file *f);

/* What tells one content of a file from another without reading it. CXN_E_IO. */
struct cxn_file_stamp {
    uint64_t size_bytes;
    int64_t mtime_ns; /* last change of content, ns since 1970 */
};
enum cxn_status cxn_file_stamp(const char *path, struct cxn_file_stamp *stamp,
                               struct cxn_error *err);

/* The whole of a file in memory of its own. A file over limit_bytes is CXN_E_LIMIT, before anything
 * is allocated. Free data with cxn_free(). */
struct cxn_bytes {
    uint8_t *data;
    size_t size;
};
enum cxn_status cxn_file_read(struct cxn_mem *mem, const char *path, size_t limit_bytes,
                              struct cxn_bytes *bytes, struct cxn_error *err);

/* ---- writing ------------------------------------------------------------------------------ */

/*
 * A file that appears under its final name only when complete: written beside it under a temporary
 * name, synced, renamed, and the folder synced. The first error sticks and is told by
 * cxn_out_commit(). The final name may exist; it is replaced. A symbolic link as the final name is
 * refused, so is anything that is not a regular file.
 */
typedef struct cxn_out cxn_out;

enum cxn_status cxn_out_open(cxn_out **out, const char *path, struct cxn_error *err);
void cxn_out_write(cxn_out *out, const void *data, size_t n);
void cxn_out_printf(cxn_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes written so far. */
uint64_t cxn_out_size(const cxn_out *out);

/* Closes, frees, writes NULL in either case. After an error there is no temporary file and what
 * stood under the final name is as it was; but where the folder alone cannot be synced, the new
 * file stands there, complete, and may be lost when the power fails. */
enum cxn_status cxn_out_commit(cxn_out **out, struct cxn_error *err);

/* Whether path may be written: CXN_E_IO for a symbolic link and anything else that is not a regular
 * file. *there: there is a file under that name; it would be replaced. */
enum cxn_status cxn_file_check_target(const char *path, bool *there, struct cxn_error *err);

/* After a rename or a removal: put the folder that holds path on the disk. */
enum cxn_status cxn_file_sync_folder(const char *path, struct cxn_error *err);

/* Drop everything written; *out becomes NULL. NULL is fine. */
void cxn_out_abort(cxn_out **out);

#endif
