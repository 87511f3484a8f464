/* SPDX-License-Identifier: Apache-2.0 */
/* The zip form of torch.save: NAME/data.pkl, NAME/data/KEY for each storage, NAME/version,
 * NAME/byteorder. */
#include <string.h>

#include "model/pth.h"
#include "model/zip.h"

static const char pickle_suffix[] = "/data.pkl";

enum { FORMAT_VERSION_MAX = 10, SMALL_ENTRY_BYTES = 64 };

struct archive {
    struct cxn_zip zip;
    const char *prefix; /* "NAME/", borrowed from the zip */
    size_t prefix_size;
    const struct cxn_zip_entry *pickle;
};

static enum cxn_status find_pickle(struct archive *a, struct cxn_error *err)
{
    const size_t n = sizeof pickle_suffix - 1;
    for (size_t i = 0; i < a->zip.count; i++) {
        const struct cxn_zip_entry *e = &a->zip.entries[i];
        if (e->name_size <= n || memcmp(e->name + e->name_size - n, pickle_suffix, n) != 0)
            continue;
        if (a->pickle)
            return cxn_fail(err, CXN_E_FORMAT, "pth: two pickles, '%.*s' and '%.*s'",
                            (int)a->pickle->name_size, a->pickle->name, (int)e->name_size, e->name);
        a->pickle = e;
    }
    if (!a->pickle)
        return cxn_fail(err, CXN_E_FORMAT, "a zip without NAME/data.pkl; expected what torch.save "
                                           "writes");
    a->prefix = a->pickle->name;
    a->prefix_size = a->pickle->name_size - n + 1;
    return CXN_OK;
}

/* The entry of that name under the prefix, or NULL. */
static const struct cxn_zip_entry *find_entry(const struct archive *a, const char *folder,
                                              const char *name, size_t size)
{
    char path[1024];
    const size_t folder_size = strlen(folder);
    if (a->prefix_size + folder_size + size > sizeof path) return NULL;
    memcpy(path, a->prefix, a->prefix_size);
    memcpy(path + a->prefix_size, folder, folder_size);
    memcpy(path + a->prefix_size + folder_size, name, size);
    return cxn_zip_find(&a->zip, path, a->prefix_size + folder_size + size);
}

/* A short text without its final newline; "" when the entry is absent. */
static enum cxn_status read_small(const struct archive *a, const struct cxn_source *source,
                                  const char *name, char text[SMALL_ENTRY_BYTES],
                                  struct cxn_error *err)
{
    const struct cxn_zip_entry *e = find_entry(a, "", name, strlen(name));
    struct cxn_bytes bytes = { 0 };
    text[0] = '\0';
    if (!e) return CXN_OK;
    const enum cxn_status status =
        cxn_zip_read(&a->zip, source, e, SMALL_ENTRY_BYTES - 1, &bytes, err);
    if (status != CXN_OK) return status;
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    if (bytes.size > 0 && text[bytes.size - 1] == '\n') text[bytes.size - 1] = '\0';
    cxn_free(bytes.data);
    return CXN_OK;
}

static bool is_version(const char *text)
{
    unsigned version = 0;
    for (const char *s = text; *s; s++) {
        if (*s < '0' || *s > '9' || s - text > 2) return false;
        version = version * 10 + (unsigned)(*s - '0');
    }
    return version >= 1 && version <= FORMAT_VERSION_MAX;
}

static enum cxn_status check_records(const struct archive *a, const struct cxn_source *source,
                                     struct cxn_error *err)
{
    char text[SMALL_ENTRY_BYTES];
    enum cxn_status status = read_small(a, source, "version", text, err);
    if (status != CXN_OK) return status;
    if (!is_version(text))
        return cxn_fail(err, CXN_E_FORMAT, "pth: version '%s', expected 1..%d", text,
                        FORMAT_VERSION_MAX);
    status = read_small(a, source, "byteorder", text, err);
    if (status != CXN_OK) return status;
    if (text[0] != '\0' && strcmp(text, "little") != 0)
        return cxn_fail(err, CXN_E_FORMAT, "pth: byteorder '%s', only little is read", text);
    return CXN_OK;
}

