/* SPDX-License-Identifier: Apache-2.0 */
/* NIH's Data_Entry_2017.csv and Data_Entry_2017_v2020.csv. */
#include <string.h>

#include "base/file.h"
#include "data/csv.h"
#include "data/names.h"

struct cxn_entries {
    size_t count;
    struct cxn_item *items; /* in file order */
    uint32_t *order;        /* [count] indices of items by name, then as much scratch */
};

/* Where the columns stand that are read; SIZE_MAX: absent. */
struct columns {
    size_t image, findings, patient;
    size_t count; /* fields of a row */
};

/* Some editions end header or rows with a comma: an empty last field is no field. */
static size_t count_fields(const struct cxn_csv_row *row)
{
    return row->count > 1 && row->field[row->count - 1][0] == '\0' ? row->count - 1 : row->count;
}

static enum cxn_status read_header(struct columns *columns, const struct cxn_csv_row *row,
                                   struct cxn_error *err)
{
    *columns = (struct columns){
        .image = cxn_csv_find(row, "Image Index"),
        .findings = cxn_csv_find(row, "Finding Labels"),
        .patient = cxn_csv_find(row, "Patient ID"),
        .count = count_fields(row),
    };
    if (columns->image == SIZE_MAX || columns->findings == SIZE_MAX)
        return cxn_fail(err, CXN_E_FORMAT,
                        "not NIH's Data_Entry table: no column '%s' in the header",
                        columns->image == SIZE_MAX ? "Image Index" : "Finding Labels");
    return CXN_OK;
}

/* "Edema|Effusion" or "No Finding". */
static enum cxn_status read_findings(const char *text, uint16_t *labels, struct cxn_error *err)
{
    uint32_t bits = 0;
    *labels = 0;
    if (strcmp(text, "No Finding") == 0) return CXN_OK;
    for (const char *at = text;;) {
        const size_t n = strcspn(at, "|");
        const int finding = cxn_finding_index(at, n);
        if (finding < 0)
            return cxn_fail(err, CXN_E_FORMAT, "unknown finding '%.*s' in '%.200s'",
                            n < 100 ? (int)n : 100, at, text);
        if (bits >> finding & 1)
            return cxn_fail(err, CXN_E_FORMAT, "finding %s twice in '%.200s'",
                            cxn_finding_names[finding], text);
        bits |= 1u << finding;
        if (at[n] == '\0') break;
        at += n + 1;
    }
    *labels = (uint16_t)bits;
    return CXN_OK;
}

static enum cxn_status read_patient(const char *text, uint32_t *patient, struct cxn_error *err)
{
    uint32_t number = 0;
    const size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 9 || text[digits] != '\0')
        return cxn_fail(err, CXN_E_FORMAT, "Patient ID '%.40s', expected a number of 1..9 digits",
                        text);
    for (size_t i = 0; i < digits; i++) number = 10 * number + (uint32_t)(text[i] - '0');
    *patient = number;
    return CXN_OK;
}

static enum cxn_status read_row(struct cxn_item *item, size_t index, char **names,
                                const struct cxn_csv_row *row, const struct columns *columns,
                                struct cxn_error *err)
{
    if (count_fields(row) != columns->count)
        return cxn_fail(err, CXN_E_FORMAT, "%zu fields, expected %zu as in the header",
                        count_fields(row), columns->count);
    const char *name = row->field[columns->image];
    const size_t name_length = strlen(name);
    enum cxn_status status = cxn_name_check(name, name_length, err);
    if (status != CXN_OK) return status;
    memcpy(*names, name, name_length + 1);
    item->name = *names;
    *names += name_length + 1;
    item->patient = cxn_patient_of_name(item->name, index);
    status = read_findings(row->field[columns->findings], &item->labels, err);
    if (status == CXN_OK && columns->patient != SIZE_MAX)
        status = read_patient(row->field[columns->patient], &item->patient, err);
    return status;
}

/* rows items, and names of at most name_bytes; within the limits of lines.h nothing overflows. */
static cxn_entries *allocate_entries(struct cxn_mem *mem, size_t rows, size_t name_bytes,
                                     char **names)
{
    const size_t items_bytes = rows * sizeof(struct cxn_item);
    const size_t order_bytes = rows * 2 * sizeof(uint32_t);
    char *block = cxn_alloc(mem, sizeof(cxn_entries) + items_bytes + order_bytes + name_bytes, 1);
    if (!block) return NULL;
    cxn_entries *entries = (cxn_entries *)(void *)block;
    block += sizeof *entries;
    *entries = (cxn_entries){ .items = (struct cxn_item *)(void *)block,
                              .order = (uint32_t *)(void *)(block + items_bytes) };
    *names = block + items_bytes + order_bytes;
    return entries;
}

/* All lines, the header first. */
static enum cxn_status read_rows(cxn_entries *entries, char *names, struct cxn_lines *lines,
                                 struct cxn_error *err)
{
    struct cxn_csv_row row;
    struct columns columns = { 0 };
    for (;;) {
        enum cxn_status status = cxn_csv_next(&row, lines, err);
        if (status != CXN_OK || row.count == 0) return status;
        if (lines->number == 1) {
            status = read_header(&columns, &row, err);
        } else {
            struct cxn_item *item = &entries->items[entries->count];
            status = read_row(item, entries->count, &names, &row, &columns, err);
            entries->count++;
        }
        if (status != CXN_OK) return cxn_lines_fail(lines, err, status);
    }
}

enum cxn_status cxn_entries_parse(cxn_entries **out, const struct cxn_env *env, const char *source,
                                  const void *data, size_t size, struct cxn_error *err)
{
    struct cxn_lines lines;
    size_t rows = 0;
    char *names = NULL;
    *out = NULL;
    enum cxn_status status = cxn_lines_open(&lines, source, data, size, err);
    if (status == CXN_OK) status = cxn_lines_count_rows(lines, &rows, err);
    if (status != CXN_OK) return status;
    /* A name with its NUL is no longer than its line with the newline; the last may have none. */
    cxn_entries *entries = allocate_entries(env->mem, rows, size + 1, &names);
    if (!entries) return cxn_fail_nomem(err, env->mem, 2 * size, "an entry table");
    status = read_rows(entries, names, &lines, err);
    if (status == CXN_OK) {
        const struct cxn_names by_name = cxn_names_of_items(entries->items, entries->count);
        status = cxn_names_index(&by_name, entries->order, entries->order + entries->count, source,
                                 2, err);
    }
    if (status != CXN_OK) {
        cxn_entries_close(&entries);
        return status;
    }
    *out = entries;
    return CXN_OK;
}

enum cxn_status cxn_entries_open(cxn_entries **entries, const struct cxn_env *env, const char *path,
                                 struct cxn_error *err)
{
    struct cxn_bytes bytes;
    *entries = NULL;
    enum cxn_status status = cxn_file_read(env->mem, path, CXN_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_entries_parse(entries, env, path, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return status;
}

size_t cxn_entries_count(const cxn_entries *entries)
{
    return entries->count;
}

const struct cxn_item *cxn_entries_find(const cxn_entries *entries, const char *name)
{
    const struct cxn_names names = cxn_names_of_items(entries->items, entries->count);
    const size_t i = cxn_names_find(&names, entries->order, name);
    return i == SIZE_MAX ? NULL : &entries->items[i];
}

void cxn_entries_close(cxn_entries **entries)
{
    if (!entries) return;
    cxn_free(*entries);
    *entries = NULL;
}
