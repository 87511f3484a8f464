/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/checkpoint_form.h"
#include "train/run_files.h"
#include "train/run_log.h"

enum { LOCK_TRIES = 8 };
enum run_name { ABOUT, LOG, BEST, LAST, BEFORE, LOCK, NEW, OLD, NAMES };

static const char *const run_names[NAMES] = {
    [ABOUT] = CXN_RUN_ABOUT, [LOG] = CXN_RUN_LOG, [BEST] = CXN_RUN_BEST, [LAST] = CXN_RUN_LAST,
    [BEFORE] = CXN_RUN_BEFORE, [LOCK] = CXN_RUN_LOCK, [NEW] = CXN_RUN_NEW, [OLD] = CXN_RUN_OLD,
};

struct cxn_run {
    const struct cxn_env *env;
    const char *folder;
    char *paths[NAMES];
    int lock_fd; /* -1: not open */
    struct cxn_run_log log;
    char best_sha256[CXN_SHA256_HEX_BYTES]; /* ""; there is none */
    bool last_broken; /* what is in last/ must not become before/ */
};

/* ---- opening ------------------------------------------------------------------------------ */

static enum cxn_status run_make(cxn_run **out, const struct cxn_env *env, const char *folder,
                                struct cxn_error *err)
{
    cxn_run *run = cxn_alloc_zero(env->mem, 1, sizeof *run);
    *out = run;
    if (!run) return cxn_fail_nomem(err, env->mem, sizeof *run, "a run");
    *run = (cxn_run){ .env = env, .folder = folder, .lock_fd = -1, .log = { .fd = -1 } };
    for (int i = 0; i < NAMES; i++) {
        run->paths[i] = cxn_path_join(env->mem, folder, run_names[i]);
        if (!run->paths[i])
            return cxn_fail_nomem(err, env->mem, strlen(folder), "a file's name");
    }
    return CXN_OK;
}

void cxn_run_close(cxn_run **run)
{
    if (!run || !*run) return;
    cxn_run_log_close(&(*run)->log);
    if ((*run)->lock_fd >= 0) close((*run)->lock_fd); /* gives the lock back */
    for (int i = 0; i < NAMES; i++) cxn_free((*run)->paths[i]);
    cxn_free(*run);
    *run = NULL;
}

static void give_lock_back(cxn_run *run)
{
    if (run->lock_fd >= 0) close(run->lock_fd);
    run->lock_fd = -1;
}

