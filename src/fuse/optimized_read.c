/* SPDX-License-Identifier: Apache-2.0 */
/* Optimised files are untrusted input, as all weights are. */
#include <math.h>
#include <string.h>

#include "fuse/optimized_form.h"

/* ---- metadata ----------------------------------------------------------------------------- */

static const char *find_value(const struct cxn_tensors *list, const char *key)
{
    for (size_t i = 0; i < list->pair_count; i++)
        if (strcmp(cxn_tensors_text(list, list->pairs[i].key_at), key) == 0)
            return cxn_tensors_text(list, list->pairs[i].value_at);
    return NULL;
}

bool cxn_optimized_is(const struct cxn_tensors *list)
{
    return find_value(list, CXN_OPTIMIZED_KEY) != NULL;
}

static enum cxn_status fail_value(const char *key, const char *value, const char *expected,
                                  struct cxn_error *err)
{
    if (!value) return cxn_fail(err, CXN_E_FORMAT, "metadata '%s' is missing", key);
    return cxn_fail(err, CXN_E_FORMAT, "metadata '%s' is '%.200s', expected %s", key, value,
                    expected);
}

/* The value of a key, 1 to bytes - 1 bytes long, without the bytes in `refused`. */
static enum cxn_status take_word(const struct cxn_tensors *list, const char *key,
                                 const char *refused, const char *expected, char *word,
                                 size_t bytes, struct cxn_error *err)
{
    const char *value = find_value(list, key);
    const size_t n = value ? strlen(value) : 0;
    if (n == 0 || n >= bytes || value[strcspn(value, refused)] != '\0')
        return fail_value(key, value, expected, err);
    memcpy(word, value, n + 1);
    return CXN_OK;
}

static bool is_sha256(const char *word)
{
    return strlen(word) == CXN_SHA256_HEX_BYTES - 1 &&
           strspn(word, "0123456789abcdef") == CXN_SHA256_HEX_BYTES - 1;
}

static enum cxn_status take_precision(const struct cxn_tensors *list,
                                      struct cxn_optimized_about *about, struct cxn_error *err)
{
    const char *value = find_value(list, "precision");
    if (value && cxn_precision_parse(value, &about->precision, NULL) == CXN_OK) return CXN_OK;
    return fail_value("precision", value, "fp32 or bf16", err);
}

static enum cxn_status take_about(const struct cxn_tensors *list,
                                  struct cxn_optimized_about *about, struct cxn_error *err)
{
    static const struct {
        const char *key, *refused, *expected;
        size_t at, bytes;
    } words[] = {
#define WORD(key, refused, expected, field)                                                        \
    { key, refused, expected, offsetof(struct cxn_optimized_about, field),                         \
      sizeof((struct cxn_optimized_about *)0)->field }
        WORD("source_name", "/", "a file name of 1 to 255 bytes", source_name),
        WORD("source_sha256", "", "64 hex digits", source_sha256),
        WORD("chexnet_version", " ", "a word of 1 to 31 bytes", version),
        WORD("probe_level", " ", "a word of 1 to 31 bytes", level),
#undef WORD
    };
    enum cxn_status status = take_precision(list, about, err);
    for (size_t i = 0; status == CXN_OK && i < CXN_COUNTOF(words); i++)
        status = take_word(list, words[i].key, words[i].refused, words[i].expected,
                           (char *)about + words[i].at, words[i].bytes, err);
    if (status == CXN_OK && !is_sha256(about->source_sha256))
        status = fail_value("source_sha256", about->source_sha256, "64 hex digits", err);
    return status;
}

/* Every pair that a file has, and no other. */
static enum cxn_status check_pairs(const struct cxn_tensors *list,
                                   const struct cxn_optimized_about *about, double difference,
                                   struct cxn_error *err)
{
    struct cxn_out_pair pairs[CXN_OPTIMIZED_PAIRS];
    char text[CXN_OPTIMIZED_TEXT_BYTES];
    cxn_optimized_pairs(about, difference, text, pairs);
    for (size_t i = 0; i < CXN_OPTIMIZED_PAIRS; i++) {
        const char *value = find_value(list, pairs[i].key);
        if (!value || strcmp(value, pairs[i].value) != 0)
            return fail_value(pairs[i].key, value, pairs[i].value, err);
    }
    for (size_t i = 0; i < list->pair_count; i++) {
        const char *key = cxn_tensors_text(list, list->pairs[i].key_at);
        size_t k = 0;
        while (k < CXN_OPTIMIZED_PAIRS && strcmp(pairs[k].key, key) != 0) k++;
        if (k == CXN_OPTIMIZED_PAIRS)
            return cxn_fail(err, CXN_E_FORMAT, "metadata '%.200s' is unexpected", key);
    }
    return CXN_OK;
}

