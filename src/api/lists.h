/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_LISTS_H
#define CXN_API_LISTS_H

#include "data/list.h"

/* A list whose labels are known, from its own columns or from entries (may be NULL); CXN_E_FORMAT
 * where they are not. */
enum cxn_status cxn_labelled_list_open(cxn_list **list, const struct cxn_env *env, const char *path,
                                       const cxn_entries *entries, struct cxn_error *err);

/* A note where the list's name, which is all that tells, says that it is to evaluate models on. */
void cxn_list_note_purpose(const struct cxn_env *env, const char *path);

#endif
