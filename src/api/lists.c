/* SPDX-License-Identifier: Apache-2.0 */
#include "api/lists.h"

#include <string.h>

enum cxn_status cxn_labelled_list_open(cxn_list **list, const struct cxn_env *env, const char *path,
                                       const cxn_entries *entries, struct cxn_error *err)
{
    const enum cxn_status status = cxn_list_open(list, env, path, entries, err);
    if (status != CXN_OK || (*list)->labelled) return status;
    cxn_list_close(list);
    return cxn_fail(err, CXN_E_FORMAT,
                    "%s: names without labels, expected 14 labels a line or an entry table", path);
}

void cxn_list_note_purpose(const struct cxn_env *env, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (strcasestr(name, "test"))
        cxn_note(env->log, "%s: by its name a list to evaluate on; a model that is made with it "
                 "looks better there than it is", name);
}
