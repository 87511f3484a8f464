/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_LOADER_H
#define CXN_DATA_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"
#include "base/picture.h"
#include "data/list.h"

/* ---- where pictures come from: folders, or one cache made by `prepare` -------------------- */

typedef struct cxn_images cxn_images;

/* paths: folders, searched in order, or exactly one cache file; told apart by content. Borrows env.
 * CXN_E_IO with the path where one is missing. */
enum cxn_status cxn_images_open(cxn_images **images, const struct cxn_env *env,
                                const char *const *paths, size_t path_count,
                                struct cxn_error *err);

/* Refuse early, with the names, a list that these images cannot serve: a cache that lacks an
 * image of the list or whose source changed. Folders are checked image by image when read. */
enum cxn_status cxn_images_fit(const cxn_images *images, const cxn_list *list,
                               struct cxn_error *err);

/* The picture of that name with its shorter side CXN_RESIZE_SIDE. Thread safe. Free with
 * cxn_picture_close(). */
enum cxn_status cxn_images_read(const cxn_images *images, const char *name,
                                struct cxn_picture *picture, unsigned *notes,
                                struct cxn_error *err);
void cxn_images_close(cxn_images **images);

/* ---- reading ahead ------------------------------------------------------------------------ */

/* Pictures of a list, in its order, decoded by threads of the loader's own while the caller
 * computes. Memory is bounded by the number of slots, whatever the length of the list. */
typedef struct cxn_loader cxn_loader;

struct cxn_loader_options {
    unsigned threads; /* decoding threads, at least 1 */
    size_t slots;     /* pictures in flight, at least 1 */
};

/* One image of the list. Where status is not CXN_OK there is no picture and error says why, with
 * the file's name: --on-bad decides what to do about it. */
struct cxn_sample {
    size_t index; /* into the list */
    enum cxn_status status;
    struct cxn_error error;
    struct cxn_picture picture;
    unsigned notes; /* CXN_NOTE_ bits of image/image.h */
};

enum cxn_status cxn_loader_open(cxn_loader **loader, const struct cxn_env *env,
                                const cxn_images *images, const cxn_list *list,
                                const struct cxn_loader_options *options, struct cxn_error *err);

/* The next sample in list order, NULL after the last. It is the caller's until given back; a caller
 * may hold up to `slots` of them. */
struct cxn_sample *cxn_loader_next(cxn_loader *loader);
void cxn_loader_release(cxn_loader *loader, struct cxn_sample *sample);

/* Stops the threads, frees, writes NULL; may be called before the end of the list. */
void cxn_loader_close(cxn_loader **loader);

#endif
