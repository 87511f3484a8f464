/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pth.h"

#include <string.h>

enum { WRAPPERS_MAX = 4 };

static const char *const wrappers[] = { "state_dict", "model" };

/* The dict under a wrapper's key; NULL when there is none. */
static enum cxn_status unwrap(const struct cxn_pickle *p, const struct cxn_pickle_value *dict,
                              const struct cxn_pickle_value **inner, struct cxn_error *err)
{
    *inner = NULL;
    for (size_t i = 0; i < CXN_COUNTOF(wrappers); i++) {
        const struct cxn_pickle_value *value;
        const enum cxn_status status = cxn_pickle_find(p, dict, wrappers[i], &value, err);
        if (status != CXN_OK) return status;
        if (!value || value->kind != CXN_PICKLE_DICT) continue;
        if (*inner)
            return cxn_fail(err, CXN_E_FORMAT, "pth: both 'state_dict' and 'model' hold a dict");
        *inner = value;
    }
    return CXN_OK;
}

static enum cxn_status find_state_dict(const struct cxn_pickle *p,
                                       const struct cxn_pickle_value **dict, struct cxn_error *err)
{
    const struct cxn_pickle_value *at = &p->values[p->root];
    if (at->kind != CXN_PICKLE_DICT)
        return cxn_fail(err, CXN_E_FORMAT, "pth: holds something else than a dict; expected a "
                                           "state_dict");
    for (int i = 0; i < WRAPPERS_MAX; i++) {
        const struct cxn_pickle_value *inner;
        const enum cxn_status status = unwrap(p, at, &inner, err);
        if (status != CXN_OK) return status;
        *dict = at;
        if (!inner) return CXN_OK;
        at = inner;
    }
    return cxn_fail(err, CXN_E_FORMAT, "pth: state_dict within model and so on, over %d levels",
                    WRAPPERS_MAX);
}

static enum cxn_status add_tensor(struct cxn_tensors *list, const struct cxn_pickle *p,
                                  const struct cxn_pth_place *places,
                                  const struct cxn_pickle_value *key,
                                  const struct cxn_pickle_value *value, struct cxn_error *err)
{
    if (key->kind != CXN_PICKLE_TEXT)
        return cxn_fail(err, CXN_E_FORMAT, "pth: a key of the state_dict is not a string");
    const char *name = (const char *)p->bytes + key->as.text.at;
    if (value->kind != CXN_PICKLE_TENSOR)
        return cxn_fail(err, CXN_E_FORMAT,
                        "pth: '%.*s' is not a tensor; expected a state_dict, or one under the key "
                        "state_dict or model",
                        key->as.text.size < 200 ? (int)key->as.text.size : 200, name);
    const struct cxn_pickle_tensor *t = &p->tensors[value->as.index];
    struct cxn_tensor item = { .dtype = p->storages[t->storage].dtype,
                               .rank = t->rank,
                               .record = places[t->storage].record };
    item.offset_bytes = places[t->storage].offset_bytes + t->offset * cxn_dtype_bytes(item.dtype);
    memcpy(item.dims, t->dims, sizeof item.dims);
    memcpy(item.strides, t->strides, sizeof item.strides);
    return cxn_tensors_add(list, &item, name, key->as.text.size, err);
}

enum cxn_status cxn_pth_list(struct cxn_tensors *list, const struct cxn_pickle *p,
                             const struct cxn_pth_place *places, struct cxn_error *err)
{
    const struct cxn_pickle_value *dict = NULL;
    enum cxn_status status = find_state_dict(p, &dict, err);
    if (status != CXN_OK) return status;
    if (dict->count == 0) return cxn_fail(err, CXN_E_FORMAT, "pth: an empty state_dict");
    for (uint32_t link = dict->as.items.first, next; link != CXN_PICKLE_END; link = next) {
        const struct cxn_pickle_value *key = cxn_pickle_at(p, link, &next);
        const struct cxn_pickle_value *value = cxn_pickle_at(p, next, &next);
        status = add_tensor(list, p, places, key, value, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}
