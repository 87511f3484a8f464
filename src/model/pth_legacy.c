/* SPDX-License-Identifier: Apache-2.0 */
/* The form of torch.save before 1.6: pickles of the magic number, the protocol, the system, the
 * object and the list of storage keys, then each storage: an 8-byte count and its elements. */
#include <stdlib.h>
#include <string.h>

#include "model/pth.h"

/* PROTO 2, LONG1 of ten bytes, STOP. */
const uint8_t cxn_pth_magic[CXN_PTH_MAGIC_BYTES] = { 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                                     0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };

enum { LEGACY_PROTOCOL = 1001 };

/* The first bytes of the file, which hold all pickles, and how far they are read. */
struct head {
    struct cxn_mem *mem;
    uint8_t *bytes;
    size_t size, at;
};

static enum cxn_status read_head(struct head *h, const struct cxn_source *source,
                                 struct cxn_error *err)
{
    const bool whole = source->size_bytes <= CXN_PICKLE_MAX_BYTES;
    h->size = whole ? (size_t)source->size_bytes : CXN_PICKLE_MAX_BYTES;
    h->bytes = cxn_alloc(h->mem, h->size, 1);
    if (!h->bytes) return cxn_fail_nomem(err, h->mem, h->size, "pickles");
    h->at = CXN_PTH_MAGIC_BYTES;
    return cxn_source_read(source, 0, h->bytes, h->size, err);
}

static enum cxn_status next_pickle(struct head *h, struct cxn_pickle *p, struct cxn_error *err)
{
    const enum cxn_status status = cxn_pickle_open(p, h->mem, h->bytes, h->size, h->at, err);
    h->at = p->end;
    return status;
}

static enum cxn_status check_protocol(struct head *h, struct cxn_error *err)
{
    struct cxn_pickle p;
    enum cxn_status status = next_pickle(h, &p, err);
    if (status == CXN_OK) {
        const struct cxn_pickle_value *v = &p.values[p.root];
        if (v->kind != CXN_PICKLE_INT || v->as.number != LEGACY_PROTOCOL)
            status = cxn_fail(err, CXN_E_FORMAT, "pth: protocol other than %d", LEGACY_PROTOCOL);
    }
    cxn_pickle_close(&p);
    return status;
}

static enum cxn_status check_system(struct head *h, struct cxn_error *err)
{
    struct cxn_pickle p;
    const struct cxn_pickle_value *little = NULL;
    enum cxn_status status = next_pickle(h, &p, err);
    if (status == CXN_OK && p.values[p.root].kind != CXN_PICKLE_DICT)
        status = cxn_fail(err, CXN_E_FORMAT, "pth: no description of the system");
    if (status == CXN_OK)
        status = cxn_pickle_find(&p, &p.values[p.root], "little_endian", &little, err);
    if (status == CXN_OK &&
        (!little || little->kind != CXN_PICKLE_BOOL || little->as.number != 1))
        status = cxn_fail(err, CXN_E_FORMAT, "pth: not saved on a little-endian machine");
    cxn_pickle_close(&p);
    return status;
}

/* ---- storages ----------------------------------------------------------------------------- */

/* A storage with its key, to be sorted. */
struct keyed {
    const char *key;
    uint32_t size, index;
};

