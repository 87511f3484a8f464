/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

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
    [CXN_E_STOPPED] = { "stopped", 1 },
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

/* Bytes of the printable character that s begins with; 0: none, for a control character (C1
 * included: terminals obey them) or a stray byte. */
static size_t printable_bytes(const char *s)
{
    const uint8_t *c = (const uint8_t *)s;
    const bool c1 = c[0] == 0xc2 && c[1] < 0xa0;
    return c[0] < 0x20 || c[0] == 0x7f || c1 ? 0 : cxn_utf8_bytes(c, strnlen(s, 4));
}

/* Copy at most n - 1 bytes of src, whole characters, the others written as \xNN. */
static void copy_escaped(char *dst, size_t n, const char *src)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    while (*src) {
        const unsigned char c = (unsigned char)*src;
        const size_t bytes = printable_bytes(src);
        if (at + (bytes > 0 ? bytes : 4) >= n) break;
        if (bytes > 0) {
            memcpy(dst + at, src, bytes);
        } else {
            const char escaped[] = { '\\', 'x', hex[c >> 4], hex[c & 15] };
            memcpy(dst + at, escaped, sizeof escaped);
        }
        at += bytes > 0 ? bytes : 4;
        src += bytes > 0 ? bytes : 1;
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

/* A path may have 4095 bytes. Of one that would leave no room for `others` bytes of an error, only
 * the end is shown, behind *dots: what is wrong must be told. */
static const char *fit_path(const char *path, size_t others, const char **dots)
{
    enum { SHOWN_MIN = 200 };
    const size_t n = strlen(path);
    const size_t room = others + SHOWN_MIN < CXN_ERROR_BYTES ? CXN_ERROR_BYTES - others : SHOWN_MIN;
    *dots = n > room ? "..." : "";
    return n > room ? path + n - room : path;
}

enum cxn_status cxn_fail_in(struct cxn_error *err, enum cxn_status code, const char *where)
{
    if (code == CXN_OK || !err) return code;
    char text[CXN_ERROR_BYTES];
    const char *dots;
    memcpy(text, err->text, sizeof text);
    text[sizeof text - 1] = '\0';
    const char *shown = fit_path(where, strlen(text) + sizeof "...: ", &dots);
    return cxn_fail(err, code, "%s%s: %s", dots, shown, text);
}

enum cxn_status cxn_fail_errno(struct cxn_error *err, int errno_value, const char *verb,
                               const char *path)
{
    const enum cxn_status code = errno_value == ENOMEM ? CXN_E_NOMEM : CXN_E_IO;
    const char *why = strerror(errno_value), *dots;
    const size_t others = strlen(verb) + strlen(why) + sizeof "cannot  '...': ";
    const char *shown = fit_path(path, others, &dots);
    return cxn_fail(err, code, "cannot %s '%s%s': %s", verb, dots, shown, why);
}
