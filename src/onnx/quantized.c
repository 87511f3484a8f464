/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/quantized.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "onnx/about.h"
#include "onnx/quantized_pairs.h"
#include "onnx/quantized_tensors.h"
#include "onnx/write.h"

/* Gone through twice: with bytes NULL to count, then to fill in. */
struct restore {
    struct cxn_onnx_model *m;
    const cxn_fold *fold;
    const struct cxn_env *env;
    struct cxn_tensors *list; /* of what is restored */
    uint8_t *bytes;
    size_t used, hint;
    const struct cxn_part *part; /* the one at hand, */
    uint8_t *flip;               /* and, of a norm, its array */
    uint8_t *picture;
    size_t picture_bytes;
};

/* Place of a tensor of the safetensors file, NULL while counting. */
static enum cxn_status take(struct restore *r, const struct cxn_slot *slot, uint8_t **place,
                            size_t *bytes, struct cxn_error *err)
{
    struct cxn_tensor t = { .dtype = slot->dtype, .rank = slot->rank, .record = CXN_RECORD_NONE,
                            .offset_bytes = r->used };
    memcpy(t.dims, slot->dims, slot->rank * sizeof *t.dims);
    cxn_tensor_count(&t); /* a network's: it fits */
    cxn_tensor_strides(&t);
    *bytes = (size_t)t.count * cxn_dtype_bytes(t.dtype);
    *place = r->bytes ? r->bytes + r->used : NULL;
    r->used += *bytes;
    return r->bytes ? cxn_tensors_add(r->list, &t, slot->name, strlen(slot->name), err) : CXN_OK;
}

/* ---- metadata ----------------------------------------------------------------------------- */

static enum cxn_status restore_pair(struct restore *r, const struct cxn_slot *slot,
                                    struct cxn_error *err)
{
    const char *value = cxn_derived_value(&r->m->list, slot->name);
    uint8_t *place;
    size_t bytes;
    const enum cxn_status status = take(r, slot, &place, &bytes, err);
    if (status != CXN_OK || !place || (value && cxn_hex_parse(value, place, bytes))) return status;
    return cxn_fail(err, CXN_E_FORMAT, "metadata '%s' is not %zu bytes as hex digits", slot->name,
                    bytes);
}

/* Both stems and the probe's answers. */
static enum cxn_status restore_pairs(struct restore *r, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < CXN_PAIR_SLOTS; i++) {
        const struct cxn_slot slot = cxn_onnx_pair_slot(r->fold, i);
        status = restore_pair(r, &slot, err);
    }
    return status;
}

/* What the safetensors file tells, which its reader checks. */
static enum cxn_status restore_metadata(const struct restore *r, struct cxn_error *err)
{
    const struct cxn_tensors *from = &r->m->list;
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < from->pair_count; i++) {
        const char *key = cxn_tensors_text(from, from->pairs[i].key_at);
        const char *value = cxn_tensors_text(from, from->pairs[i].value_at);
        if (strcmp(key, CXN_ONNX_PROBE_SHA256) == 0) continue;
        if (cxn_onnx_is_pair_slot(r->fold, key)) continue;
        if (strcmp(key, CXN_ONNX_PREPROCESSING) == 0) value = cxn_derived_preprocessing;
        status = cxn_tensors_add_pair(r->list, key, value, err);
    }
    return status;
}

/* ---- initialisers ------------------------------------------------------------------------- */

/* The tensor that an initialiser's numbers go back to; an empty name: none. */
static struct cxn_slot restored(const struct cxn_part *part,
                                const struct cxn_onnx_initializer *from)
{
    const bool head = part->kind == CXN_PART_HEAD;
    switch (from->array) {
    case CXN_ARRAY_WEIGHT:
    case CXN_ARRAY_LOW: /* under the same name, in another order */
        return cxn_slot_of_first(part, strrchr(from->slot.name, '.') + 1, CXN_DTYPE_I8);
    case CXN_ARRAY_SCALE: return cxn_slot_of_second(part, "m", CXN_DTYPE_F32);
    case CXN_ARRAY_BIAS: return cxn_slot_of_second(part, head ? "bias" : "b", CXN_DTYPE_F32);
    case CXN_ARRAY_SLOPE: return cxn_slot_of_second(part, "flip", CXN_DTYPE_U8);
    case CXN_ARRAY_KNOT: return cxn_slot_of_second(part, "knot", CXN_DTYPE_U8);
    case CXN_ARRAY_LINEAR: return from->slot;
    default: return (struct cxn_slot){ 0 };
    }
}

static enum cxn_status restore_slope(const char *name, const float *from, size_t first, size_t n,
                                     uint8_t *flip, struct cxn_error *err)
{
    for (size_t k = 0; k < n; k++) {
        if (from[k] != 1.0f && from[k] != -1.0f)
            return cxn_fail_number(err, name, first + k, (double)from[k], "1 or -1");
        flip[first + k] = from[k] < 0.0f ? 255 : 0;
    }
    return CXN_OK;
}