static int compare_keys(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    const int order = memcmp(x->key, y->key, x->size < y->size ? x->size : y->size);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

struct layout {
    const struct cxn_pickle *object;
    struct keyed *keyed; /* by key; equal keys are one storage seen several times */
    struct cxn_pth_place *places;
    uint64_t at; /* where the next storage begins */
};

static size_t find_key(const struct layout *l, const struct keyed *wanted)
{
    size_t lo = 0, hi = l->object->storage_count;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (compare_keys(&l->keyed[mid], wanted) < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

/* The storage of that key is the next in the file. */
static enum cxn_status place_storage(struct layout *l, const struct cxn_source *source,
                                     const struct keyed *key, struct cxn_error *err)
{
    const int shown = key->size < 100 ? (int)key->size : 100;
    uint64_t count = 0, bytes;
    enum cxn_status status = cxn_source_read(source, l->at, &count, sizeof count, err);
    if (status != CXN_OK) return status;
    l->at += sizeof count;
    size_t i = find_key(l, key);
    if (i == l->object->storage_count || compare_keys(&l->keyed[i], key) != 0)
        return cxn_fail(err, CXN_E_FORMAT, "pth: storage '%.*s' is used by no tensor", shown,
                        key->key);
    const struct cxn_pickle_storage *first = &l->object->storages[l->keyed[i].index];
    if (__builtin_mul_overflow(count, cxn_dtype_bytes(first->dtype), &bytes) ||
        bytes > source->size_bytes - l->at)
        return cxn_fail(err, CXN_E_FORMAT, "pth: storage '%.*s' of %llu elements at byte %llu "
                                           "reaches beyond the file",
                        shown, key->key, (unsigned long long)count, (unsigned long long)l->at);
    for (; i < l->object->storage_count && compare_keys(&l->keyed[i], key) == 0; i++) {
        const struct cxn_pickle_storage *s = &l->object->storages[l->keyed[i].index];
        struct cxn_pth_place *place = &l->places[l->keyed[i].index];
        if (place->found || s->count != count || s->dtype != first->dtype)
            return cxn_fail(err, CXN_E_FORMAT, "pth: storage '%.*s' is described in two ways",
                            shown, key->key);
        *place = (struct cxn_pth_place){ l->at, CXN_RECORD_NONE, true };
    }
    l->at += bytes;
    return CXN_OK;
}

static enum cxn_status check_all_placed(const struct layout *l, const struct cxn_source *source,
                                        struct cxn_error *err)
{
    for (size_t i = 0; i < l->object->storage_count; i++) {
        const struct cxn_pickle_text key = l->object->storages[i].key;
        if (!l->places[i].found)
            return cxn_fail(err, CXN_E_FORMAT, "pth: storage '%.*s' is not in the file",
                            key.size < 100 ? (int)key.size : 100, l->object->bytes + key.at);
    }
    if (l->at != source->size_bytes)
        return cxn_fail(err, CXN_E_FORMAT, "pth: %llu bytes behind the last storage",
                        (unsigned long long)(source->size_bytes - l->at));
    return CXN_OK;
}

static enum cxn_status walk_keys(struct layout *l, const struct cxn_pickle *keys,
                                 const struct cxn_source *source, struct cxn_error *err)
{
    const struct cxn_pickle_value *root = &keys->values[keys->root];
    if (root->kind != CXN_PICKLE_LIST)
        return cxn_fail(err, CXN_E_FORMAT, "pth: no list of storage keys");
    for (uint32_t link = root->as.items.first, next; link != CXN_PICKLE_END; link = next) {
        const struct cxn_pickle_value *v = cxn_pickle_at(keys, link, &next);
        if (v->kind != CXN_PICKLE_TEXT)
            return cxn_fail(err, CXN_E_FORMAT, "pth: a storage key that is not a string");
        const struct keyed key = { (const char *)keys->bytes + v->as.text.at, v->as.text.size, 0 };
        const enum cxn_status status = place_storage(l, source, &key, err);
        if (status != CXN_OK) return status;
    }
    return check_all_placed(l, source, err);
}

static enum cxn_status make_layout(struct layout *l, struct cxn_mem *mem,
                                   const struct cxn_pickle *object, struct cxn_error *err)
{
    const size_t n = object->storage_count;
    *l = (struct layout){ .object = object };
    l->keyed = cxn_alloc(mem, n, sizeof *l->keyed);
    l->places = cxn_alloc_zero(mem, n, sizeof *l->places);
    if (!l->keyed || !l->places)
        return cxn_fail_nomem(err, mem, n * (sizeof *l->keyed + sizeof *l->places), "storages");
    for (uint32_t i = 0; i < n; i++) {
        const struct cxn_pickle_text key = object->storages[i].key;
        l->keyed[i] = (struct keyed){ (const char *)object->bytes + key.at, key.size, i };
    }
    qsort(l->keyed, n, sizeof *l->keyed, compare_keys);
    return CXN_OK;
}

static enum cxn_status list_tensors(struct cxn_tensors *list, struct head *h,
                                    const struct cxn_pickle *object,
                                    const struct cxn_source *source, struct cxn_error *err)
{
    struct layout l;
    struct cxn_pickle keys;
    enum cxn_status status = next_pickle(h, &keys, err);
    if (status != CXN_OK) {
        cxn_pickle_close(&keys);
        return status;
    }
    status = make_layout(&l, h->mem, object, err);
    l.at = h->at;
    if (status == CXN_OK) status = walk_keys(&l, &keys, source, err);
    if (status == CXN_OK) status = cxn_pth_list(list, object, l.places, err);
    cxn_free(l.keyed);
    cxn_free(l.places);
    cxn_pickle_close(&keys);
    return status;
}

enum cxn_status cxn_pth_legacy_read(struct cxn_tensors *list, const struct cxn_source *source,
                                    struct cxn_error *err)
{
    struct head h = { .mem = list->mem };
    struct cxn_pickle object = { .mem = list->mem };
    list->format = "pth (legacy)";
    enum cxn_status status = read_head(&h, source, err);
    if (status == CXN_OK) status = check_protocol(&h, err);
    if (status == CXN_OK) status = check_system(&h, err);
    if (status == CXN_OK) status = next_pickle(&h, &object, err);
    if (status == CXN_OK) status = list_tensors(list, &h, &object, source, err);
    cxn_pickle_close(&object);
    cxn_free(h.bytes);
    return status;
}
