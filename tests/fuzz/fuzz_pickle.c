/* SPDX-License-Identifier: Apache-2.0 */
/* The restricted unpickler alone: behind a zip's checksum mutation would rarely reach it. */
#include <stdlib.h>

#include "model/pickle.h"

/* Of an empty tensor its offset, which may be just behind the storage. */
static uint64_t last_element(const struct cxn_pickle_tensor *t)
{
    uint64_t last = t->offset;
    for (uint32_t d = 0; d < t->rank; d++) {
        if (t->dims[d] == 0) return t->offset;
        last += (t->dims[d] - 1) * t->strides[d];
    }
    return last;
}

/* Items end, and are values; tensors lie within their storages. */
static void check(const struct cxn_pickle *p, size_t size)
{
    if (p->end > size || p->root >= p->value_count) abort();
    for (size_t i = 0; i < p->value_count; i++) {
        const struct cxn_pickle_value *v = &p->values[i];
        if (v->kind < CXN_PICKLE_TUPLE || v->kind > CXN_PICKLE_DICT) continue;
        uint32_t count = 0;
        for (uint32_t link = v->as.items.first, next; link != CXN_PICKLE_END; link = next) {
            (void)cxn_pickle_at(p, link, &next);
            if (p->links[link].value >= p->value_count || ++count > v->count) abort();
        }
        if (count != v->count) abort();
    }
    for (size_t i = 0; i < p->tensor_count; i++) {
        const struct cxn_pickle_tensor *t = &p->tensors[i];
        if (t->storage >= p->storage_count) abort();
        if (last_element(t) > p->storages[t->storage].count) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    struct cxn_pickle p;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    if (cxn_pickle_open(&p, &mem, data, size, 0, &err) == CXN_OK) check(&p, size);
    cxn_pickle_close(&p);
    if (mem.blocks != 0) abort();
    return 0;
}
