/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_LIST_H
#define CXN_DATA_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/hash.h"

enum { CXN_FINDING_COUNT = 14 };

/* Names in the order of every table, list and output of this project. */
extern const char *const cxn_finding_names[CXN_FINDING_COUNT];

/* Set in the patient of an image whose patient nobody tells: it counts as a patient of its own, and
 * its number means nothing in another list. */
#define CXN_PATIENT_UNKNOWN 0x80000000u

struct cxn_item {
    const char *name; /* file name, no folder */
    uint16_t labels;  /* bit i: finding i is present */
    uint32_t patient; /* NIH's number, or CXN_PATIENT_UNKNOWN | index */
};

/* An image list with its labels, in file order. One allocation; items and names point into it. */
typedef struct cxn_list {
    size_t count;
    bool labelled; /* false for a name-only list read without an entry table */
    char sha256[CXN_SHA256_HEX_BYTES]; /* of the file's bytes */
    struct cxn_item *items;
} cxn_list;

/* NIH's Data_Entry CSV (docs/formats.md): labels and patients by image name. */
typedef struct cxn_entries cxn_entries;
enum cxn_status cxn_entries_open(cxn_entries **entries, const struct cxn_env *env, const char *path,
                                 struct cxn_error *err);
/* The same of bytes in memory, borrowed for the call; source is what errors call them. */
enum cxn_status cxn_entries_parse(cxn_entries **entries, const struct cxn_env *env,
                                  const char *source, const void *data, size_t size,
                                  struct cxn_error *err);
size_t cxn_entries_count(const cxn_entries *entries);
const struct cxn_item *cxn_entries_find(const cxn_entries *entries, const char *name);
void cxn_entries_close(cxn_entries **entries);

/*
 * Read a list: lines of "name.png" and 14 times 0 or 1, or NIH's name-only lines, whose labels come
 * from entries (may be NULL). Patients come from entries, or else from names of NIH's form. The
 * last line needs no newline. Errors name file and line.
 */
enum cxn_status cxn_list_open(cxn_list **list, const struct cxn_env *env, const char *path,
                              const cxn_entries *entries, struct cxn_error *err);
/* The same of bytes in memory, borrowed for the call; source is what errors call them. */
enum cxn_status cxn_list_parse(cxn_list **list, const struct cxn_env *env, const char *source,
                               const void *data, size_t size, const cxn_entries *entries,
                               struct cxn_error *err);
void cxn_list_close(cxn_list **list);

#endif
