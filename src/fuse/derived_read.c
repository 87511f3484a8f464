/* SPDX-License-Identifier: Apache-2.0 */
/* Files of derived models are untrusted input, as all weights are. */
#include <string.h>

#include "fuse/derived.h"

/* ---- metadata ----------------------------------------------------------------------------- */

static const char format_key[] = "chexnet_format";

const char *cxn_derived_value(const struct cxn_tensors *list, const char *key)
{
    for (size_t i = 0; i < list->pair_count; i++)
        if (strcmp(cxn_tensors_text(list, list->pairs[i].key_at), key) == 0)
            return cxn_tensors_text(list, list->pairs[i].value_at);
    return NULL;
}

bool cxn_derived_is(const struct cxn_tensors *list)
{
    return cxn_derived_value(list, format_key) != NULL;
}

enum cxn_status cxn_derived_fail(const char *key, const char *value, const char *expected,
                                 struct cxn_error *err)
{
    if (!value) return cxn_fail(err, CXN_E_FORMAT, "metadata '%s' is missing", key);
    return cxn_fail(err, CXN_E_FORMAT, "metadata '%s' is '%.200s', expected %s", key, value,
                    expected);
}

enum cxn_status cxn_derived_take(const struct cxn_tensors *list,
                                 const struct cxn_derived_word *word, struct cxn_error *err)
{
    const char *value = cxn_derived_value(list, word->key);
    const size_t n = value ? strlen(value) : 0;
    if (n == 0 || n >= word->bytes || value[strcspn(value, word->refused)] != '\0')
        return cxn_derived_fail(word->key, value, word->expected, err);
    memcpy(word->value, value, n + 1);
    return CXN_OK;
}

enum cxn_status cxn_derived_take_sha256(const struct cxn_tensors *list, const char *key,
                                        char value[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    static const char expected[] = "64 hex digits";
    const struct cxn_derived_word word = { key, value, CXN_SHA256_HEX_BYTES, "", expected };
    const enum cxn_status status = cxn_derived_take(list, &word, err);
    if (status != CXN_OK || strspn(value, "0123456789abcdef") == CXN_SHA256_HEX_BYTES - 1)
        return status;
    return cxn_derived_fail(key, value, expected, err);
}

static enum cxn_status take_about(struct cxn_derived *d, struct cxn_error *err)
{
    struct cxn_derived_about *about = &d->about;
    static const char a_word[] = "a word of 1 to 31 bytes";
    const struct cxn_derived_word words[] = {
        { "source_name", about->source_name, sizeof about->source_name, "/",
          "a file name of 1 to 255 bytes" },
        { "chexnet_version", about->version, sizeof about->version, " ", a_word },
        { "probe_level", about->level, sizeof about->level, " ", a_word },
    };
    enum cxn_status status =
        cxn_derived_take_sha256(d->list, "source_sha256", about->source_sha256, err);
    for (size_t i = 0; status == CXN_OK && i < CXN_COUNTOF(words); i++)
        status = cxn_derived_take(d->list, &words[i], err);
    return status;
}

static enum cxn_status check_values(const struct cxn_tensors *list,
                                    const struct cxn_out_pair *pairs, size_t count,
                                    struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = cxn_derived_value(list, pairs[i].key);
        if (!value || strcmp(value, pairs[i].value) != 0)
            return cxn_derived_fail(pairs[i].key, value, pairs[i].value, err);
    }
    return CXN_OK;
}

static bool has_key(const struct cxn_out_pair *pairs, size_t count, const char *key)
{
    size_t i = 0;
    while (i < count && strcmp(pairs[i].key, key) != 0) i++;
    return i < count;
}

/* Every pair that a file has, and no other. */
static enum cxn_status check_pairs(const struct cxn_tensors *list,
                                   const struct cxn_out_pair *pairs,
                                   const struct cxn_out_pair *more, size_t more_count,
                                   struct cxn_error *err)
{
    enum cxn_status status = check_values(list, pairs, CXN_DERIVED_PAIRS, err);
    if (status == CXN_OK) status = check_values(list, more, more_count, err);
    for (size_t i = 0; status == CXN_OK && i < list->pair_count; i++) {
        const char *key = cxn_tensors_text(list, list->pairs[i].key_at);
        if (!has_key(pairs, CXN_DERIVED_PAIRS, key) && !has_key(more, more_count, key))
            status = cxn_fail(err, CXN_E_FORMAT, "metadata '%.200s' is unexpected", key);
    }
    return status;
}

