/* SPDX-License-Identifier: Apache-2.0 */
#include "api/lists.h"

enum cxn_status cxn_labelled_list_open(cxn_list **list, const struct cxn_env *env, const char *path,
                                       const cxn_entries *entries, struct cxn_error *err)
{
    const enum cxn_status status = cxn_list_open(list, env, path, entries, err);
    if (status != CXN_OK || (*list)->labelled) return status;
    cxn_list_close(list);
    return cxn_fail(err, CXN_E_FORMAT,
                    "%s: names without labels, expected 14 labels a line or an entry table", path);
}
