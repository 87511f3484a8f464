/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuse/derived.h"

/* Slots that the file has, as tensors; parts' numbers are asked for when their turn comes. */
struct writer {
    const struct cxn_derived_content *content;
    struct cxn_slot *slots;         /* [cxn_slots_count()] */
    struct cxn_out_tensor *tensors; /* those of them with a name */
    size_t *slot_of;                /* of each tensor */
    size_t tensor_count;
};

static const void *find_data(const struct cxn_derived_content *c, size_t slot)
{
    const size_t behind = cxn_slots_count(&c->slots) - CXN_SLOTS_PROBE;
    if (slot == behind + CXN_SLOT_PICTURE) return c->probe->pixels;
    if (slot == behind + CXN_SLOT_REFERENCE) return c->reference;
    if (slot == behind + CXN_SLOT_ANSWERS) return c->answers;
    return NULL;
}

static void list_tensors(struct writer *w)
{
    for (size_t k = 0; k < cxn_slots_count(&w->content->slots); k++) {
        struct cxn_slot *slot = &w->slots[k];
        *slot = cxn_slots_at(&w->content->slots, k);
        if (slot->name[0] == '\0') continue;
        struct cxn_out_tensor *t = &w->tensors[w->tensor_count];
        w->slot_of[w->tensor_count++] = k;
        *t = (struct cxn_out_tensor){ .name = slot->name, .dtype = slot->dtype,
                                      .rank = slot->rank, .data = find_data(w->content, k) };
        memcpy(t->dims, slot->dims, sizeof slot->dims);
    }
}

static enum cxn_status give_tensor(void *ctx, size_t i, void *data, struct cxn_error *err)
{
    const struct writer *w = ctx;
    const struct cxn_derived_content *c = w->content;
    const size_t slot = w->slot_of[i], each = c->slots.each_count;
    return c->read(c->from, &w->slots[slot], slot / each, slot % each, data, err);
}

static enum cxn_status writer_open(struct writer *w, const struct cxn_derived_content *content,
                                   struct cxn_mem *mem, struct cxn_error *err)
{
    const size_t slots = cxn_slots_count(&content->slots);
    *w = (struct writer){ .content = content };
    w->slots = cxn_alloc(mem, slots, sizeof *w->slots);
    w->tensors = cxn_alloc(mem, slots, sizeof *w->tensors);
    w->slot_of = cxn_alloc(mem, slots, sizeof *w->slot_of);
    if (!w->slots || !w->tensors || !w->slot_of)
        return cxn_fail_nomem(err, mem, slots * sizeof *w->tensors, "a list of tensors");
    list_tensors(w);
    return CXN_OK;
}

static void writer_close(struct writer *w)
{
    cxn_free(w->slots);
    cxn_free(w->tensors);
    cxn_free(w->slot_of);
}

enum cxn_status cxn_derived_write(const struct cxn_env *env, const char *path,
                                  const struct cxn_derived_content *content,
                                  struct cxn_error *err)
{
    struct writer w;
    enum cxn_status status = writer_open(&w, content, env->mem, err);
    if (status == CXN_OK) {
        const struct cxn_safetensors_content file = {
            .tensors = w.tensors, .tensor_count = w.tensor_count, .metadata = content->pairs,
            .metadata_count = content->pair_count, .read = give_tensor, .read_ctx = &w
        };
        status = cxn_safetensors_write(env, path, &file, err);
    }
    writer_close(&w);
    return status;
}
