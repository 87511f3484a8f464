/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_PREPARE_H
#define CXN_DATA_PREPARE_H

#include "base/progress.h"
#include "data/loader.h"

struct cxn_prepare_job {
    const cxn_images *images;     /* folders */
    const cxn_list *const *lists; /* the cache holds the images of all of them */
    size_t list_count;
    const char *path; /* of the cache */
    bool skip_bad;    /* note an image that cannot be decoded instead of failing */
    struct cxn_progress progress;
};

struct cxn_prepare_counts {
    size_t images;  /* in the cache, bad ones included */
    size_t decoded; /* in this run, bad ones included */
    size_t kept;    /* from an interrupted run or the cache that stood there */
    size_t bad;     /* noted as not decodable; their names go to env->log */
    uint64_t cache_bytes;
};

/*
 * Decode and resize the images of the lists into one cache (docs/formats.md). What an interrupted
 * run, or the cache of that name, holds of unchanged source files is kept. CXN_E_STOPPED when
 * progress ended the work; the failure of the first bad image without skip_bad; CXN_E_ARG for
 * images that are a cache; CXN_E_IO, CXN_E_NOMEM.
 */
enum cxn_status cxn_prepare_run(const struct cxn_env *env, const struct cxn_prepare_job *job,
                                struct cxn_prepare_counts *counts, struct cxn_error *err);

#endif
