/* SPDX-License-Identifier: Apache-2.0 */
/* A whole synthetic set on the disk: pictures, lists, label table, boxes. */
#include "data/phantom.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "image/png_write.h"

enum { PATH_BYTES = 4096, IMAGE_NAME_BYTES = 32 };

struct boxes {
    struct cxn_phantom_box at[CXN_PHANTOM_BOXES_MAX];
    size_t count;
};

struct set {
    const struct cxn_env *env;
    const struct cxn_phantom_spec *spec;
    const struct cxn_progress *progress;
    struct cxn_phantom_image *images;
    struct boxes *boxes; /* of each image */
    char folder[PATH_BYTES]; /* temporary, beside the final one */
    pthread_mutex_t lock;    /* of what follows */
    size_t done, failed_at;
    enum cxn_status status;  /* of the failure with the lowest index */
    struct cxn_error error;
};

static void name_image(const struct cxn_phantom_image *image, char name[IMAGE_NAME_BYTES])
{
    snprintf(name, IMAGE_NAME_BYTES, "%08u_%03u.png", image->patient, image->follow_up);
}

static enum cxn_status join_path(const char *folder, const char *name, char path[PATH_BYTES],
                                 struct cxn_error *err)
{
    const int n = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    if (n > 0 && n < PATH_BYTES) return CXN_OK;
    return cxn_fail(err, CXN_E_IO, "cannot write '%s': its path is longer than %d bytes", folder,
                    PATH_BYTES - 1);
}

/* ---- pictures ----------------------------------------------------------------------------- */

static enum cxn_status write_picture(struct set *set, size_t index, struct cxn_error *err)
{
    char name[IMAGE_NAME_BYTES], relative[IMAGE_NAME_BYTES + 8], path[PATH_BYTES];
    name_image(&set->images[index], name);
    snprintf(relative, sizeof relative, "images/%s", name);
    enum cxn_status status = join_path(set->folder, relative, path, err);
    if (status != CXN_OK) return status;
    struct cxn_picture picture;
    struct boxes *b = &set->boxes[index];
    status = cxn_phantom_draw(set->env, set->spec, &set->images[index], &picture, b->at, &b->count,
                              err);
    if (status == CXN_OK) status = cxn_png_write(set->env, &picture, path, err);
    cxn_picture_close(&picture);
    return status;
}

/* Later images do not start once one has failed; the failure told is the first in order among
 * those that had started. */
static void finish_picture(struct set *set, size_t index, enum cxn_status status,
                           const struct cxn_error *err)
{
    pthread_mutex_lock(&set->lock);
    set->done++;
    if (status != CXN_OK && (set->status == CXN_OK || index < set->failed_at)) {
        set->status = status;
        set->failed_at = index;
        set->error = *err;
    } else if (status == CXN_OK && set->status == CXN_OK &&
               cxn_progress_stops(set->progress, set->done, set->spec->images)) {
        set->failed_at = index;
        set->status = cxn_fail(&set->error, CXN_E_STOPPED, "stopped after %zu of %zu images",
                               set->done, set->spec->images);
    }
    pthread_mutex_unlock(&set->lock);
}

static void draw_one(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    struct set *set = ctx;
    pthread_mutex_lock(&set->lock);
    const bool stop = set->status != CXN_OK;
    pthread_mutex_unlock(&set->lock);
    if (stop) return;
    struct cxn_error err = { "" };
    const enum cxn_status status = write_picture(set, index, &err);
    finish_picture(set, index, status, &err);
}

/* ---- tables ------------------------------------------------------------------------------- */

static void put_list(const struct set *set, cxn_out *out, int split)
{
    char name[IMAGE_NAME_BYTES];
    for (size_t i = 0; i < set->spec->images; i++) {
        if (set->images[i].split != split) continue;
        name_image(&set->images[i], name);
        cxn_out_printf(out, "%s", name);
        for (int k = 0; k < CXN_FINDING_COUNT; k++)
            cxn_out_write(out, set->images[i].labels >> k & 1 ? " 1" : " 0", 2);
        cxn_out_write(out, "\n", 1);
    }
}

static void put_train(const struct set *set, cxn_out *out)
{
    put_list(set, out, CXN_PHANTOM_TRAIN);
}

static void put_val(const struct set *set, cxn_out *out)
{
    put_list(set, out, CXN_PHANTOM_VAL);
}

