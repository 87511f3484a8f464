/* SPDX-License-Identifier: Apache-2.0 */
#include "data/lines.h"

#include <stdio.h>
#include <string.h>

enum cxn_status cxn_lines_open(struct cxn_lines *lines, const char *source, const void *data,
                               size_t size, struct cxn_error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    *lines = (struct cxn_lines){ .cursor = cxn_cursor_make(data, size), .source = source };
    if (size > CXN_TEXT_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "%s: %zu bytes, limit %d", source, size,
                        CXN_TEXT_MAX_BYTES);
    if (size >= 3 && memcmp(data, mark, 3) == 0) lines->cursor.pos = 3;
    return CXN_OK;
}

enum cxn_status cxn_lines_fail(const struct cxn_lines *lines, struct cxn_error *err,
                               enum cxn_status status)
{
    char where[4096 + 24]; /* a path and a number: the number must not be lost */
    if (status == CXN_OK || !err) return status;
    snprintf(where, sizeof where, "%s:%zu", lines->source, lines->number);
    return cxn_fail_in(err, status, where);
}

enum cxn_status cxn_lines_next(struct cxn_lines *lines, const char **line, size_t *length,
                               struct cxn_error *err)
{
    *line = NULL;
    if (!cxn_cursor_line(&lines->cursor, line, length)) return CXN_OK;
    enum cxn_status status = CXN_OK;
    if (++lines->number > CXN_TEXT_LINES_MAX)
        status = cxn_fail(err, CXN_E_LIMIT, "more than %d lines", CXN_TEXT_LINES_MAX);
    else if (*length > CXN_TEXT_LINE_MAX_BYTES)
        status = cxn_fail(err, CXN_E_LIMIT, "a line of %zu bytes, limit %d", *length,
                          CXN_TEXT_LINE_MAX_BYTES);
    else if (memchr(*line, '\0', *length))
        status = cxn_fail(err, CXN_E_FORMAT, "a NUL byte, expected text");
    return cxn_lines_fail(lines, err, status);
}

enum cxn_status cxn_lines_count_rows(struct cxn_lines lines, size_t *rows, struct cxn_error *err)
{
    const char *line;
    size_t length;
    enum cxn_status status;
    do status = cxn_lines_next(&lines, &line, &length, err);
    while (status == CXN_OK && line);
    if (status == CXN_OK && lines.number < 2)
        return cxn_fail(err, CXN_E_FORMAT, "%s: %s, expected a header and a row an image",
                        lines.source, lines.number == 0 ? "empty" : "no rows");
    *rows = lines.number - 1;
    return status;
}
