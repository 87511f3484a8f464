/* SPDX-License-Identifier: Apache-2.0 */
#include "data/csv.h"

#include <stdbool.h>
#include <string.h>

/* Copy a field in quotes, at which *line points, unquoted to *to. */
static bool copy_quoted(char **to, const char **line, const char *end)
{
    for (const char *at = *line + 1; at < end; at++) {
        const bool doubled = at[0] == '"' && at + 1 < end && at[1] == '"';
        if (at[0] == '"' && !doubled) {
            *line = at + 1;
            return true;
        }
        *(*to)++ = *at;
        if (doubled) at++;
    }
    return false;
}

static enum cxn_status copy_field(char **to, const char **line, const char *end, size_t number,
                                  struct cxn_error *err)
{
    if (*line < end && **line == '"') {
        if (!copy_quoted(to, line, end))
            return cxn_fail(err, CXN_E_FORMAT, "field %zu: no closing quote on the line", number);
    } else {
        while (*line < end && **line != ',' && **line != '"') *(*to)++ = *(*line)++;
    }
    if (*line < end && **line != ',')
        return cxn_fail(err, CXN_E_FORMAT, "field %zu: a stray quote, or text after one", number);
    *(*to)++ = '\0';
    return CXN_OK;
}

/* line: length bytes, at most CXN_TEXT_LINE_MAX_BYTES, without a NUL byte, as cxn_lines_next()
 * gives it. */
static enum cxn_status split_line(struct cxn_csv_row *row, const char *line, size_t length,
                                  struct cxn_error *err)
{
    const char *end = line + length;
    char *to = row->text; /* never overtakes line: each field ends in a comma or the end */
    row->count = 0;
    for (;;) {
        if (row->count == CXN_CSV_FIELDS_MAX)
            return cxn_fail(err, CXN_E_LIMIT, "more than %d fields", CXN_CSV_FIELDS_MAX);
        row->field[row->count++] = to;
        const enum cxn_status status = copy_field(&to, &line, end, row->count, err);
        if (status != CXN_OK) return status;
        if (line == end) return CXN_OK;
        line++;
    }
}

enum cxn_status cxn_csv_next(struct cxn_csv_row *row, struct cxn_lines *lines,
                             struct cxn_error *err)
{
    const char *line;
    size_t length;
    row->count = 0;
    const enum cxn_status status = cxn_lines_next(lines, &line, &length, err);
    if (status != CXN_OK || !line) return status;
    return cxn_lines_fail(lines, err, split_line(row, line, length, err));
}

size_t cxn_csv_find(const struct cxn_csv_row *row, const char *text)
{
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->field[i], text) == 0) return i;
    return SIZE_MAX;
}