static void put_test(const struct set *set, cxn_out *out)
{
    put_list(set, out, CXN_PHANTOM_TEST);
}

/* As NIH writes them: in alphabetical order, with bars between. */
static void put_findings(cxn_out *out, unsigned labels)
{
    static const uint8_t alphabetical[CXN_FINDING_COUNT] = { 0, 1, 8, 9, 2, 10, 11,
                                                             13, 3, 4, 5, 12, 6, 7 };
    const char *bar = "";
    if (labels == 0) cxn_out_printf(out, "No Finding");
    for (int i = 0; i < CXN_FINDING_COUNT; i++) {
        if (!(labels >> alphabetical[i] & 1)) continue;
        cxn_out_printf(out, "%s%s", bar, cxn_finding_names[alphabetical[i]]);
        bar = "|";
    }
}

static void put_entries(const struct set *set, cxn_out *out)
{
    char name[IMAGE_NAME_BYTES];
    cxn_out_printf(out, "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
                        "Patient Gender,View Position,OriginalImage[Width,Height],"
                        "OriginalImagePixelSpacing[x,y]\n");
    for (size_t i = 0; i < set->spec->images; i++) {
        const struct cxn_phantom_image *im = &set->images[i];
        name_image(im, name);
        cxn_out_printf(out, "%s,", name);
        put_findings(out, im->labels);
        cxn_out_printf(out, ",%u,%u,%u,%c,%s,%u,%u,%s\n", im->follow_up, im->patient, im->age,
                       im->female ? 'F' : 'M', im->supine ? "AP" : "PA", set->spec->size,
                       set->spec->size, "0.168,0.168");
    }
}

/* The findings that NIH's box file has; it writes Infiltrate where the labels say Infiltration. */
static const char *box_name(int finding)
{
    if (finding > 7) return NULL;
    return finding == 3 ? "Infiltrate" : cxn_finding_names[finding];
}

static void put_boxes(const struct set *set, cxn_out *out)
{
    char name[IMAGE_NAME_BYTES];
    cxn_out_printf(out, "Image Index,Finding Label,Bbox [x,y,w,h],,,\n");
    for (size_t i = 0; i < set->spec->images; i++) {
        name_image(&set->images[i], name);
        for (size_t k = 0; k < set->boxes[i].count; k++) {
            const struct cxn_phantom_box *b = &set->boxes[i].at[k];
            const struct cxn_extent *e = &b->extent;
            if (!box_name(b->finding)) continue;
            cxn_out_printf(out, "%s,%s,%.3f,%.3f,%.3f,%.3f\n", name, box_name(b->finding),
                           (double)e->x0, (double)e->y0, (double)(e->x1 - e->x0),
                           (double)(e->y1 - e->y0));
        }
    }
}

static const struct {
    const char *name;
    void (*put)(const struct set *set, cxn_out *out);
} tables[] = {
    { "train_list.txt", put_train },
    { "val_list.txt", put_val },
    { "test_list.txt", put_test },
    { "Data_Entry_2017_v2020.csv", put_entries },
    { "BBox_List_2017.csv", put_boxes },
};

