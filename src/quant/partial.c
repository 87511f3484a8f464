/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/partial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "fuse/derived.h"

enum { TENSORS_MAX = 3, PAIRS = 11, NUMBER_BYTES = 24 };

/* ---- what writer and reader agree on ------------------------------------------------------ */

struct form {
    struct cxn_out_tensor tensors[TENSORS_MAX];
    size_t tensor_count;
    struct cxn_out_pair pairs[PAIRS]; /* the last is `seen` */
    char percentile[CXN_DOUBLE_TEXT_BYTES];
    char seed[NUMBER_BYTES], chosen[NUMBER_BYTES], seen[NUMBER_BYTES];
};

static void list_tensors(struct form *f, const struct cxn_collected *s)
{
    f->tensors[f->tensor_count++] = (struct cxn_out_tensor){
        .name = "sums", .dtype = CXN_DTYPE_F64, .rank = 1, .dims = { s->sum_count },
        .data = s->sums
    };
    if (!s->counts.counts) return;
    f->tensors[f->tensor_count++] = (struct cxn_out_tensor){
        .name = "exponents", .dtype = CXN_DTYPE_I32, .rank = 1, .dims = { s->counts.channels },
        .data = s->counts.exponents
    };
    f->tensors[f->tensor_count++] = (struct cxn_out_tensor){
        .name = "counts", .dtype = CXN_DTYPE_U32, .rank = 2,
        .dims = { s->counts.channels, CXN_HISTOGRAM_BINS }, .data = s->counts.counts
    };
}

static void form_make(struct form *f, const cxn_collector *collector,
                      const struct cxn_partial_about *about)
{
    const struct cxn_collected state = cxn_collector_state(collector);
    const cxn_calibration *c = about->calibration;
    *f = (struct form){ .tensor_count = 0 };
    list_tensors(f, &state);
    cxn_double_print(f->percentile, c->percentile);
    snprintf(f->seed, sizeof f->seed, "%" PRIu64, c->seed);
    snprintf(f->chosen, sizeof f->chosen, "%zu", about->chosen);
    snprintf(f->seen, sizeof f->seen, "%zu", state.seen);
    const struct cxn_out_pair pairs[PAIRS] = {
        { "chexnet_format", "calibration-partial" },
        { "chexnet_format_version", "1" },
        { "chexnet_version", c->version },
        { "model_sha256", c->model_sha256 },
        { "list_sha256", c->list_sha256 },
        { "method", cxn_calibration_method_name(c->method) },
        { "percentile", f->percentile },
        { "seed", f->seed },
        { "images", f->chosen },
        { "level", about->level },
        { "seen", f->seen },
    };
    memcpy(f->pairs, pairs, sizeof pairs);
}

enum cxn_status cxn_partial_write(const cxn_collector *collector,
                                  const struct cxn_partial_about *about, const struct cxn_env *env,
                                  const char *path, struct cxn_error *err)
{
    struct form form;
    form_make(&form, collector, about);
    const struct cxn_safetensors_content content = {
        .tensors = form.tensors, .tensor_count = form.tensor_count, .metadata = form.pairs,
        .metadata_count = PAIRS
    };
    return cxn_safetensors_write(env, path, &content, err);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* What tells one calibration from another; `seen` is read. */
static enum cxn_status check_pairs(const struct cxn_tensors *list, const struct form *want,
                                   struct cxn_error *err)
{
    for (size_t i = 0; i + 1 < PAIRS; i++) {
        const char *value = cxn_derived_value(list, want->pairs[i].key);
        if (!value)
            return cxn_fail(err, CXN_E_FORMAT, "no unfinished calibration: no metadata '%s'",
                            want->pairs[i].key);
        if (strcmp(value, want->pairs[i].value) != 0)
            return cxn_fail(err, CXN_E_IO, "of another calibration, %s %.100s, not %s; to begin "
                            "anew, remove it", want->pairs[i].key, value, want->pairs[i].value);
    }
    if (list->pair_count == PAIRS) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%zu pairs of metadata, expected %d", list->pair_count,
                    PAIRS);
}

