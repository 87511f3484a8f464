/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_CACHE_H
#define CXN_DATA_CACHE_H

#include "base/env.h"
#include "base/file.h"
#include "base/picture.h"
#include "data/cache_format.h"

/* ---- reading (untrusted input) ------------------------------------------------------------ */

/*
 * A finished cache. The index is read into memory of its own and checked once; pixels are read by
 * position and checked against their checksum, so that a file cut off or changed while in use is an
 * error, never a signal.
 */
typedef struct cxn_cache cxn_cache;

/* Borrows env. CXN_E_IO, CXN_E_FORMAT, CXN_E_LIMIT or CXN_E_NOMEM; texts name path. */
enum cxn_status cxn_cache_open(cxn_cache **cache, const struct cxn_env *env, const char *path,
                               struct cxn_error *err);
size_t cxn_cache_count(const cxn_cache *cache);
uint64_t cxn_cache_bytes(const cxn_cache *cache); /* of the file */
const char *cxn_cache_path(const cxn_cache *cache);

/* Borrowed from cache; NULL when it has no such image. */
const struct cxn_cache_entry *cxn_cache_find(const cxn_cache *cache, const char *name);

/* The bytes of an entry into dst, which has room for e->data_bytes. CXN_E_FORMAT where the checksum
 * is wrong. Thread safe. */
enum cxn_status cxn_cache_read_data(const cxn_cache *cache, const struct cxn_cache_entry *e,
                                    uint8_t *dst, struct cxn_error *err);

/* The picture of that name; for an image that prepare could not decode, what it said. */
enum cxn_status cxn_cache_read(const cxn_cache *cache, const char *name,
                               struct cxn_picture *picture, unsigned *notes,
                               struct cxn_error *err);
void cxn_cache_close(cxn_cache **cache);

/* ---- writing ------------------------------------------------------------------------------ */

/*
 * Writes PATH.partial, which holds every record from the moment it is appended, and takes the final
 * name when finished. The unfinished file is locked: a second writer gets CXN_E_IO.
 */
typedef struct cxn_cache_writer cxn_cache_writer;

/* Called for each whole record found in an unfinished file, in the order of writing; e and its name
 * are valid during the call only. */
typedef void cxn_cache_found_fn(void *ctx, const struct cxn_cache_entry *e);

/* Opens or creates the unfinished file and reports what it holds; a torn end is cut off. */
enum cxn_status cxn_cache_writer_open(cxn_cache_writer **writer, const struct cxn_env *env,
                                      const char *path, cxn_cache_found_fn *found, void *ctx,
                                      struct cxn_error *err);

/* Append data; fills in e->data_offset and e->data_crc. */
enum cxn_status cxn_cache_writer_append(cxn_cache_writer *writer, struct cxn_cache_entry *e,
                                        const uint8_t *data, struct cxn_error *err);

/* Write the index of these entries, which are sorted by name without repetition, sync, and take the
 * final name. After an error the unfinished file is still there. */
enum cxn_status cxn_cache_writer_finish(cxn_cache_writer *writer,
                                        const struct cxn_cache_entry *const *entries, size_t count,
                                        struct cxn_error *err);

/* Remove the unfinished file. */
void cxn_cache_writer_discard(cxn_cache_writer *writer);

/* Closes, frees, writes NULL; an unfinished file stays. */
void cxn_cache_writer_close(cxn_cache_writer **writer);

#endif
