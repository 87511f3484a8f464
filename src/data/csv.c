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

enum cxn_status cxn_csv_split(struct cxn_csv_row *row, const char *line, size_t length,
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

size_t cxn_csv_find(const struct cxn_csv_row *row, const char *text)
{
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->field[i], text) == 0) return i;
    return SIZE_MAX;
}
