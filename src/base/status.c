/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit;
} statuses[CXN_STATUS_COUNT] = {
    [CXN_OK] = { "done", 0 },
    [CXN_E_INTERNAL] = { "internal failure", 1 },
    [CXN_E_ARG] = { "wrong usage", 2 },
    [CXN_E_FORMAT] = { "wrong content", 3 },
    [CXN_E_LIMIT] = { "over a limit", 3 },
    [CXN_E_IO] = { "file error", 4 },
    [CXN_E_NOMEM] = { "not enough memory", 5 },
    [CXN_E_PEER] = { "peer process lost", 6 },
};

const char *cxn_status_name(enum cxn_status status)
{
    const size_t i = (size_t)status;
    return i < CXN_STATUS_COUNT ? statuses[i].name : "unknown status";
}

int cxn_status_exit(enum cxn_status status)
{
    const size_t i = (size_t)status;
    return i < CXN_STATUS_COUNT ? statuses[i].exit : 1;
}

/* Copy at most n - 1 bytes of src, with control bytes written as \xNN. */
static void copy_escaped(char *dst, size_t n, const char *src)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (; *src; src++) {
        const unsigned char c = (unsigned char)*src;
        const bool control = c < 0x20 || c == 0x7f;
        if (at + (control ? 4 : 1) >= n) break;
        if (control) {
            dst[at++] = '\\';
            dst[at++] = 'x';
            dst[at++] = hex[c >> 4];
            dst[at++] = hex[c & 15];
        } else {
            dst[at++] = (char)c;
        }
    }
    dst[at] = '\0';
}

enum cxn_status cxn_fail(struct cxn_error *err, enum cxn_status code, const char *fmt, ...)
{
    if (!err) return code;
    char raw[CXN_ERROR_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    copy_escaped(err->text, sizeof err->text, raw);
    return code;
}

enum cxn_status cxn_fail_in(struct cxn_error *err, enum cxn_status code, const char *where)
{
    if (code == CXN_OK || !err) return code;
    char text[CXN_ERROR_BYTES];
    memcpy(text, err->text, sizeof text);
    text[sizeof text - 1] = '\0';
    return cxn_fail(err, code, "%s: %s", where, text);
}

enum cxn_status cxn_fail_errno(struct cxn_error *err, int errno_value, const char *verb,
                               const char *path)
{
    const enum cxn_status code = errno_value == ENOMEM ? CXN_E_NOMEM : CXN_E_IO;
    return cxn_fail(err, code, "cannot %s '%s': %s", verb, path, strerror(errno_value));
}
