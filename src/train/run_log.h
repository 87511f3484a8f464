/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_RUN_LOG_H
#define CXN_TRAIN_RUN_LOG_H

#include <jansson.h>
#include <stdint.h>

#include "base/log.h"
#include "base/status.h"

/* A file of lines, one JSON object each, that grows while a run does. */
struct cxn_run_log {
    const char *path; /* borrowed */
    int fd;           /* -1: closed */
    uint64_t size_bytes;
};

/* Made where it is missing. CXN_E_IO. */
enum cxn_status cxn_run_log_open(struct cxn_run_log *log, const char *path,
                                 struct cxn_error *err);
void cxn_run_log_close(struct cxn_run_log *log);

enum cxn_status cxn_run_log_add(struct cxn_run_log *log, const json_t *object,
                                struct cxn_error *err);
enum cxn_status cxn_run_log_sync(struct cxn_run_log *log, struct cxn_error *err);

/* Back to its first size_bytes, which end with a line. Where the file has not so many, or no end of
 * a line there, it was changed by others: cut behind its last whole line, and that is noted. */
enum cxn_status cxn_run_log_cut(struct cxn_run_log *log, uint64_t size_bytes,
                                const struct cxn_log *notes, struct cxn_error *err);

#endif
