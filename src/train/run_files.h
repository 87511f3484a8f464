/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_RUN_FILES_H
#define CXN_TRAIN_RUN_FILES_H

#include "base/mem.h"
#include "base/status.h"

/* Folders that take each other's place. */

/* What stands in a RUN; those in .tmp are unfinished or on their way out. */
#define CXN_RUN_ABOUT "run.json"
#define CXN_RUN_LOG "log.jsonl"
#define CXN_RUN_BEST "best.safetensors"
#define CXN_RUN_LAST "last"
#define CXN_RUN_BEFORE "before"
#define CXN_RUN_LOCK "lock"
#define CXN_RUN_NEW "last.tmp"
#define CXN_RUN_OLD "before.tmp"

/* *there: there is a folder of that name. CXN_E_IO for anything else, a symbolic link too: a rename
 * would replace it. */
enum cxn_status cxn_folder_check(const char *path, bool *there, struct cxn_error *err);

enum cxn_status cxn_folder_sync(const char *path, struct cxn_error *err);

/* Remove a folder and what is in it, folders to a depth of 8; symbolic links are removed, not
 * followed. None is fine. CXN_E_IO, and part of it may be gone. */
enum cxn_status cxn_folder_remove(const char *path, struct cxn_error *err);

/* Remove what unfinished writers of `folder` left: names that begin with one of the names above and
 * end in .tmp. Syncs the folder before: nothing is removed that the disk may still call by another
 * name. */
enum cxn_status cxn_run_clean(const char *folder, struct cxn_mem *mem, struct cxn_error *err);

/* One rename of a sequence. */
struct cxn_move {
    const char *from, *to;
    bool exchange; /* both are there and swap places */
};

/* All of them and the sync of the folder that they are in, or none: the first that fails, errno's
 * value of which is returned, has those before it undone. 0: done. *moved is set where any name was
 * moved, if back again. */
int cxn_moves_run(const struct cxn_move *moves, size_t count, const char *folder, bool *moved);

#endif
