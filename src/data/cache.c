/* SPDX-License-Identifier: Apache-2.0 */
#include "data/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "image/image.h"

struct cxn_cache {
    const struct cxn_env *env;
    struct cxn_file file;
    char *path;
    uint8_t *index;
    struct cxn_cache_entry *entries; /* sorted by name, names point into index */
    size_t count;
};

/* Everything the header promises, against the size of the file, before anything is allocated. */
static enum cxn_status check_header(const struct cxn_cache_header *h, uint64_t file_bytes,
                                    struct cxn_error *err)
{
    if (h->index_offset == 0)
        return cxn_fail(err, CXN_E_FORMAT, "unfinished cache: run chexnet prepare again");
    if (h->index_bytes > CXN_CACHE_INDEX_BYTES_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "cache header: index of %llu bytes, at most %llu",
                        (unsigned long long)h->index_bytes,
                        (unsigned long long)CXN_CACHE_INDEX_BYTES_MAX);
    if (h->index_offset < CXN_CACHE_HEADER_BYTES || h->index_offset > file_bytes ||
        h->index_bytes != file_bytes - h->index_offset)
        return cxn_fail(err, CXN_E_FORMAT,
                        "cache header: index of %llu bytes from %llu in a file of %llu",
                        (unsigned long long)h->index_bytes, (unsigned long long)h->index_offset,
                        (unsigned long long)file_bytes);
    if (h->entry_count > h->index_bytes / CXN_CACHE_ENTRY_BYTES)
        return cxn_fail(err, CXN_E_FORMAT, "cache header: %llu entries in an index of %llu bytes",
                        (unsigned long long)h->entry_count, (unsigned long long)h->index_bytes);
    return CXN_OK;
}

static enum cxn_status parse_index(cxn_cache *cache, const struct cxn_cache_header *h,
                                   struct cxn_error *err)
{
    struct cxn_cursor c = cxn_cursor_make(cache->index, (size_t)h->index_bytes);
    for (size_t i = 0; i < cache->count; i++) {
        struct cxn_cache_entry *e = &cache->entries[i];
        const enum cxn_status status = cxn_cache_entry_decode(&c, h->index_offset, e, err);
        if (status != CXN_OK) return cxn_fail_in(err, status, "cache index");
        if (i > 0 && strcmp(e[-1].name, e->name) >= 0)
            return cxn_fail(err, CXN_E_FORMAT, "cache index: '%s' does not follow '%s'", e->name,
                            e[-1].name);
    }
    if (cxn_cursor_left(&c) != 0)
        return cxn_fail(err, CXN_E_FORMAT, "cache index: %zu bytes too many", cxn_cursor_left(&c));
    return CXN_OK;
}

static enum cxn_status read_index(cxn_cache *cache, const struct cxn_cache_header *h,
                                  struct cxn_error *err)
{
    struct cxn_mem *mem = cache->env->mem;
    const size_t bytes = (size_t)h->index_bytes;
    cache->count = (size_t)h->entry_count;
    cache->index = cxn_alloc(mem, bytes, 1);
    cache->entries = cxn_alloc(mem, cache->count, sizeof *cache->entries);
    if (!cache->index || !cache->entries)
        return cxn_fail_nomem(err, mem, bytes + cache->count * sizeof *cache->entries,
                              "the cache's index");
    const enum cxn_status status =
        cxn_file_pread(&cache->file, cache->path, h->index_offset, cache->index, bytes, err);
    if (status != CXN_OK) return status;
    if (cxn_crc32(0, cache->index, bytes) != h->index_crc)
        return cxn_fail(err, CXN_E_FORMAT, "cache index: wrong checksum");
    return parse_index(cache, h, err);
}

static enum cxn_status read_header(cxn_cache *cache, struct cxn_cache_header *h,
                                   struct cxn_error *err)
{
    uint8_t bytes[CXN_CACHE_HEADER_BYTES];
    if (cache->file.size_bytes < sizeof bytes)
        return cxn_fail(err, CXN_E_FORMAT, "not a cache made by chexnet prepare: %llu bytes",
                        (unsigned long long)cache->file.size_bytes);
    enum cxn_status status =
        cxn_file_pread(&cache->file, cache->path, 0, bytes, sizeof bytes, err);
    if (status == CXN_OK) status = cxn_cache_header_decode(bytes, h, err);
    if (status == CXN_OK) status = check_header(h, cache->file.size_bytes, err);
    return status;
}

