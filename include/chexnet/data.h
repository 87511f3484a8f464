/* SPDX-License-Identifier: Apache-2.0 */
/** Data sets: decode one once into a cache, and draw a synthetic one. */
#ifndef CHEXNET_DATA_H
#define CHEXNET_DATA_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Told after each image: done of total. Anything but 0 as its answer ends the work, which then
 * returns CXN_E_STOPPED. Called from any thread of the context, never twice at once. NULL: not
 * told.
 */
typedef int cxn_progress_fn(void *progress_ctx, size_t done, size_t total);

/* ---- prepare ------------------------------------------------------------------------------ */

/** Zeroed means defaults; folders, lists and out are needed. Borrowed for the call. */
struct cxn_prepare_options {
    const char *const *folders; /**< of the images, searched in order for each name */
    size_t folder_count;        /**< at least 1 */
    const char *const *lists;   /**< image lists; the cache holds the images of all of them */
    size_t list_count;          /**< at least 1 */
    const char *out;            /**< the cache */
    int skip_bad;               /**< 0: the first image that cannot be decoded ends the work; else
                                     it is noted in the cache, and whoever reads it there is told */
    cxn_progress_fn *progress;
    void *progress_ctx;
};

struct cxn_prepare_result {
    size_t images;        /**< in the cache, the bad ones included */
    size_t decoded;       /**< in this call, the bad ones included */
    size_t kept;          /**< taken from an interrupted call or from the cache that stood there */
    size_t bad;           /**< noted as not decodable; the context's log has their names */
    uint64_t cache_bytes; /**< of the file */
};

/**
 * Decode every image of the lists and resize it to a shorter side of 256 pixels, as scoring does,
 * into one file that every function which reads images takes instead of folders.
 *
 * Work is done on all threads of the context. Until it is complete the cache is called OUT.partial;
 * a call that was interrupted, however, is taken up where it ended. An image whose source file has
 * the size and time of change that the cache noted is not decoded again.
 *
 * @param result  out: what was done; may be NULL
 * @return CXN_OK        the cache is complete under its name
 *         CXN_E_ARG     options are missing, or a folder is a cache
 *         CXN_E_STOPPED progress ended the work; the next call goes on there
 *         CXN_E_IO      a folder, list or image is missing or unreadable; out is another kind of
 *                       file, not writable, or being written by another process
 *         CXN_E_FORMAT  a list or an image is wrong: the text names it
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_prepare(cxn_context *ctx, const struct cxn_prepare_options *options,
                                    struct cxn_prepare_result *result, struct cxn_error *err);

/* ---- phantom ------------------------------------------------------------------------------ */

/** Zeroed means defaults; out and images are needed. Borrowed for the call. */
struct cxn_phantom_options {
    const char *out; /**< a folder that does not exist or is empty */
    size_t images;   /**< 10..1000000 */
    uint32_t size;   /**< side of the square pictures in pixels, 256..2048; 0: 1024 */
    int balanced;    /**< 0: each finding as often as in ChestX-ray14 (Hernia 0.2 % ...
                          Infiltration 17.7 %); else in about a quarter of the images */
    uint64_t seed;   /**< the same seed gives the same bytes, for any number of threads */
    cxn_progress_fn *progress;
    void *progress_ctx;
};

/**
 * Write a synthetic data set in the form of ChestX-ray14: OUT/images/00000001_000.png and so on,
 * train_list.txt, val_list.txt and test_list.txt (70, 10 and 20 percent, whole patients),
 * Data_Entry_2017_v2020.csv, and BBox_List_2017.csv, whose boxes are in units of 1/1024 of the side
 * for any size, as NIH's. The chests are drawn; their findings are visible shapes that a network
 * can learn, and the histogram of a picture says nothing about them. They resemble no patient and
 * teach no medicine.
 *
 * @return CXN_OK        the set is complete under its name
 *         CXN_E_ARG     options out of range
 *         CXN_E_STOPPED progress ended the work
 *         CXN_E_IO      the folder is not empty, or cannot be written
 *         CXN_E_NOMEM   over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_phantom(cxn_context *ctx, const struct cxn_phantom_options *options,
                                    struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