/* Whether the name is still that of the file that is locked: others may have removed it. */
static bool is_locked(const cxn_run *run)
{
    struct stat locked, named;
    return run->lock_fd >= 0 && fstat(run->lock_fd, &locked) == 0 &&
           lstat(run->paths[LOCK], &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

/* The lock is on a file that stays: it is the open file that is locked, not the name, and the
 * system gives it back however the process ends. After an error the file is open, unlocked. */
static enum cxn_status open_lock(cxn_run *run, struct cxn_error *err)
{
    const char *path = run->paths[LOCK];
    struct stat st;
    run->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (run->lock_fd < 0) return cxn_fail_errno(err, errno, "write", path);
    if (fstat(run->lock_fd, &st) != 0) return cxn_fail_errno(err, errno, "examine", path);
    if (!S_ISREG(st.st_mode))
        return cxn_fail(err, CXN_E_IO, "cannot write '%s': not a regular file", path);
    if (flock(run->lock_fd, LOCK_EX | LOCK_NB) == 0) return CXN_OK;
    if (errno != EWOULDBLOCK) return cxn_fail_errno(err, errno, "lock", path);
    return cxn_fail(err, CXN_E_IO, "cannot write '%s': another process is training there",
                    run->folder);
}

static enum cxn_status lock_run(cxn_run *run, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (int tries = 0; status == CXN_OK && !is_locked(run); tries++) {
        give_lock_back(run); /* of a file that has no name any more */
        if (tries == LOCK_TRIES)
            return cxn_fail(err, CXN_E_IO, "cannot write '%s': it cannot be examined, or is "
                            "removed again and again", run->paths[LOCK]);
        status = open_lock(run, err);
        if (status != CXN_OK) give_lock_back(run);
    }
    return status;
}

static const enum run_name run_holds[] = { ABOUT, LOG, BEST, LAST, BEFORE };

static enum cxn_status refuse_run(const cxn_run *run, struct cxn_error *err)
{
    struct stat st;
    for (size_t i = 0; i < CXN_COUNTOF(run_holds); i++) {
        const enum run_name name = run_holds[i];
        if (lstat(run->paths[name], &st) == 0)
            return cxn_fail(err, CXN_E_IO, "cannot write '%s': it holds a run already (%s); "
                                           "--resume goes on with it", run->folder,
                            run_names[name]);
        if (errno != ENOENT) return cxn_fail_errno(err, errno, "write", run->paths[name]);
    }
    return CXN_OK;
}

static bool holds_run(const cxn_run *run)
{
    struct stat st;
    for (size_t i = 0; i < CXN_COUNTOF(run_holds); i++)
        if (lstat(run->paths[run_holds[i]], &st) == 0) return true;
    return false;
}

/* Who names a folder with other things in it has named the wrong one. Before the lock, which would
 * leave a file there. */
static enum cxn_status refuse_stranger(const cxn_run *run, struct cxn_error *err)
{
    static const char *const fine[] = { ".", "..", CXN_RUN_LOCK };
    const struct dirent *e;
    enum cxn_status status = CXN_OK;
    if (holds_run(run)) return CXN_OK; /* refuse_run() tells, with the lock */
    DIR *dir = opendir(run->folder);
    if (!dir) return cxn_fail_errno(err, errno, "read", run->folder);
    while (status == CXN_OK && (e = readdir(dir))) {
        bool known = false;
        for (size_t i = 0; i < CXN_COUNTOF(fine); i++)
            known = known || strcmp(e->d_name, fine[i]) == 0;
        if (!known)
            status = cxn_fail(err, CXN_E_IO, "cannot write '%s': it holds no run, and is not empty "
                                             "('%.100s')", run->folder, e->d_name);
    }
    closedir(dir);
    return status;
}

/* The entry of the RUN itself. */
static enum cxn_status sync_parent(const cxn_run *run, struct cxn_error *err)
{
    char *parent = cxn_path_join(run->env->mem, run->folder, "..");
    if (!parent) return cxn_fail_nomem(err, run->env->mem, strlen(run->folder), "a folder's name");
    const enum cxn_status status = cxn_folder_sync(parent, err);
    cxn_free(parent);
    return status;
}

/* run.json is the first file and makes it a run; the log may be missing when it is resumed. */
static enum cxn_status create_files(cxn_run *run, const json_t *about, struct cxn_error *err)
{
    enum cxn_status status = cxn_json_write(run->paths[ABOUT], about, err);
    if (status == CXN_OK) status = cxn_run_log_open(&run->log, run->paths[LOG], err);
    if (status == CXN_OK) status = cxn_folder_sync(run->folder, err);
    if (status == CXN_OK) status = sync_parent(run, err);
    if (status == CXN_OK) return status;
    unlink(run->paths[LOG]);
    unlink(run->paths[ABOUT]);
    return status;
}

static enum cxn_status create_run(cxn_run *run, const json_t *about, struct cxn_error *err)
{
    const bool made = mkdir(run->folder, 0777) == 0;
    if (!made && errno != EEXIST) return cxn_fail_errno(err, errno, "make", run->folder);
    struct stat st;
    enum cxn_status status = made ? CXN_OK : refuse_stranger(run, err);
    if (status != CXN_OK) return status;
    const bool had_lock = lstat(run->paths[LOCK], &st) == 0;
    status = lock_run(run, err);
    const bool locked = status == CXN_OK;
    if (locked) status = refuse_run(run, err);
    if (status == CXN_OK) status = create_files(run, about, err);
    if (status == CXN_OK) return status;
    if (locked && !had_lock) unlink(run->paths[LOCK]); /* only the holder may */
    if (made) rmdir(run->folder);
    return status;
}

enum cxn_status cxn_run_create(cxn_run **run, const struct cxn_env *env, const char *path,
                               const json_t *about, struct cxn_error *err)
{
    enum cxn_status status = run_make(run, env, path, err);
    if (status == CXN_OK) status = create_run(*run, about, err);
    if (status != CXN_OK) cxn_run_close(run);
    return status;
}

static enum cxn_status resume_run(cxn_run *run, struct cxn_json *about, struct cxn_error *err)
{
    /* Looked for before the lock, which would leave a file in a folder that is no run. */
    struct cxn_file_stamp stamp;
    enum cxn_status status = cxn_file_stamp(run->paths[ABOUT], &stamp, err);
    if (status == CXN_OK) status = lock_run(run, err);
    if (status == CXN_OK) status = cxn_run_clean(run->folder, run->env->mem, err);
    if (status == CXN_OK) status = cxn_json_read(about, run->env->mem, run->paths[ABOUT], err);
    if (status == CXN_OK) status = cxn_run_log_open(&run->log, run->paths[LOG], err);
    return status;
}

enum cxn_status cxn_run_resume(cxn_run **run, const struct cxn_env *env, const char *path,
                               struct cxn_json *about, struct cxn_error *err)
{
    *about = (struct cxn_json){ 0 };
    enum cxn_status status = run_make(run, env, path, err);
    if (status == CXN_OK) status = resume_run(*run, about, err);
    if (status == CXN_OK) return status;
    cxn_json_close(about);
    cxn_run_close(run);
    return status;
}

/* ---- loading ------------------------------------------------------------------------------ */

static enum cxn_status open_before(cxn_run *run, const cxn_net *net,
                                   struct cxn_checkpoint *checkpoint, enum cxn_status last_status,
                                   const struct cxn_error *why, struct cxn_error *err)
{
    struct cxn_error other = { "" };
    const enum cxn_status status =
        cxn_checkpoint_open(checkpoint, run->env, net, run->paths[BEFORE], &other);
    if (status == CXN_E_NOMEM) return cxn_fail(err, status, "%s", other.text);
    if (status != CXN_OK) return cxn_fail(err, last_status, "%s", why->text);
    cxn_note(run->env->log, "%s; going on from %s, step %llu", why->text, run->paths[BEFORE],
             (unsigned long long)checkpoint->place.step);
    return CXN_OK;
}

static enum cxn_status choose(cxn_run *run, const cxn_net *net, struct cxn_checkpoint *checkpoint,
                              bool *found, struct cxn_error *err)
{
    struct cxn_error why = { "" };
    bool last, before;
    *checkpoint = (struct cxn_checkpoint){ 0 };
    enum cxn_status status = cxn_folder_check(run->paths[LAST], &last, err);
    if (status == CXN_OK) status = cxn_folder_check(run->paths[BEFORE], &before, err);
    if (status != CXN_OK) return status;
    *found = last || before;
    if (!*found) return CXN_OK;
    status = cxn_checkpoint_open(checkpoint, run->env, net, run->paths[LAST], &why);
    if (status == CXN_OK) return status;
    if (status == CXN_E_NOMEM || !before) return cxn_fail(err, status, "%s", why.text);
    run->last_broken = last;
    return open_before(run, net, checkpoint, status, &why, err);
}

/* The size before the hash: a file cannot cost more time than one that is right. */
static enum cxn_status hash_best(const char *path, uint64_t most, char hex[CXN_SHA256_HEX_BYTES],
                                 struct cxn_error *err)
{
    struct cxn_file file;
    enum cxn_status status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    status = file.size_bytes <= most
                 ? cxn_sha256_file(&file, path, hex, err)
                 : cxn_fail(err, CXN_E_LIMIT, "%s: larger than a model", path);
    cxn_file_close(&file);
    return status;
}

/* A best that is not the checkpoint's is no reason to stop: it may be the next one, written right
 * before the process ended, and the weights to go on from are others. */
static void note_best(cxn_run *run, const struct cxn_checkpoint *c)
{
    char found[CXN_SHA256_HEX_BYTES] = "";
    struct cxn_error why = { "" };
    struct stat st;
    enum cxn_status status = CXN_OK;
    memcpy(run->best_sha256, c->best_sha256, sizeof run->best_sha256);
    if (!c->best_sha256[0]) return;
    if (lstat(run->paths[BEST], &st) == 0)
        status = hash_best(run->paths[BEST], cxn_stored_bytes_max(c->net), found, &why);
    if (status == CXN_OK) status = cxn_best_compare(c, run->paths[BEST], found, &why);
    if (status != CXN_OK)
        cxn_note(run->env->log, "%s; it is written again at the next better validation", why.text);
}

enum cxn_status cxn_run_load(cxn_run *run, const cxn_net *net, struct cxn_checkpoint *checkpoint,
                             bool *found, struct cxn_error *err)
{
    *found = false;
    enum cxn_status status = choose(run, net, checkpoint, found, err);
    if (status == CXN_OK)
        status = cxn_run_log_cut(&run->log, checkpoint->log_bytes, run->env->log, err);
    if (status == CXN_OK && *found) note_best(run, checkpoint);
    if (status == CXN_OK) return status;
    cxn_checkpoint_close(checkpoint);
    *found = false;
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

enum cxn_status cxn_run_log(cxn_run *run, const json_t *object, struct cxn_error *err)
{
    const enum cxn_status status = lock_run(run, err);
    return status == CXN_OK ? cxn_run_log_add(&run->log, object, err) : status;
}

/*
 * The new checkpoint stands whole under a name of its own. At every moment from here there is a
 * whole one under last/ or before/; where the file system can exchange two names, under last/.
 */
static enum cxn_status put_in_place(cxn_run *run, bool last, bool before, bool *moved,
                                    struct cxn_error *err)
{
    const char *const *p = (const char *const *)run->paths;
    const struct cxn_move first[] = { { p[NEW], p[LAST], false } };
    const struct cxn_move broken[] = { { p[LAST], p[OLD], false }, { p[NEW], p[LAST], false } };
    const struct cxn_move swap[] = { { p[NEW], p[LAST], true }, { p[NEW], p[BEFORE], false } };
    const struct cxn_move swap_both[] = { { p[NEW], p[LAST], true }, { p[BEFORE], p[OLD], false },
                                          { p[NEW], p[BEFORE], false } };
    const struct cxn_move shift[] = { { p[BEFORE], p[OLD], false }, { p[LAST], p[BEFORE], false },
                                      { p[NEW], p[LAST], false } };
    int why;
    if (!last) {
        why = cxn_moves_run(first, CXN_COUNTOF(first), run->folder, moved);
    } else if (run->last_broken) {
        why = cxn_moves_run(broken, CXN_COUNTOF(broken), run->folder, moved);
    } else {
        why = before ? cxn_moves_run(swap_both, CXN_COUNTOF(swap_both), run->folder, moved)
                     : cxn_moves_run(swap, CXN_COUNTOF(swap), run->folder, moved);
        if (why == EINVAL || why == ENOSYS || why == EOPNOTSUPP)
            why = before ? cxn_moves_run(shift, CXN_COUNTOF(shift), run->folder, moved)
                         : cxn_moves_run(shift + 1, CXN_COUNTOF(shift) - 1, run->folder, moved);
    }
    return why == 0 ? CXN_OK : cxn_fail_errno(err, why, "write", run->paths[LAST]);
}

/* *moved: some name was moved, if back again. */
static enum cxn_status save_new(cxn_run *run, const struct cxn_checkpoint_content *content,
                                bool *moved, struct cxn_error *err)
{
    struct cxn_checkpoint_content c = *content;
    bool last, before;
    c.log_bytes = run->log.size_bytes;
    memcpy(c.best_sha256, run->best_sha256, sizeof c.best_sha256);
    enum cxn_status status = cxn_folder_check(run->paths[LAST], &last, err);
    if (status == CXN_OK) status = cxn_folder_check(run->paths[BEFORE], &before, err);
    if (status == CXN_OK) status = cxn_checkpoint_write(run->env, run->paths[NEW], &c, err);
    if (status == CXN_OK) status = put_in_place(run, last, before, moved, err);
    return status;
}

enum cxn_status cxn_run_save(cxn_run *run, const struct cxn_checkpoint_content *content,
                             struct cxn_error *err)
{
    enum cxn_status status = lock_run(run, err); /* anew where its name was removed */
    if (status == CXN_OK) status = cxn_run_clean(run->folder, run->env->mem, err);
    if (status == CXN_OK) status = cxn_run_log_sync(&run->log, err);
    if (status == CXN_OK && mkdir(run->paths[NEW], 0777) != 0)
        status = cxn_fail_errno(err, errno, "make", run->paths[NEW]);
    if (status != CXN_OK) return status;
    bool moved = false;
    status = save_new(run, content, &moved, err);
    /* What cannot be removed now is a leftover that the next save or resume removes. After names
     * were moved and moved back, the disk may call the new one `last`: it stays until then. */
    if (status == CXN_OK) cxn_folder_remove(run->paths[OLD], NULL);
    else if (!moved) cxn_folder_remove(run->paths[NEW], NULL);
    if (status == CXN_OK) run->last_broken = false;
    return status;
}

enum cxn_status cxn_run_save_best(cxn_run *run, const cxn_net *net, const struct cxn_span *weights,
                                  const struct cxn_out_pair *metadata, size_t metadata_count,
                                  struct cxn_error *err)
{
    enum cxn_status status = lock_run(run, err);
    if (status != CXN_OK) return status;
    status = cxn_checkpoint_write_model(run->env, run->paths[BEST], net,
                                                              weights, metadata, metadata_count,
                                                              err);
    return status == CXN_OK ? cxn_path_sha256(run->paths[BEST], run->best_sha256, err) : status;
}
