/* SPDX-License-Identifier: Apache-2.0 */
#include "data/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/cache.h"
#include "data/names.h"
#include "image/image.h"

enum { PATH_BYTES = 4096 };

struct cxn_images {
    const struct cxn_env *env;
    cxn_cache *cache; /* NULL: folders, or paths */
    bool paths;       /* a name is one; there are no folders */
    char **folders;
    size_t folder_count;
};

static enum cxn_status classify_path(const char *path, bool *folder, struct cxn_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) return cxn_fail_errno(err, errno, "open", path);
    *folder = S_ISDIR(st.st_mode);
    if (*folder && access(path, R_OK | X_OK) != 0) return cxn_fail_errno(err, errno, "read", path);
    return CXN_OK;
}

static enum cxn_status add_path(cxn_images *images, const char *path, size_t path_count,
                                struct cxn_error *err)
{
    bool folder = false;
    const enum cxn_status status = classify_path(path, &folder, err);
    if (status != CXN_OK) return status;
    if (!folder && path_count > 1)
        return cxn_fail(err, CXN_E_ARG, "'%s' is not a folder; a cache stands alone", path);
    if (!folder) return cxn_cache_open(&images->cache, images->env, path, err);
    char *copy = cxn_strndup(images->env->mem, path, strlen(path));
    if (!copy) return cxn_fail_nomem(err, images->env->mem, strlen(path), "a folder's name");
    images->folders[images->folder_count++] = copy;
    return CXN_OK;
}

enum cxn_status cxn_images_open(cxn_images **out, const struct cxn_env *env,
                                const char *const *paths, size_t path_count,
                                struct cxn_error *err)
{
    *out = NULL;
    if (path_count == 0) return cxn_fail(err, CXN_E_ARG, "no folder of images and no cache");
    cxn_images *images = cxn_alloc_zero(env->mem, 1, sizeof *images);
    if (!images) return cxn_fail_nomem(err, env->mem, sizeof *images, "the images");
    images->env = env;
    images->folders = cxn_alloc_zero(env->mem, path_count, sizeof *images->folders);
    enum cxn_status status = CXN_OK;
    if (!images->folders)
        status = cxn_fail_nomem(err, env->mem, path_count * sizeof *images->folders, "the folders");
    for (size_t i = 0; status == CXN_OK && i < path_count; i++)
        status = add_path(images, paths[i], path_count, err);
    if (status != CXN_OK) {
        cxn_images_close(&images);
        return status;
    }
    *out = images;
    return CXN_OK;
}

enum cxn_status cxn_images_open_paths(cxn_images **out, const struct cxn_env *env,
                                      struct cxn_error *err)
{
    *out = cxn_alloc_zero(env->mem, 1, sizeof **out);
    if (!*out) return cxn_fail_nomem(err, env->mem, sizeof **out, "the images");
    (*out)->env = env;
    (*out)->paths = true;
    return CXN_OK;
}

bool cxn_images_cached(const cxn_images *images)
{
    return images->cache != NULL;
}

enum cxn_status cxn_images_fit(const cxn_images *images, const cxn_list *list,
                               struct cxn_error *err)
{
    if (!images->cache) return CXN_OK;
    size_t missing = 0;
    const char *first = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (cxn_cache_find(images->cache, list->items[i].name)) continue;
        if (missing++ == 0) first = list->items[i].name;
    }
    if (missing == 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT,
                    "%s: does not fit the list: %zu of its %zu images are not in it, first '%s'",
                    cxn_cache_path(images->cache), missing, list->count, first);
}

static enum cxn_status join_path(const char *folder, const char *name, char path[PATH_BYTES],
                                 struct cxn_error *err)
{
    const size_t n = strlen(folder);
    const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
    const int length = snprintf(path, PATH_BYTES, "%s%s%s", folder, slash, name);
    if (length > 0 && length < PATH_BYTES) return CXN_OK;
    return cxn_fail(err, CXN_E_IO, "cannot open '%s': its path is longer than %d bytes", name,
                    PATH_BYTES - 1);
}

/* Beginning with *folder, where the name before was found: neighbours in a list mostly are in a
 * folder too, and what is not there is slow to look for. */
