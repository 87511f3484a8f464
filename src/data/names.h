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

/* Fill order, room for n, with the items' indices sorted by name; scratch as for
 * cxn_sort_indices(). */
void cxn_names_sort(const struct cxn_item *items, size_t n, uint32_t *order, uint32_t *scratch);

/* The index of name among items sorted by order, or SIZE_MAX. */
size_t cxn_names_find(const struct cxn_item *items, const uint32_t *order, size_t n,
                      const char *name);

/* CXN_E_FORMAT naming both lines when a name occurs twice. Item i stands on line first_line + i. */
enum cxn_status cxn_names_unique(const struct cxn_item *items, const uint32_t *order, size_t n,
                                 const char *source, size_t first_line, struct cxn_error *err);

#endif
