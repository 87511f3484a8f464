/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_LINES_H
#define CXN_DATA_LINES_H

#include <stddef.h>

#include "base/cursor.h"
#include "base/status.h"

/* Limits of every text file of this room; all are checked before anything is allocated. */
enum {
    CXN_TEXT_MAX_BYTES = 256 << 20,
    CXN_TEXT_LINES_MAX = 10000000,
    CXN_TEXT_LINE_MAX_BYTES = 4095,
};

/* The lines of a text file in borrowed memory. LF and CR LF end a line, the last needs neither; a
 * UTF-8 byte order mark at the start is skipped. */
struct cxn_lines {
    struct cxn_cursor cursor;
    const char *source; /* what errors call the file */
    size_t number;      /* of the line given last, from 1 */
};

/* CXN_E_LIMIT when the file is too large. */
enum cxn_status cxn_lines_open(struct cxn_lines *lines, const char *source, const void *data,
                               size_t size, struct cxn_error *err);

/* The next line; *line is NULL after the last. CXN_E_LIMIT for too long or too many, CXN_E_FORMAT
 * for a NUL byte in it. Errors are complete, with place. */
enum cxn_status cxn_lines_next(struct cxn_lines *lines, const char **line, size_t *length,
                               struct cxn_error *err);

/* Lines behind the header; CXN_E_FORMAT where there are none. All limits hold afterwards. */
enum cxn_status cxn_lines_count_rows(struct cxn_lines lines, size_t *rows, struct cxn_error *err);

/* Put "source:number: " before the text of an error about the line given last. */
enum cxn_status cxn_lines_fail(const struct cxn_lines *lines, struct cxn_error *err,
                               enum cxn_status status);

#endif
