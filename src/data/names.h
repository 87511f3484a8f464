/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_NAMES_H
#define CXN_DATA_NAMES_H

#include "data/lines.h"
#include "data/list.h"

/* Image names, patients and findings: what list, entry table and predictions have in common. */

enum { CXN_NAME_MAX_BYTES = 255 };

/* CXN_E_FORMAT or CXN_E_LIMIT unless the n bytes are a plain file name: no folder, no control byte,
 * not "." or "..", 1..255 bytes. */
enum cxn_status cxn_name_check(const char *name, size_t n, struct cxn_error *err);

/* The patient in a name of NIH's form, 00000061_012.png: 61. Another name makes the image a patient
 * of its own, told by its index in the file. */
uint32_t cxn_patient_of_name(const char *name, size_t index);

/* Index of a finding by NIH's spelling, n bytes; -1 for another word. */
int cxn_finding_index(const char *word, size_t n);

/* The names of a table's rows, borrowed. */
struct cxn_names {
    const char *const *first;
    size_t stride_bytes; /* from one row's pointer to the next */
    size_t count;
};

static inline struct cxn_names cxn_names_of_items(const struct cxn_item *items, size_t count)
{
    return (struct cxn_names){ .first = &items->name, .stride_bytes = sizeof *items,
                               .count = count };
}

/* Fill order, room for names->count, with the rows sorted by name; scratch as for
 * cxn_sort_indices(). CXN_E_FORMAT naming both lines when a name occurs twice: row i stands on line
 * first_line + i of source. */
enum cxn_status cxn_names_index(const struct cxn_names *names, uint32_t *order, uint32_t *scratch,
                                const char *source, size_t first_line, struct cxn_error *err);

/* The row of that name, or SIZE_MAX; order as cxn_names_index() left it. */
size_t cxn_names_find(const struct cxn_names *names, const uint32_t *order, const char *name);

#endif
