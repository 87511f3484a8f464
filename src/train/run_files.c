/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum cxn_status cxn_folder_check(const char *path, bool *there, struct cxn_error *err)
{
    struct stat st;
    *there = lstat(path, &st) == 0;
    if (!*there) return errno == ENOENT ? CXN_OK : cxn_fail_errno(err, errno, "write", path);
    if (S_ISDIR(st.st_mode)) return CXN_OK;
    return cxn_fail(err, CXN_E_IO, "cannot write '%s': it exists and is not a folder", path);
}

/* Some file systems cannot sync a folder and say EINVAL; there is nothing more to be done then. */
static int sync_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int why = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    return why;
}

enum cxn_status cxn_folder_sync(const char *path, struct cxn_error *err)
{
    const int why = sync_folder(path);
    return why == 0 ? CXN_OK : cxn_fail_errno(err, why, "write", path);
}

/* ---- removing ----------------------------------------------------------------------------- */

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Others put folders into a checkpoint's: file managers, notebooks, file servers. */
enum { DEPTH_MAX = 8 };

static int remove_folder(int at, const char *name, int depth);

static int remove_entry(int at, const char *name, int depth)
{
    if (unlinkat(at, name, 0) == 0) return 0;
    const int why = errno; /* EISDIR of a folder; EPERM by POSIX */
    if ((why != EISDIR && why != EPERM) || depth == 0) return why;
    const int inner = remove_folder(at, name, depth - 1);
    return inner == ENOTDIR || inner == ELOOP ? why : inner; /* no folder: what unlink had said */
}

/* errno's value of the first failure, 0: all gone. */
static int remove_entries(DIR *dir, int depth)
{
    int why = 0;
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e) return why != 0 ? why : errno;
        if (is_dots(e->d_name)) continue;
        const int failed = remove_entry(dirfd(dir), e->d_name, depth);
        if (why == 0) why = failed;
    }
}

static int remove_folder(int at, const char *name, int depth)
{
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int why = dir ? 0 : errno;
    if (dir) {
        why = remove_entries(dir, depth);
        closedir(dir);
    } else if (fd >= 0) {
        close(fd);
    }
    if (why == 0 && unlinkat(at, name, AT_REMOVEDIR) != 0) why = errno;
    return why;
}

enum cxn_status cxn_folder_remove(const char *path, struct cxn_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 && errno == ENOENT) return CXN_OK;
    const int why = remove_folder(AT_FDCWD, path, DEPTH_MAX);
    return why == 0 ? CXN_OK : cxn_fail_errno(err, why, "remove", path);
}

/* ---- leftovers ---------------------------------------------------------------------------- */

static bool is_leftover(const char *name)
{
    static const char *const owners[] = { CXN_RUN_ABOUT, CXN_RUN_BEST, CXN_RUN_LAST,
                                          CXN_RUN_BEFORE };
    static const char suffix[] = ".tmp";
    const size_t n = strlen(name);
    if (n < sizeof suffix || strcmp(name + n - (sizeof suffix - 1), suffix) != 0) return false;
    for (size_t i = 0; i < CXN_COUNTOF(owners); i++) {
        const size_t m = strlen(owners[i]);
        if (strncmp(name, owners[i], m) == 0 && name[m] == '.') return true;
    }
    return false;
}

static enum cxn_status remove_one(const char *folder, const char *name, struct cxn_mem *mem,
                                  struct cxn_error *err)
{
    struct stat st;
    const size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = cxn_alloc(mem, bytes, 1);
    if (!path) return cxn_fail_nomem(err, mem, bytes, "a file's name");
    snprintf(path, bytes, "%s/%s", folder, name);
    enum cxn_status status = CXN_OK;
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) status = cxn_folder_remove(path, err);
    else if (unlink(path) != 0) status = cxn_fail_errno(err, errno, "remove", path);
    cxn_free(path);
    return status;
}

enum cxn_status cxn_run_clean(const char *folder, struct cxn_mem *mem, struct cxn_error *err)
{
    const struct dirent *e;
    bool synced = false;
    enum cxn_status status = CXN_OK;
    DIR *dir = opendir(folder);
    if (!dir) return cxn_fail_errno(err, errno, "read", folder);
    while (status == CXN_OK && (e = readdir(dir))) {
        if (!is_leftover(e->d_name)) continue;
        if (!synced) status = cxn_folder_sync(folder, err);
        synced = true;
        if (status == CXN_OK) status = remove_one(folder, e->d_name, mem, err);
    }
    closedir(dir);
    return status;
}

/* ---- taking each other's place ------------------------------------------------------------- */

static int move(const char *from, const char *to, bool exchange)
{
    const int failed = exchange ? renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE)
                                : rename(from, to);
    return failed ? errno : 0;
}

int cxn_moves_run(const struct cxn_move *moves, size_t count, const char *folder, bool *moved)
{
    int why = 0;
    size_t done = 0;
    for (; done < count && why == 0; done++)
        why = move(moves[done].from, moves[done].to, moves[done].exchange);
    if (why != 0) done--;
    *moved = *moved || done > 0;
    if (why == 0) why = sync_folder(folder);
    if (why == 0) return 0;
    /* Where a step back fails too, what is whole keeps its name of that moment. */
    while (done-- > 0) (void)move(moves[done].to, moves[done].from, moves[done].exchange);
    return why;
}
