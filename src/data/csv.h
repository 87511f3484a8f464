/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_CSV_H
#define CXN_DATA_CSV_H

#include "data/lines.h"

enum { CXN_CSV_FIELDS_MAX = 64 };

/* The fields of one line of a CSV file (RFC 4180, but a quoted field cannot hold a line break). */
struct cxn_csv_row {
    size_t count;
    const char *field[CXN_CSV_FIELDS_MAX]; /* in text, unquoted, each with a NUL behind it */
    char text[CXN_TEXT_LINE_MAX_BYTES + 1];
};

/* The next row of a file; it has no fields after the last line. CXN_E_FORMAT for a stray or missing
 * quote, CXN_E_LIMIT for too many fields, or what cxn_lines_next() says. Errors are complete, with
 * place. */
enum cxn_status cxn_csv_next(struct cxn_csv_row *row, struct cxn_lines *lines,
                             struct cxn_error *err);

/* Index of the field that reads exactly so, or SIZE_MAX. */
size_t cxn_csv_find(const struct cxn_csv_row *row, const char *text);

#endif