static enum cxn_status write_tables(const struct set *set, struct cxn_error *err)
{
    for (size_t i = 0; i < CXN_COUNTOF(tables); i++) {
        char path[PATH_BYTES];
        cxn_out *out;
        enum cxn_status status = join_path(set->folder, tables[i].name, path, err);
        if (status == CXN_OK) status = cxn_out_open(&out, path, err);
        if (status != CXN_OK) return status;
        tables[i].put(set, out);
        status = cxn_out_commit(&out, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

/* ---- the folder --------------------------------------------------------------------------- */

/* Nothing that a user has in a folder is ever mixed with a phantom set. */
static enum cxn_status check_target(const char *folder, struct cxn_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT) return CXN_OK;
    if (!dir) return cxn_fail_errno(err, errno, "write", folder);
    bool empty = true;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) empty = false;
    closedir(dir);
    if (empty) return CXN_OK;
    return cxn_fail(err, CXN_E_IO, "cannot write '%s': it exists and is not empty", folder);
}

static enum cxn_status make_folders(struct set *set, const char *folder, struct cxn_error *err)
{
    char path[PATH_BYTES];
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    if (n == 0 || n >= PATH_BYTES - 64)
        return cxn_fail(err, CXN_E_ARG, "'%.200s': expected the name of a folder", folder);
    snprintf(set->folder, sizeof set->folder, "%.*s.%ld.tmp", (int)n, folder, (long)getpid());
    if (mkdir(set->folder, 0777) != 0) {
        const int why = errno;
        set->folder[0] = '\0'; /* not ours: nothing of it is removed */
        return cxn_fail_errno(err, why, "write", folder);
    }
    const enum cxn_status status = join_path(set->folder, "images", path, err);
    if (status != CXN_OK) return status;
    return mkdir(path, 0777) == 0 ? CXN_OK : cxn_fail_errno(err, errno, "write", path);
}

/* Only names that this set gives are removed. */
static void remove_folders(const struct set *set)
{
    char path[PATH_BYTES], name[IMAGE_NAME_BYTES], relative[IMAGE_NAME_BYTES + 8];
    if (set->folder[0] == '\0') return;
    for (size_t i = 0; i < set->spec->images; i++) {
        name_image(&set->images[i], name);
        snprintf(relative, sizeof relative, "images/%s", name);
        if (join_path(set->folder, relative, path, NULL) == CXN_OK) unlink(path);
    }
    for (size_t i = 0; i < CXN_COUNTOF(tables); i++)
        if (join_path(set->folder, tables[i].name, path, NULL) == CXN_OK) unlink(path);
    if (join_path(set->folder, "images", path, NULL) == CXN_OK) rmdir(path);
    rmdir(set->folder);
}

static enum cxn_status check_spec(const struct cxn_phantom_spec *spec, struct cxn_error *err)
{
    if (spec->images < CXN_PHANTOM_IMAGES_MIN || spec->images > CXN_PHANTOM_IMAGES_MAX)
        return cxn_fail(err, CXN_E_ARG, "phantom: %zu images, expected %d..%d", spec->images,
                        CXN_PHANTOM_IMAGES_MIN, CXN_PHANTOM_IMAGES_MAX);
    if (spec->size < CXN_PHANTOM_SIZE_MIN || spec->size > CXN_PHANTOM_SIZE_MAX)
        return cxn_fail(err, CXN_E_ARG, "phantom: size %u, expected %d..%d", spec->size,
                        CXN_PHANTOM_SIZE_MIN, CXN_PHANTOM_SIZE_MAX);
    return CXN_OK;
}

static enum cxn_status fill_folder(struct set *set, const char *folder, struct cxn_error *err)
{
    enum cxn_status status = make_folders(set, folder, err);
    if (status != CXN_OK) return status;
    cxn_pool_run(set->env->pool, set->spec->images, draw_one, set);
    if (set->status != CXN_OK) return cxn_fail(err, set->status, "%s", set->error.text);
    status = write_tables(set, err);
    if (status != CXN_OK) return status;
    if (rename(set->folder, folder) != 0) return cxn_fail_errno(err, errno, "write", folder);
    status = cxn_file_sync_folder(set->folder, err);
    set->folder[0] = '\0'; /* it has its name: nothing is left to remove */
    return status;
}

enum cxn_status cxn_phantom_write(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                  const char *folder, const struct cxn_progress *progress,
                                  struct cxn_error *err)
{
    enum cxn_status status = check_spec(spec, err);
    if (status == CXN_OK) status = check_target(folder, err);
    if (status != CXN_OK) return status;
    struct set *set = cxn_alloc_zero(env->mem, 1, sizeof *set);
    if (!set) return cxn_fail_nomem(err, env->mem, sizeof *set, "a phantom set");
    set->env = env;
    set->spec = spec;
    set->progress = progress;
    pthread_mutex_init(&set->lock, NULL);
    status = cxn_phantom_plan(env, spec, &set->images, err);
    if (status == CXN_OK) {
        set->boxes = cxn_alloc_zero(env->mem, spec->images, sizeof *set->boxes);
        if (!set->boxes)
            status = cxn_fail_nomem(err, env->mem, spec->images * sizeof *set->boxes, "the boxes");
    }
    if (status == CXN_OK) status = fill_folder(set, folder, err);
    if (status != CXN_OK) remove_folders(set);
    pthread_mutex_destroy(&set->lock);
    cxn_free(set->boxes);
    cxn_free(set->images);
    cxn_free(set);
    return status;
}