static enum cxn_status look_for(const cxn_images *images, const char *name, size_t *folder,
                                bool *there, struct cxn_error *err)
{
    char path[PATH_BYTES];
    *there = false;
    for (size_t i = 0; i < images->folder_count && !*there; i++) {
        const size_t at = (*folder + i) % images->folder_count;
        const enum cxn_status status = join_path(images->folders[at], name, path, err);
        if (status != CXN_OK) return status;
        *there = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (*there) *folder = at;
    }
    return CXN_OK;
}

enum cxn_status cxn_images_look(const cxn_images *images, const cxn_list *list,
                                struct cxn_error *err)
{
    size_t missing = 0, folder = 0;
    const char *first = NULL;
    if (images->cache || images->paths) return CXN_OK;
    for (size_t i = 0; i < list->count; i++) {
        bool there;
        const enum cxn_status status = look_for(images, list->items[i].name, &folder, &there, err);
        if (status != CXN_OK) return status;
        if (!there && missing++ == 0) first = list->items[i].name;
    }
    if (missing == 0) return CXN_OK;
    const size_t last = images->folder_count - 1;
    return cxn_fail(err, CXN_E_IO, "%s%s%s: %zu of the list's %zu images %s missing, first '%s'",
                    images->folders[0], last > 0 ? " to " : "",
                    last > 0 ? images->folders[last] : "", missing, list->count,
                    missing == 1 ? "is" : "are", first);
}

/* The first folder that has a file of that name; the only folder unseen, so that opening the file
 * says what is wrong. */
static enum cxn_status find_file(const cxn_images *images, const char *name,
                                 char joined[PATH_BYTES], const char **path,
                                 struct cxn_error *err)
{
    *path = images->paths ? name : joined;
    if (images->paths) return CXN_OK;
    enum cxn_status status = cxn_name_check(name, strlen(name), err);
    for (size_t i = 0; status == CXN_OK && i < images->folder_count; i++) {
        status = join_path(images->folders[i], name, joined, err);
        if (status != CXN_OK || images->folder_count == 1) return status;
        if (faccessat(AT_FDCWD, joined, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return CXN_OK;
    }
    if (status != CXN_OK) return status;
    return cxn_fail(err, CXN_E_IO, "cannot open '%s': in none of the %zu folders, '%s' to '%s'",
                    name, images->folder_count, images->folders[0],
                    images->folders[images->folder_count - 1]);
}

/* Most files need resizing; one that has its size already is handed on, not copied. */
static enum cxn_status resize_in_place(const struct cxn_env *env, struct cxn_picture *picture,
                                       struct cxn_error *err)
{
    const uint32_t low = picture->width < picture->height ? picture->width : picture->height;
    if (low == CXN_RESIZE_SIDE) return CXN_OK;
    struct cxn_picture small = { 0 };
    const enum cxn_status status =
        cxn_picture_resize(env, picture, CXN_RESIZE_SIDE, &small, err);
    cxn_picture_close(picture);
    if (status == CXN_OK) *picture = small;
    return status;
}

enum cxn_status cxn_images_read(const cxn_images *images, const char *name,
                                struct cxn_picture *picture, unsigned *notes,
                                struct cxn_error *err)
{
    char joined[PATH_BYTES];
    const char *path;
    *picture = (struct cxn_picture){ 0 };
    if (images->cache) return cxn_cache_read(images->cache, name, picture, notes, err);
    enum cxn_status status = find_file(images, name, joined, &path, err);
    if (status == CXN_OK) status = cxn_image_load(images->env, path, picture, notes, err);
    if (status != CXN_OK) return status;
    return cxn_fail_in(err, resize_in_place(images->env, picture, err), path);
}

enum cxn_status cxn_images_stamp(const cxn_images *images, const char *name,
                                 struct cxn_file_stamp *stamp, struct cxn_error *err)
{
    char joined[PATH_BYTES];
    const char *path;
    if (images->cache) return cxn_fail(err, CXN_E_ARG, "a cache has no source files");
    const enum cxn_status status = find_file(images, name, joined, &path, err);
    return status == CXN_OK ? cxn_file_stamp(path, stamp, err) : status;
}

void cxn_images_close(cxn_images **images)
{
    if (!images || !*images) return;
    for (size_t i = 0; i < (*images)->folder_count; i++) cxn_free((*images)->folders[i]);
    cxn_free((*images)->folders);
    cxn_cache_close(&(*images)->cache);
    cxn_free(*images);
    *images = NULL;
}