enum cxn_status cxn_derived_begin(struct cxn_derived *d, const char *format,
                                  const struct cxn_tensors *list, const struct cxn_source *source,
                                  struct cxn_error *err)
{
    const struct cxn_out_pair form[] = { { format_key, format },
                                         { "chexnet_format_version", "1" } };
    *d = (struct cxn_derived){ .list = list, .source = source };
    const enum cxn_status status = check_values(list, form, CXN_COUNTOF(form), err);
    return status == CXN_OK ? take_about(d, err) : status;
}

/* ---- tensors ------------------------------------------------------------------------------ */

size_t cxn_slot_find(const struct cxn_tensors *list, const char *name, size_t hint)
{
    for (size_t k = 0; k < list->count; k++) {
        const size_t i = (hint + k) % list->count;
        if (strcmp(cxn_tensors_name(list, i), name) == 0) return i;
    }
    return SIZE_MAX;
}

enum cxn_status cxn_slot_check(const struct cxn_tensors *list, size_t item,
                               const struct cxn_slot *slot, struct cxn_error *err)
{
    const struct cxn_tensor *t = &list->items[item];
    char got[CXN_TENSOR_SHAPE_BYTES], want[CXN_TENSOR_SHAPE_BYTES];
    if (t->dtype == slot->dtype && t->rank == slot->rank &&
        memcmp(t->dims, slot->dims, slot->rank * sizeof *slot->dims) == 0)
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is %s %s, expected %s %s", slot->name,
                    cxn_dtype_name(t->dtype), cxn_shape_text(got, t->dims, t->rank),
                    cxn_dtype_name(slot->dtype), cxn_shape_text(want, slot->dims, slot->rank));
}

/* The first of the list that is in no slot. */
static enum cxn_status fail_unexpected(const struct cxn_derived *d, struct cxn_error *err)
{
    const size_t slots = cxn_slots_count(&d->slots);
    size_t i = 0, k = 0;
    while (k < slots && i < d->list->count) {
        for (k = 0; k < slots && d->item_of[k] != i; k++) continue;
        if (k < slots) i++;
    }
    return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is unexpected", cxn_tensors_name(d->list, i));
}

static enum cxn_status find_all(struct cxn_derived *d, struct cxn_error *err)
{
    size_t found = 0, hint = 0;
    for (size_t k = 0; k < cxn_slots_count(&d->slots); k++) {
        const struct cxn_slot slot = cxn_slots_at(&d->slots, k);
        d->item_of[k] = SIZE_MAX;
        if (slot.name[0] == '\0') continue;
        d->item_of[k] = cxn_slot_find(d->list, slot.name, hint);
        if (d->item_of[k] == SIZE_MAX)
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is missing", slot.name);
        hint = d->item_of[k] + 1;
        found++;
    }
    return found == d->list->count ? CXN_OK : fail_unexpected(d, err);
}

enum cxn_status cxn_derived_match(struct cxn_derived *d, const struct cxn_slots *slots,
                                  struct cxn_error *err)
{
    const size_t count = cxn_slots_count(slots);
    d->slots = *slots;
    d->item_of = cxn_alloc(d->list->mem, count, sizeof *d->item_of);
    if (!d->item_of)
        return cxn_fail_nomem(err, d->list->mem, count * sizeof *d->item_of, "places of tensors");
    enum cxn_status status = find_all(d, err);
    for (size_t k = 0; status == CXN_OK && k < count; k++) {
        const struct cxn_slot slot = cxn_slots_at(slots, k);
        if (slot.name[0] != '\0') status = cxn_slot_check(d->list, d->item_of[k], &slot, err);
    }
    return status;
}

const struct cxn_tensor *cxn_derived_tensor(const struct cxn_derived *d, size_t slot)
{
    return &d->list->items[d->item_of[slot]];
}