static enum cxn_status read_seen(const struct cxn_tensors *list, size_t chosen, size_t *seen,
                                 struct cxn_error *err)
{
    const char *text = cxn_derived_value(list, "seen");
    const size_t digits = text ? strspn(text, "0123456789") : 0;
    if (digits > 0 && digits < 19 && text[digits] == '\0') {
        *seen = (size_t)strtoull(text, NULL, 10);
        if (*seen > 0 && *seen <= chosen) return CXN_OK;
    }
    return cxn_fail(err, CXN_E_FORMAT, "metadata 'seen' is '%.100s', expected 1 to %zu",
                    text ? text : "", chosen);
}

/* The tensors are those of a file as written, in its order. */
static enum cxn_status read_tensor(const struct cxn_tensors *list, const struct cxn_source *source,
                                   size_t i, const struct cxn_out_tensor *want, void *data,
                                   struct cxn_error *err)
{
    char found[CXN_TENSOR_SHAPE_BYTES], expected[CXN_TENSOR_SHAPE_BYTES];
    const struct cxn_tensor *t = &list->items[i];
    if (strcmp(cxn_tensors_name(list, i), want->name) != 0 || t->dtype != want->dtype ||
        t->rank != want->rank || memcmp(t->dims, want->dims, t->rank * sizeof *t->dims) != 0)
        return cxn_fail(err, CXN_E_FORMAT, "tensor '%.100s' %s %s, expected '%s' %s %s",
                        cxn_tensors_name(list, i), cxn_dtype_name(t->dtype),
                        cxn_shape_text(found, t->dims, t->rank), want->name,
                        cxn_dtype_name(want->dtype),
                        cxn_shape_text(expected, want->dims, want->rank));
    return cxn_source_read(source, t->offset_bytes, data,
                           (size_t)t->count * cxn_dtype_bytes(t->dtype), err);
}

static enum cxn_status read_tensors(const struct cxn_tensors *list,
                                    const struct cxn_source *source, const struct form *form,
                                    const struct cxn_collected *into, struct cxn_error *err)
{
    void *const data[TENSORS_MAX] = { into->sums, into->counts.exponents, into->counts.counts };
    enum cxn_status status = CXN_OK;
    if (list->count != form->tensor_count)
        return cxn_fail(err, CXN_E_FORMAT, "%zu tensors, expected %zu", list->count,
                        form->tensor_count);
    for (size_t i = 0; i < list->count && status == CXN_OK; i++)
        status = read_tensor(list, source, i, &form->tensors[i], data[i], err);
    return status;
}

static enum cxn_status check_exponents(const struct cxn_collected *s, struct cxn_error *err)
{
    for (size_t i = 0; i < s->counts.channels; i++)
        if (s->counts.exponents[i] < CXN_HISTOGRAM_EXPONENT_MIN ||
            s->counts.exponents[i] > CXN_HISTOGRAM_EXPONENT_MAX)
            return cxn_fail(err, CXN_E_FORMAT, "'exponents', value %zu is %d, expected %d to %d", i,
                            (int)s->counts.exponents[i], CXN_HISTOGRAM_EXPONENT_MIN,
                            CXN_HISTOGRAM_EXPONENT_MAX);
    return CXN_OK;
}

static enum cxn_status read_file(cxn_collector *collector, const struct cxn_partial_about *about,
                                 struct cxn_tensors *list, const struct cxn_source *source,
                                 struct cxn_error *err)
{
    struct form form;
    size_t seen = 0;
    const struct cxn_collected into = cxn_collector_state(collector);
    form_make(&form, collector, about);
    enum cxn_status status = cxn_safetensors_read(list, source, err);
    if (status == CXN_OK) status = check_pairs(list, &form, err);
    if (status == CXN_OK) status = read_seen(list, about->chosen, &seen, err);
    if (status == CXN_OK) status = read_tensors(list, source, &form, &into, err);
    if (status == CXN_OK) status = check_exponents(&into, err);
    return status == CXN_OK ? cxn_collector_resume(collector, seen, err) : status;
}

enum cxn_status cxn_partial_read(cxn_collector *collector, const struct cxn_partial_about *about,
                                 const struct cxn_env *env, const char *path,
                                 struct cxn_error *err)
{
    struct cxn_file file;
    struct cxn_tensors list = { .mem = env->mem };
    enum cxn_status status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    const struct cxn_source source = cxn_source_file(&file, path);
    status = cxn_fail_in(err, read_file(collector, about, &list, &source, err), path);
    cxn_tensors_close(&list);
    cxn_file_close(&file);
    return status;
}
