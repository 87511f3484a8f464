/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_STATUS_H
#define CXN_BASE_STATUS_H

#include <stddef.h>

#include <chexnet/status.h>

#define CXN_COUNTOF(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Write the text (err may be NULL) and hand the code back, so that a check is one line:
 *     return cxn_fail(err, CXN_E_FORMAT, "png: bit depth %u, expected 1, 2, 4, 8 or 16", depth);
 * Strings in it may come from a hostile file: control characters, and bytes that are not UTF-8, are
 * escaped as \xNN, so that the text can go to a terminal and into JSON.
 */
enum cxn_status cxn_fail(struct cxn_error *err, enum cxn_status code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Put "where: " before the text that is there already and hand the code back. Readers say what is
 * wrong with the bytes; whoever opened the file adds its name. Does nothing for CXN_OK.
 */
enum cxn_status cxn_fail_in(struct cxn_error *err, enum cxn_status code, const char *where);

/* "cannot <verb> '<path>': <strerror>" with the code that fits the errno value: CXN_E_IO, or
 * CXN_E_NOMEM for ENOMEM. */
enum cxn_status cxn_fail_errno(struct cxn_error *err, int errno_value, const char *verb,
                               const char *path);

#endif