const char *cxn_derived_name(const struct cxn_derived *d, size_t slot)
{
    return cxn_tensors_name(d->list, d->item_of[slot]);
}

enum cxn_status cxn_derived_read(const struct cxn_derived *d, size_t slot, void *dst,
                                 struct cxn_error *err)
{
    const struct cxn_tensor *t = cxn_derived_tensor(d, slot);
    return cxn_source_read(d->source, t->offset_bytes, dst,
                           (size_t)t->count * cxn_dtype_bytes(t->dtype), err);
}

enum cxn_status cxn_derived_check_finite(const struct cxn_derived *d, size_t slot,
                                         const float *numbers, struct cxn_error *err)
{
    const size_t count = (size_t)cxn_derived_tensor(d, slot)->count;
    const size_t bad = cxn_find_infinite(numbers, count);
    if (bad == count) return CXN_OK;
    return cxn_fail_infinite(err, cxn_derived_name(d, slot), bad, (double)numbers[bad]);
}

/* ---- probe -------------------------------------------------------------------------------- */

static size_t probe_slot(const struct cxn_derived *d, size_t which)
{
    return cxn_slots_count(&d->slots) - CXN_SLOTS_PROBE + which;
}

static enum cxn_status read_answers(const struct cxn_derived *d, size_t which, float *answers,
                                    struct cxn_error *err)
{
    const size_t slot = probe_slot(d, which);
    const size_t count = (size_t)cxn_derived_tensor(d, slot)->count;
    enum cxn_status status = cxn_derived_read(d, slot, answers, err);
    if (status == CXN_OK) status = cxn_derived_check_finite(d, slot, answers, err);
    for (size_t i = 0; status == CXN_OK && i < count; i++)
        if (!(answers[i] >= 0.0f && answers[i] <= 1.0f))
            return cxn_fail_number(err, cxn_derived_name(d, slot), i, (double)answers[i],
                                   "0 to 1");
    return status;
}

static enum cxn_status take_answers(struct cxn_derived *d, struct cxn_error *err)
{
    const size_t count = CXN_PROBE_VIEWS * d->slots.fold->net->config.classes;
    d->reference = cxn_alloc(d->list->mem, 2 * count, sizeof *d->reference);
    if (!d->reference)
        return cxn_fail_nomem(err, d->list->mem, 2 * count * sizeof *d->reference,
                              "the probe's answers");
    d->answers = d->reference + count;
    const enum cxn_status status = read_answers(d, CXN_SLOT_REFERENCE, d->reference, err);
    return status == CXN_OK ? read_answers(d, CXN_SLOT_ANSWERS, d->answers, err) : status;
}

enum cxn_status cxn_derived_finish(struct cxn_derived *d, const struct cxn_derived_kind *kind,
                                   const struct cxn_out_pair *more, size_t more_count,
                                   struct cxn_error *err)
{
    struct cxn_out_pair pairs[CXN_DERIVED_PAIRS];
    char text[CXN_DERIVED_TEXT_BYTES];
    const enum cxn_status status = take_answers(d, err);
    if (status != CXN_OK) return status;
    const double most = cxn_probe_compare(d->answers, d->reference,
                                          d->slots.fold->net->config.classes).most;
    if (most > kind->engine->bound)
        return cxn_fail(err, CXN_E_FORMAT, "the probe's answers differ from the reference's by "
                        "%.3g, at most %g", most, kind->engine->bound);
    cxn_derived_pairs(kind, &d->about, most, text, pairs);
    return check_pairs(d->list, pairs, more, more_count, err);
}

enum cxn_status cxn_derived_probe(const struct cxn_derived *d, struct cxn_probe *probe,
                                  struct cxn_error *err)
{
    enum cxn_status status = cxn_probe_open(probe, d->list->mem, err);
    if (status == CXN_OK)
        status = cxn_derived_read(d, probe_slot(d, CXN_SLOT_PICTURE), probe->pixels, err);
    if (status == CXN_OK) cxn_probe_ready(probe);
    else cxn_probe_close(probe);
    return status;
}

void cxn_derived_close(struct cxn_derived *d)
{
    cxn_free(d->item_of);
    cxn_free(d->reference);
    *d = (struct cxn_derived){ 0 };
}
