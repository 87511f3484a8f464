/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/names.h"

#include <string.h>

#include "base/grow.h"

enum { SLOTS_FIRST = 1024, SLOTS_A_NAME = 4, PROBES_MAX = 128 };

void cxn_names_close(struct cxn_onnx_names *names)
{
    cxn_free(names->text);
    cxn_free(names->at);
    cxn_free(names->slots);
    *names = (struct cxn_onnx_names){ .mem = names->mem };
}

const char *cxn_names_text(const struct cxn_onnx_names *names, uint32_t number)
{
    return names->text + names->at[number];
}

static uint64_t hash_text(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, then mixed: tables take the low bits */
    for (; *s; s++) h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    return h * UINT64_C(0x9e3779b97f4a7c15) >> 16;
}

/* The slot of the name, or the free one where it would be; NULL after PROBES_MAX others, which
 * names that were not chosen for it do not need in a table so empty. */
static uint32_t *find_slot(const struct cxn_onnx_names *names, const char *name)
{
    const uint64_t h = hash_text(name);
    for (size_t i = 0; i < PROBES_MAX; i++) {
        uint32_t *slot = &names->slots[(h + i) & (names->slot_count - 1)];
        if (*slot == 0 || strcmp(cxn_names_text(names, *slot - 1), name) == 0) return slot;
    }
    return NULL;
}

static enum cxn_status fail_crowded(struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_LIMIT, "onnx: more than %d names with the same place in a table",
                    PROBES_MAX);
}

static enum cxn_status grow_slots(struct cxn_onnx_names *names, struct cxn_error *err)
{
    struct cxn_onnx_names wide = *names;
    if (names->slot_count > SLOTS_A_NAME * names->count) return CXN_OK;
    wide.slot_count = names->slot_count > 0 ? 2 * names->slot_count : SLOTS_FIRST;
    wide.slots = cxn_alloc_zero(names->mem, wide.slot_count, sizeof *wide.slots);
    if (!wide.slots)
        return cxn_fail_nomem(err, names->mem, wide.slot_count * sizeof *wide.slots,
                              "a table of names");
    for (size_t i = 0; i < names->count; i++) {
        uint32_t *slot = find_slot(&wide, cxn_names_text(names, (uint32_t)i));
        if (!slot) {
            cxn_free(wide.slots);
            return fail_crowded(err);
        }
        *slot = (uint32_t)i + 1;
    }
    cxn_free(names->slots);
    *names = wide;
    return CXN_OK;
}

/* Adds a name that is not there. */
static enum cxn_status keep(struct cxn_onnx_names *names, const char *name, struct cxn_error *err)
{
    const size_t n = strlen(name) + 1, need = names->text_size + n;
    if (names->count >= CXN_NAMES_MAX || need > CXN_NAMES_TEXT_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "onnx: more than %d names, or %d bytes of them",
                        CXN_NAMES_MAX, CXN_NAMES_TEXT_MAX);
    char *text = cxn_grow(names->mem, names->text, &names->text_capacity, need,
                          CXN_NAMES_TEXT_MAX, 1);
    if (!text) return cxn_fail_nomem(err, names->mem, need, "names of a graph");
    names->text = text;
    uint32_t *at = cxn_grow(names->mem, names->at, &names->capacity, names->count + 1,
                            CXN_NAMES_MAX, sizeof *at);
    if (!at) return cxn_fail_nomem(err, names->mem, names->count * sizeof *at, "names of a graph");
    names->at = at;
    memcpy(text + names->text_size, name, n);
    at[names->count++] = (uint32_t)names->text_size;
    names->text_size = need;
    return CXN_OK;
}

enum cxn_status cxn_names_number(struct cxn_onnx_names *names, const char *name, uint32_t *number,
                                 struct cxn_error *err)
{
    enum cxn_status status = grow_slots(names, err);
    if (status != CXN_OK) return status;
    uint32_t *slot = find_slot(names, name);
    if (!slot) return fail_crowded(err);
    if (*slot == 0) {
        status = keep(names, name, err);
        if (status != CXN_OK) return status;
        *slot = (uint32_t)names->count;
    }
    *number = *slot - 1;
    return CXN_OK;
}