/* ---- tensors ------------------------------------------------------------------------------ */

/* Looked for from `hint` on: a file as written has them nearly in the order of the slots. */
static size_t find_tensor(const struct cxn_tensors *list, const char *name, size_t hint)
{
    for (size_t k = 0; k < list->count; k++) {
        const size_t i = (hint + k) % list->count;
        if (strcmp(cxn_tensors_name(list, i), name) == 0) return i;
    }
    return SIZE_MAX;
}

static enum cxn_status check_shape(const struct cxn_tensors *list, size_t item,
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
static enum cxn_status fail_unexpected(const struct cxn_optimized *o, struct cxn_error *err)
{
    const size_t slots = cxn_slot_count(o->fold);
    size_t i = 0, k = 0;
    while (k < slots && i < o->list->count) {
        for (k = 0; k < slots && o->item_of[k] != i; k++) continue;
        if (k < slots) i++;
    }
    return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is unexpected", cxn_tensors_name(o->list, i));
}

static enum cxn_status match_tensors(struct cxn_optimized *o, struct cxn_error *err)
{
    const size_t slots = cxn_slot_count(o->fold);
    size_t found = 0, hint = 0;
    for (size_t k = 0; k < slots; k++) {
        const struct cxn_slot slot = cxn_slot_make(o->fold, o->about.precision, k);
        o->item_of[k] = SIZE_MAX;
        if (slot.name[0] == '\0') continue;
        o->item_of[k] = find_tensor(o->list, slot.name, hint);
        if (o->item_of[k] == SIZE_MAX)
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is missing", slot.name);
        hint = o->item_of[k] + 1;
        found++;
    }
    if (found != o->list->count) return fail_unexpected(o, err);
    enum cxn_status status = CXN_OK;
    for (size_t k = 0; status == CXN_OK && k < slots; k++) {
        const struct cxn_slot slot = cxn_slot_make(o->fold, o->about.precision, k);
        if (slot.name[0] != '\0') status = check_shape(o->list, o->item_of[k], &slot, err);
    }
    return status;
}

/* ---- numbers ------------------------------------------------------------------------------ */

enum { PIECE_BYTES = 16384 };

static enum cxn_status read_bf16(const struct cxn_source *source, uint64_t at, size_t count,
                                 float *dst, struct cxn_error *err)
{
    uint16_t piece[PIECE_BYTES / sizeof(uint16_t)];
    enum cxn_status status = CXN_OK;
    for (size_t done = 0, now; status == CXN_OK && done < count; done += now) {
        now = count - done < CXN_COUNTOF(piece) ? count - done : CXN_COUNTOF(piece);
        status = cxn_source_read(source, at + done * sizeof *piece, piece, now * sizeof *piece,
                                 err);
        if (status == CXN_OK) cxn_dtype_to_f32(CXN_DTYPE_BF16, piece, dst + done, now);
    }
    return status;
}

static enum cxn_status read_numbers(const struct cxn_optimized *o, size_t slot, float *dst,
                                    struct cxn_error *err)
{
    const size_t item = o->item_of[slot];
    const struct cxn_tensor *t = &o->list->items[item];
    const size_t count = (size_t)t->count;
    const enum cxn_status status =
        t->dtype == CXN_DTYPE_BF16
            ? read_bf16(o->source, t->offset_bytes, count, dst, err)
            : cxn_source_read(o->source, t->offset_bytes, dst, count * sizeof *dst, err);
    if (status != CXN_OK) return status;
    const size_t bad = cxn_find_infinite(dst, count);
    if (bad == count) return CXN_OK;
    return cxn_fail_infinite(err, cxn_tensors_name(o->list, item), bad, (double)dst[bad]);
}

static enum cxn_status read_part(const struct cxn_fold_source *source, const struct cxn_part *part,
                                 float *first, float *second, struct cxn_error *err)
{
    const struct cxn_optimized *o = source->from;
    const size_t slot = 2 * (size_t)(part - source->fold->parts);
    const enum cxn_status status = read_numbers(o, slot, first, err);
    if (status != CXN_OK || part->second_count == 0) return status;
    return read_numbers(o, slot + 1, second, err);
}

struct cxn_fold_source cxn_optimized_source(const struct cxn_optimized *o)
{
    return (struct cxn_fold_source){ .fold = o->fold, .from = o, .read = read_part };
}

enum cxn_status cxn_optimized_check(const struct cxn_optimized *o, struct cxn_error *err)
{
    const struct cxn_fold_source source = cxn_optimized_source(o);
    size_t most = 0;
    for (size_t i = 0; i < o->fold->count; i++) {
        const struct cxn_part *part = &o->fold->parts[i];
        if (part->first_count + part->second_count > most)
            most = part->first_count + part->second_count;
    }
    float *scratch = cxn_alloc(o->list->mem, most, sizeof *scratch);
    if (!scratch) return cxn_fail_nomem(err, o->list->mem, most * sizeof *scratch, "a tensor");
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < o->fold->count; i++) {
        const struct cxn_part *part = &o->fold->parts[i];
        status = read_part(&source, part, scratch, scratch + part->first_count, err);
    }
    cxn_free(scratch);
    return status;
}

