/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/status.h"

void cxn_note(const struct cxn_log *log, const char *fmt, ...)
{
    if (!log || !log->write) return;
    char raw[CXN_ERROR_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    struct cxn_error line; /* borrows the escaping of error texts: the same hostile strings */
    cxn_fail(&line, CXN_OK, "%s", raw);
    log->write(log->ctx, line.text);
}
