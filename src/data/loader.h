/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_LOADER_H
#define CXN_DATA_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/file.h"
#include "base/picture.h"
#include "data/list.h"

/* ---- where pictures come from: folders, one cache made by `prepare`, or files anywhere ----- */

typedef struct cxn_images cxn_images;

/* paths: folders, searched in order, or exactly one cache file; told apart by content. Borrows env.
 * CXN_E_IO with the path where one is missing; CXN_E_FORMAT for a file that is no whole cache;
 * CXN_E_ARG for a cache beside other paths. */
enum cxn_status cxn_images_open(cxn_images **images, const struct cxn_env *env,
                                const char *const *paths, size_t path_count,
                                struct cxn_error *err);

/* Files anywhere: a name is a path, and nothing is asked of it. CXN_E_NOMEM. */
enum cxn_status cxn_images_open_paths(cxn_images **images, const struct cxn_env *env,
                                      struct cxn_error *err);

/* Whether the pictures come from a cache. */
bool cxn_images_cached(const cxn_images *images);

/* Refuse early, with the first name and the count, a list that these images cannot serve: a cache
 * that lacks images of the list. Folders are checked image by image when read. */
enum cxn_status cxn_images_fit(const cxn_images *images, const cxn_list *list,
                               struct cxn_error *err);

/* The same for folders, by name alone: CXN_E_IO. For who cannot go on without an image; few
 * system calls a name. */
enum cxn_status cxn_images_look(const cxn_images *images, const cxn_list *list,
                                struct cxn_error *err);

/* The picture of that name with its shorter side CXN_RESIZE_SIDE. A name is looked for in the
 * folders, never outside them: one with a '/' is refused. Thread safe. notes (may be NULL) gets
 * CXN_NOTE_ bits. Errors name the file. Free with cxn_picture_close(). */
enum cxn_status cxn_images_read(const cxn_images *images, const char *name,
                                struct cxn_picture *picture, unsigned *notes,
                                struct cxn_error *err);

/* Of the file that cxn_images_read() would decode; for folders only. */
enum cxn_status cxn_images_stamp(const cxn_images *images, const char *name,
                                 struct cxn_file_stamp *stamp, struct cxn_error *err);

void cxn_images_close(cxn_images **images);

/* ---- reading ahead ------------------------------------------------------------------------ */

/* Pictures of a list, in its order or in another, decoded by threads of the loader's own while the
 * caller computes. Memory is bounded by the number of slots, whatever the length of the list. */
typedef struct cxn_loader cxn_loader;

struct cxn_loader_options {
    unsigned threads; /* decoding threads, 1..CXN_THREADS_MAX; where the system refuses some there
                         are fewer, and where it refuses all the caller decodes. No more are started
                         than there are pictures, and none for one alone */
    size_t slots;     /* pictures in flight, at least 1 */
    const uint32_t *order; /* indices into the list, any of them any number of times; borrowed for
                              the life of the loader. NULL: the whole list as it stands */
    size_t order_count;
};

/* One image of the list. Where status is not CXN_OK there is no picture and error says why, with
 * the file's name: --on-bad decides what to do about it. */
struct cxn_sample {
    size_t place; /* in the order */
    size_t index; /* into the list */
    enum cxn_status status;
    struct cxn_error error;
    struct cxn_picture picture;
    unsigned notes; /* CXN_NOTE_ bits of image/image.h */
};

/* Borrows env, images and list. CXN_E_ARG, also for an order that leaves the list; CXN_E_NOMEM. */
enum cxn_status cxn_loader_open(cxn_loader **loader, const struct cxn_env *env,
                                const cxn_images *images, const cxn_list *list,
                                const struct cxn_loader_options *options, struct cxn_error *err);

/* The next sample in order, NULL after the last. It is the caller's until given back, in any
 * order; a caller who asks for one holds fewer than `slots`. One thread at a time. */
struct cxn_sample *cxn_loader_next(cxn_loader *loader);
void cxn_loader_release(cxn_loader *loader, struct cxn_sample *sample);

/* Stops the threads, frees, writes NULL; may be called before the end of the order, and with
 * samples not given back, which are freed too. */
void cxn_loader_close(cxn_loader **loader);

#endif