/* ---- probe -------------------------------------------------------------------------------- */

static enum cxn_status read_answers(const struct cxn_optimized *o, size_t which, float *answers,
                                    struct cxn_error *err)
{
    const size_t slot = 2 * o->fold->count + which;
    const size_t count = CXN_PROBE_VIEWS * o->fold->net->config.classes;
    const enum cxn_status status = read_numbers(o, slot, answers, err);
    for (size_t i = 0; status == CXN_OK && i < count; i++)
        if (!(answers[i] >= 0.0f && answers[i] <= 1.0f))
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu is %g, expected 0 to 1",
                            cxn_tensors_name(o->list, o->item_of[slot]), i, (double)answers[i]);
    return status;
}

static enum cxn_status take_answers(struct cxn_optimized *o, struct cxn_error *err)
{
    const size_t classes = o->fold->net->config.classes;
    const double bound = cxn_precision_engine(o->about.precision)->bound;
    o->reference = cxn_alloc(o->list->mem, 2 * CXN_PROBE_VIEWS * classes, sizeof(float));
    if (!o->reference)
        return cxn_fail_nomem(err, o->list->mem, 2 * CXN_PROBE_VIEWS * classes * sizeof(float),
                              "the probe's answers");
    o->answers = o->reference + CXN_PROBE_VIEWS * classes;
    enum cxn_status status = read_answers(o, CXN_SLOT_REFERENCE, o->reference, err);
    if (status == CXN_OK) status = read_answers(o, CXN_SLOT_ANSWERS, o->answers, err);
    if (status != CXN_OK) return status;
    const double most = cxn_probe_compare(o->answers, o->reference, classes).most;
    if (most > bound)
        return cxn_fail(err, CXN_E_FORMAT, "the probe's answers differ from the reference's by "
                        "%.3g, at most %g", most, bound);
    return check_pairs(o->list, &o->about, most, err);
}

enum cxn_status cxn_optimized_probe(const struct cxn_optimized *o, struct cxn_probe *probe,
                                    struct cxn_error *err)
{
    const size_t item = o->item_of[2 * o->fold->count + CXN_SLOT_PICTURE];
    const struct cxn_tensor *t = &o->list->items[item];
    enum cxn_status status = cxn_probe_open(probe, o->list->mem, err);
    if (status == CXN_OK)
        status = cxn_source_read(o->source, t->offset_bytes, probe->pixels, (size_t)t->count, err);
    if (status == CXN_OK) cxn_probe_ready(probe);
    else cxn_probe_close(probe);
    return status;
}

/* ---- open --------------------------------------------------------------------------------- */

/* First of all, so that a file of a later form is called that. */
static enum cxn_status check_form(const struct cxn_tensors *list, struct cxn_error *err)
{
    static const struct cxn_out_pair form[] = { { CXN_OPTIMIZED_KEY, "optimized" },
                                                { "chexnet_format_version", "1" } };
    for (size_t i = 0; i < CXN_COUNTOF(form); i++) {
        const char *value = find_value(list, form[i].key);
        if (!value || strcmp(value, form[i].value) != 0)
            return fail_value(form[i].key, value, form[i].value, err);
    }
    return CXN_OK;
}

enum cxn_status cxn_optimized_open(struct cxn_optimized *o, const cxn_fold *fold,
                                   const struct cxn_tensors *list, const struct cxn_source *source,
                                   struct cxn_error *err)
{
    *o = (struct cxn_optimized){ .fold = fold, .list = list, .source = source };
    enum cxn_status status = check_form(list, err);
    if (status == CXN_OK) status = take_about(list, &o->about, err);
    if (status != CXN_OK) return status;
    const size_t slots = cxn_slot_count(fold);
    o->item_of = cxn_alloc(list->mem, slots, sizeof *o->item_of);
    if (!o->item_of)
        return cxn_fail_nomem(err, list->mem, slots * sizeof *o->item_of, "places of tensors");
    status = match_tensors(o, err);
    return status == CXN_OK ? take_answers(o, err) : status;
}

void cxn_optimized_close(struct cxn_optimized *o)
{
    cxn_free(o->item_of);
    cxn_free(o->reference);
    *o = (struct cxn_optimized){ 0 };
}