static enum cxn_status restore_knot(const char *name, const float *from, size_t first, size_t n,
                                    const uint8_t *flip, uint8_t *knot, struct cxn_error *err)
{
    for (size_t k = 0; k < n; k++) {
        if (!(from[k] >= 0.0f && from[k] <= 255.0f) || truncf(from[k]) != from[k])
            return cxn_fail_number(err, name, first + k, (double)from[k], "a number of 0 to 255");
        knot[first + k] = (uint8_t)from[k] ^ flip[first + k];
    }
    return CXN_OK;
}

static enum cxn_status check_scale(const char *name, const float *from, size_t first, size_t n,
                                   struct cxn_error *err)
{
    for (size_t k = 0; k < n; k++)
        if (!(from[k] > 0.0f))
            return cxn_fail_number(err, name, first + k, (double)from[k], "above 0");
    return CXN_OK;
}

/* n elements from number `first` on. */
static enum cxn_status restore_piece(const struct restore *r, const struct cxn_onnx_initializer *t,
                                     const void *from, size_t first, size_t n, uint8_t *place,
                                     struct cxn_error *err)
{
    const size_t each = cxn_dtype_bytes(t->slot.dtype);
    if (t->array == CXN_ARRAY_WEIGHT || t->array == CXN_ARRAY_LOW) {
        const uint8_t *weights = from;
        struct cxn_onnx_weight_walk w = cxn_onnx_weights_from(r->part, first);
        for (size_t k = 0; k < n; k++) place[cxn_onnx_next_weight(&w)] = weights[k];
        return CXN_OK;
    }
    if (t->array == CXN_ARRAY_SLOPE)
        return restore_slope(t->slot.name, from, first, n, place, err);
    if (t->array == CXN_ARRAY_KNOT)
        return restore_knot(t->slot.name, from, first, n, r->flip, place, err);
    memcpy(place + first * each, from, n * each);
    return t->array == CXN_ARRAY_SCALE ? check_scale(t->slot.name, from, first, n, err) : CXN_OK;
}

static enum cxn_status restore_values(const struct restore *r, const struct cxn_onnx_initializer *t,
                                      size_t item, uint8_t *place, struct cxn_error *err)
{
    const size_t each = cxn_dtype_bytes(t->slot.dtype);
    const uint64_t offset = r->m->list.items[item].offset_bytes;
    float piece[1024];
    enum cxn_status status = CXN_OK;
    for (size_t at = 0, now; status == CXN_OK && at < t->count; at += now) {
        now = t->count - at < sizeof piece / each ? t->count - at : sizeof piece / each;
        status = cxn_source_read(r->m->source, offset + at * each, piece, now * each, err);
        if (status == CXN_OK) status = restore_piece(r, t, piece, at, now, place, err);
    }
    return status;
}

static enum cxn_status restore_array(struct restore *r, const struct cxn_onnx_initializer *t,
                                     struct cxn_error *err)
{
    const struct cxn_slot slot = restored(r->part, t);
    const struct cxn_tensors *list = &r->m->list;
    uint8_t *place;
    size_t bytes;
    if (slot.name[0] == '\0') return CXN_OK;
    enum cxn_status status = take(r, &slot, &place, &bytes, err);
    if (status != CXN_OK || !place) return status;
    if (t->array == CXN_ARRAY_SLOPE) r->flip = place;
    const size_t item = cxn_slot_find(list, t->slot.name, r->hint);
    if (item == SIZE_MAX)
        return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is missing", t->slot.name);
    r->hint = item + 1;
    status = cxn_slot_check(list, item, &t->slot, err);
    if (status != CXN_OK) return status;
    if (r->m->tensors[item].location != 0)
        return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is external data, expected raw_data",
                        t->slot.name);
    return restore_values(r, t, item, place, err);
}

static enum cxn_status restore_part(struct restore *r, struct cxn_error *err)
{
    struct cxn_onnx_initializer list[CXN_INITIALIZERS_MAX];
    char high[CXN_SLOT_NAME_BYTES];
    enum cxn_status status = CXN_OK;
    snprintf(high, sizeof high, "%s.weight_hi", r->part->name);
    const bool two_parts = cxn_slot_find(&r->m->list, high, r->hint) != SIZE_MAX;
    const size_t n = cxn_onnx_initializers(r->part, two_parts, list);
    for (size_t k = 0; status == CXN_OK && k < n; k++) status = restore_array(r, &list[k], err);
    return status;
}

/* But for the probe's picture, of which there is the place. */
static enum cxn_status restore_all(struct restore *r, struct cxn_error *err)
{
    const struct cxn_slots probe = { .fold = r->fold }; /* no arrays in front */
    const struct cxn_slot picture = cxn_slots_at(&probe, CXN_SLOT_PICTURE);
    enum cxn_status status = restore_pairs(r, err);
    for (size_t i = 0; status == CXN_OK && i < r->fold->count; i++) {
        r->part = &r->fold->parts[i];
        status = restore_part(r, err);
    }
    return status == CXN_OK ? take(r, &picture, &r->picture, &r->picture_bytes, err) : status;
}