static enum cxn_status load_cache(cxn_cache *cache, struct cxn_error *err)
{
    struct cxn_cache_header h;
    enum cxn_status status = read_header(cache, &h, err);
    if (status == CXN_OK) status = read_index(cache, &h, err);
    /* Errors of reading name the path already. */
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, cache->path);
}

enum cxn_status cxn_cache_open(cxn_cache **out, const struct cxn_env *env, const char *path,
                               struct cxn_error *err)
{
    *out = NULL;
    cxn_cache *cache = cxn_alloc_zero(env->mem, 1, sizeof *cache);
    if (!cache) return cxn_fail_nomem(err, env->mem, sizeof *cache, "a cache");
    cache->env = env;
    cache->file.fd = -1;
    cache->path = cxn_strndup(env->mem, path, strlen(path));
    enum cxn_status status = CXN_OK;
    if (!cache->path) status = cxn_fail_nomem(err, env->mem, strlen(path), "a cache's name");
    if (status == CXN_OK) status = cxn_file_open(&cache->file, path, err);
    if (status == CXN_OK) status = load_cache(cache, err);
    if (status != CXN_OK) {
        cxn_cache_close(&cache);
        return status;
    }
    *out = cache;
    return CXN_OK;
}

size_t cxn_cache_count(const cxn_cache *cache)
{
    return cache->count;
}

uint64_t cxn_cache_bytes(const cxn_cache *cache)
{
    return cache->file.size_bytes;
}

const char *cxn_cache_path(const cxn_cache *cache)
{
    return cache->path;
}

static int compare_to_entry(const void *name, const void *entry)
{
    return strcmp(name, ((const struct cxn_cache_entry *)entry)->name);
}

const struct cxn_cache_entry *cxn_cache_find(const cxn_cache *cache, const char *name)
{
    return bsearch(name, cache->entries, cache->count, sizeof *cache->entries, compare_to_entry);
}

enum cxn_status cxn_cache_read_data(const cxn_cache *cache, const struct cxn_cache_entry *e,
                                    uint8_t *dst, struct cxn_error *err)
{
    const enum cxn_status status =
        cxn_file_pread(&cache->file, cache->path, e->data_offset, dst, e->data_bytes, err);
    if (status != CXN_OK) return cxn_fail_in(err, status, e->name);
    if (cxn_crc32(0, dst, e->data_bytes) != e->data_crc)
        return cxn_fail(err, CXN_E_FORMAT, "%s: '%s': its pixels do not match their checksum",
                        cache->path, e->name);
    return CXN_OK;
}

/* What prepare wrote down about an image that it could not decode. */
static enum cxn_status retell_failure(const cxn_cache *cache, const struct cxn_cache_entry *e,
                                      struct cxn_error *err)
{
    char text[CXN_ERROR_BYTES] = "";
    const enum cxn_status status = cxn_cache_read_data(cache, e, (uint8_t *)text, err);
    if (status != CXN_OK) return status;
    return cxn_fail(err, e->status, "%s (noted in %s)", text, cache->path);
}

enum cxn_status cxn_cache_read(const cxn_cache *cache, const char *name,
                               struct cxn_picture *picture, unsigned *notes,
                               struct cxn_error *err)
{
    *picture = (struct cxn_picture){ 0 };
    if (notes) *notes = 0;
    const struct cxn_cache_entry *e = cxn_cache_find(cache, name);
    if (!e) return cxn_fail(err, CXN_E_FORMAT, "%s: no image '%s'", cache->path, name);
    if (e->channels == 0) return retell_failure(cache, e, err);
    enum cxn_status status =
        cxn_picture_open(cache->env, e->width, e->height, e->channels, picture, err);
    if (status != CXN_OK) return cxn_fail_in(err, status, name);
    status = cxn_cache_read_data(cache, e, picture->pixels, err);
    if (status != CXN_OK) cxn_picture_close(picture);
    else if (notes) *notes = e->notes;
    return status;
}

void cxn_cache_close(cxn_cache **cache)
{
    if (!cache || !*cache) return;
    cxn_file_close(&(*cache)->file);
    cxn_free((*cache)->entries);
    cxn_free((*cache)->index);
    cxn_free((*cache)->path);
    cxn_free(*cache);
    *cache = NULL;
}