/* Each storage is one entry of exactly its size. */
static enum cxn_status place_storages(const struct archive *a, const struct cxn_pickle *p,
                                      struct cxn_pth_place *places, struct cxn_error *err)
{
    for (size_t i = 0; i < p->storage_count; i++) {
        const struct cxn_pickle_storage *s = &p->storages[i];
        const char *key = (const char *)p->bytes + s->key.at;
        const int shown = s->key.size < 100 ? (int)s->key.size : 100;
        const struct cxn_zip_entry *e = find_entry(a, "data/", key, s->key.size);
        uint64_t bytes;
        if (!e) return cxn_fail(err, CXN_E_FORMAT, "pth: no entry data/%.*s", shown, key);
        if (__builtin_mul_overflow(s->count, cxn_dtype_bytes(s->dtype), &bytes) ||
            bytes != e->size_bytes)
            return cxn_fail(err, CXN_E_FORMAT,
                            "pth: entry data/%.*s has %llu bytes, the pickle says %llu %s", shown,
                            key, (unsigned long long)e->size_bytes, (unsigned long long)s->count,
                            cxn_dtype_name(s->dtype));
        places[i] = (struct cxn_pth_place){ .offset_bytes = e->data_offset,
                                            .record = (int32_t)(e - a->zip.entries),
                                            .found = true };
    }
    return CXN_OK;
}

static enum cxn_status keep_records(struct cxn_tensors *list, const struct cxn_zip *zip,
                                    struct cxn_error *err)
{
    list->records = cxn_alloc(list->mem, zip->count, sizeof *list->records);
    if (!list->records)
        return cxn_fail_nomem(err, list->mem, zip->count * sizeof *list->records, "checksums");
    list->record_count = zip->count;
    for (size_t i = 0; i < zip->count; i++)
        list->records[i] = (struct cxn_record){ .offset_bytes = zip->entries[i].data_offset,
                                                .size_bytes = zip->entries[i].size_bytes,
                                                .crc32 = zip->entries[i].crc32 };
    return CXN_OK;
}

static enum cxn_status list_tensors(struct cxn_tensors *list, const struct archive *a,
                                    const struct cxn_bytes *bytes, struct cxn_error *err)
{
    struct cxn_pickle p;
    struct cxn_pth_place *places = NULL;
    enum cxn_status status = cxn_pickle_open(&p, list->mem, bytes->data, bytes->size, 0, err);
    if (status == CXN_OK && p.end != bytes->size)
        status = cxn_fail(err, CXN_E_FORMAT, "pth: data.pkl goes on behind its end at byte %zu",
                          p.end);
    if (status == CXN_OK) {
        places = cxn_alloc(list->mem, p.storage_count, sizeof *places);
        if (!places)
            status = cxn_fail_nomem(err, list->mem, p.storage_count * sizeof *places, "storages");
    }
    if (status == CXN_OK) status = place_storages(a, &p, places, err);
    if (status == CXN_OK) status = keep_records(list, &a->zip, err);
    if (status == CXN_OK) status = cxn_pth_list(list, &p, places, err);
    cxn_free(places);
    cxn_pickle_close(&p);
    return status;
}

enum cxn_status cxn_pth_zip_read(struct cxn_tensors *list, const struct cxn_source *source,
                                 struct cxn_error *err)
{
    struct archive a = { 0 };
    struct cxn_bytes bytes = { 0 };
    list->format = "pth (zip)";
    enum cxn_status status = cxn_zip_open(&a.zip, list->mem, source, err);
    if (status == CXN_OK) status = find_pickle(&a, err);
    if (status == CXN_OK) status = check_records(&a, source, err);
    if (status == CXN_OK)
        status = cxn_zip_read(&a.zip, source, a.pickle, CXN_PICKLE_MAX_BYTES, &bytes, err);
    if (status == CXN_OK) status = list_tensors(list, &a, &bytes, err);
    cxn_free(bytes.data);
    cxn_zip_close(&a.zip);
    return status;
}