/* ---- open --------------------------------------------------------------------------------- */

bool cxn_onnx_is_quantized(const struct cxn_onnx_model *m)
{
    return cxn_quantized_is(&m->list);
}

static enum cxn_status restore_file(struct cxn_onnx_quantized *q, struct restore *r,
                                    struct cxn_error *err)
{
    struct restore count = *r;
    if (r->m->list.count == 0) return cxn_fail(err, CXN_E_FORMAT, "onnx: no tensors");
    enum cxn_status status = restore_all(&count, err);
    if (status != CXN_OK) return status;
    r->list = &q->list;
    r->bytes = q->bytes = cxn_alloc_zero(r->env->mem, count.used, 1);
    if (!q->bytes) return cxn_fail_nomem(err, r->env->mem, count.used, "the quantised weights");
    q->source = cxn_source_memory(q->bytes, count.used);
    status = restore_all(r, err);
    return status == CXN_OK ? restore_metadata(r, err) : status;
}

static enum cxn_status draw_picture(const struct restore *r, struct cxn_error *err)
{
    const char *told = cxn_derived_value(&r->m->list, CXN_ONNX_PROBE_SHA256);
    struct cxn_probe probe;
    char sha256[CXN_SHA256_HEX_BYTES];
    const enum cxn_status status = cxn_probe_draw(&probe, r->env, err);
    if (status != CXN_OK) return status;
    memcpy(r->picture, probe.pixels, r->picture_bytes);
    cxn_onnx_probe_sha256(&probe, sha256);
    cxn_probe_close(&probe);
    if (told && strcmp(told, sha256) == 0) return CXN_OK;
    return cxn_derived_fail(CXN_ONNX_PROBE_SHA256, told, sha256, err);
}

/* How the graph was written, which is in its input's shape and in its metadata. */
static enum cxn_status find_options(struct cxn_onnx_model *m, struct cxn_onnx_content *content,
                                    struct cxn_error *err)
{
    int64_t dims[CXN_ONNX_INPUT_RANK] = { 0 };
    const char *takes = cxn_derived_value(&m->list, CXN_ONNX_PREPROCESSING);
    const enum cxn_status status = cxn_onnx_input_dims(m, dims, err);
    if (status != CXN_OK) return status;
    if (m->opset != CXN_ONNX_OPSET)
        return cxn_fail(err, CXN_E_FORMAT, "onnx: opset %lld, expected %d as export writes it",
                        (long long)m->opset, CXN_ONNX_OPSET);
    content->batch = dims[0] > CXN_ONNX_BATCH_MAX ? 0 : (uint32_t)dims[0]; /* or it differs */
    content->preprocessing = takes && strcmp(takes, CXN_ONNX_TAKES_SAMPLES) == 0;
    if (content->preprocessing || (takes && strcmp(takes, CXN_ONNX_TAKES_NORMALISED) == 0))
        return CXN_OK;
    return cxn_derived_fail(CXN_ONNX_PREPROCESSING, takes, "one of the two that export writes",
                            err);
}

static enum cxn_status check_graph(const struct cxn_onnx_quantized *q, struct cxn_onnx_model *m,
                                   const cxn_fold *fold, struct cxn_error *err)
{
    const struct cxn_quantized_content quantized = { .quantized = q->file.quantized };
    struct cxn_onnx_content content = { .net = fold->net, .quantized = &quantized };
    enum cxn_status status = cxn_onnx_check_quantized(quantized.quantized, err);
    if (status == CXN_OK) status = find_options(m, &content, err);
    if (status != CXN_OK) return status;
    return cxn_onnx_graph_is(&content, m->source, m->graph_at, m->graph_bytes, err);
}

enum cxn_status cxn_onnx_quantized_open(struct cxn_onnx_quantized *q, struct cxn_onnx_model *m,
                                        const cxn_fold *fold, const struct cxn_env *env,
                                        struct cxn_error *err)
{
    struct restore restore = { .m = m, .fold = fold, .env = env };
    *q = (struct cxn_onnx_quantized){ .list = { .mem = env->mem, .format = m->list.format } };
    enum cxn_status status = restore_file(q, &restore, err);
    if (status == CXN_OK) status = cxn_quantized_read(&q->file, fold, &q->list, &q->source, err);
    if (status == CXN_OK) status = check_graph(q, m, fold, err);
    return status == CXN_OK ? draw_picture(&restore, err) : status; /* what takes longest */
}

void cxn_onnx_quantized_close(struct cxn_onnx_quantized *q)
{
    cxn_quantized_file_close(&q->file);
    cxn_tensors_close(&q->list);
    cxn_free(q->bytes);
    *q = (struct cxn_onnx_quantized){ 0 };
}
