/* SPDX-License-Identifier: Apache-2.0 */
#include "data/predictions.h"

#include <string.h>

#include "base/number.h"
#include "data/csv.h"
#include "data/names.h"

/* ---- writing ------------------------------------------------------------------------------ */

void cxn_predictions_write_header(cxn_out *out)
{
    cxn_out_printf(out, "image");
    for (int f = 0; f < CXN_FINDING_COUNT; f++) cxn_out_printf(out, ",%s", cxn_finding_names[f]);
    cxn_out_write(out, "\n", 1);
}

static void write_name(cxn_out *out, const char *name)
{
    if (!strpbrk(name, ",\"\r\n")) {
        cxn_out_write(out, name, strlen(name));
        return;
    }
    cxn_out_write(out, "\"", 1);
    for (; *name; name++) cxn_out_write(out, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    cxn_out_write(out, "\"", 1);
}

void cxn_predictions_write_row(cxn_out *out, const char *name,
                               const float scores[CXN_FINDING_COUNT])
{
    write_name(out, name);
    for (int f = 0; f < CXN_FINDING_COUNT; f++) {
        char text[CXN_FLOAT_TEXT_BYTES];
        cxn_float_print(text, scores[f]);
        cxn_out_printf(out, ",%s", text);
    }
    cxn_out_write(out, "\n", 1);
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum cxn_status check_header(const struct cxn_csv_row *row, struct cxn_error *err)
{
    for (size_t i = 0; i <= CXN_FINDING_COUNT; i++) {
        const char *want = i == 0 ? "image" : cxn_finding_names[i - 1];
        if (i >= row->count || strcmp(row->field[i], want) != 0)
            return cxn_fail(err, CXN_E_FORMAT, "header field %zu is '%.40s', expected %s", i + 1,
                            i < row->count ? row->field[i] : "", want);
    }
    if (row->count == CXN_FINDING_COUNT + 1) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%zu header fields, expected %d", row->count,
                    CXN_FINDING_COUNT + 1);
}

static enum cxn_status read_row(cxn_predictions *p, char **names, const struct cxn_csv_row *row,
                                struct cxn_error *err)
{
    if (row->count != CXN_FINDING_COUNT + 1)
        return cxn_fail(err, CXN_E_FORMAT, "%zu fields, expected %d", row->count,
                        CXN_FINDING_COUNT + 1);
    const size_t n = strlen(row->field[0]);
    const enum cxn_status status = cxn_name_check(row->field[0], n, err);
    if (status != CXN_OK) return status;
    float *scores = p->scores + p->count * CXN_FINDING_COUNT;
    for (size_t f = 0; f < CXN_FINDING_COUNT; f++)
        if (!cxn_float_parse(row->field[f + 1], &scores[f]))
            return cxn_fail(err, CXN_E_FORMAT, "%s is '%.40s', expected a finite number",
                            cxn_finding_names[f], row->field[f + 1]);
    memcpy(*names, row->field[0], n + 1);
    p->names[p->count++] = *names;
    *names += n + 1;
    return CXN_OK;
}

/* Room for rows and name_bytes; within the limits of lines.h nothing overflows. *scratch: as much
 * as order, for sorting. */
static cxn_predictions *allocate(struct cxn_mem *mem, size_t rows, size_t name_bytes,
                                 uint32_t **scratch, char **names)
{
    const size_t row_bytes = sizeof(char *) + (2 + CXN_FINDING_COUNT) * sizeof(uint32_t);
    _Static_assert(sizeof(float) == sizeof(uint32_t), "one size for what follows the names");
    char *block = cxn_alloc(mem, sizeof(cxn_predictions) + rows * row_bytes + name_bytes, 1);
    if (!block) return NULL;
    cxn_predictions *p = (cxn_predictions *)(void *)block;
    p->count = 0;
    p->names = (const char **)(void *)(p + 1);
    p->order = (uint32_t *)(void *)(p->names + rows);
    *scratch = p->order + rows;
    p->scores = (float *)(void *)(*scratch + rows);
    *names = (char *)(p->scores + rows * CXN_FINDING_COUNT);
    return p;
}

/* All lines, the header first. */
static enum cxn_status read_lines(cxn_predictions *p, char *names, struct cxn_lines *lines,
                                  struct cxn_error *err)
{
    struct cxn_csv_row row;
    for (;;) {
        enum cxn_status status = cxn_csv_next(&row, lines, err);
        if (status != CXN_OK || row.count == 0) return status;
        if (lines->number == 1) status = check_header(&row, err);
        else status = read_row(p, &names, &row, err);
        if (status != CXN_OK) return cxn_lines_fail(lines, err, status);
    }
}

static struct cxn_names names_of(const cxn_predictions *p)
{
    return (struct cxn_names){ .first = p->names, .stride_bytes = sizeof *p->names,
                               .count = p->count };
}

enum cxn_status cxn_predictions_parse(cxn_predictions **out, const struct cxn_env *env,
                                      const char *source, const void *data, size_t size,
                                      struct cxn_error *err)
{
    struct cxn_lines lines;
    size_t rows = 0;
    uint32_t *scratch = NULL;
    char *names = NULL;
    *out = NULL;
    enum cxn_status status = cxn_lines_open(&lines, source, data, size, err);
    if (status == CXN_OK) status = cxn_lines_count_rows(lines, &rows, err);
    if (status != CXN_OK) return status;
    /* A name with its NUL is no longer than its line with the newline; the last may have none. */
    cxn_predictions *p = allocate(env->mem, rows, size + 1, &scratch, &names);
    if (!p) return cxn_fail_nomem(err, env->mem, size, "predictions");
    status = read_lines(p, names, &lines, err);
    if (status == CXN_OK) {
        const struct cxn_names by_name = names_of(p);
        status = cxn_names_index(&by_name, p->order, scratch, source, 2, err);
    }
    if (status != CXN_OK) {
        cxn_predictions_close(&p);
        return status;
    }
    *out = p;
    return CXN_OK;
}

enum cxn_status cxn_predictions_open(cxn_predictions **predictions, const struct cxn_env *env,
                                     const char *path, struct cxn_error *err)
{
    struct cxn_bytes bytes;
    *predictions = NULL;
    enum cxn_status status = cxn_file_read(env->mem, path, CXN_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_predictions_parse(predictions, env, path, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return status;
}

size_t cxn_predictions_find(const cxn_predictions *predictions, const char *name)
{
    const struct cxn_names names = names_of(predictions);
    return cxn_names_find(&names, predictions->order, name);
}

void cxn_predictions_close(cxn_predictions **predictions)
{
    if (!predictions) return;
    cxn_free(*predictions);
    *predictions = NULL;
}
