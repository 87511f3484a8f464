/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised files are untrusted input, as all weights are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "quant/quantized_form.h"

/* ---- metadata ----------------------------------------------------------------------------- */

bool cxn_quantized_is(const struct cxn_tensors *list)
{
    const char *format = cxn_derived_value(list, "chexnet_format");
    return format && strcmp(format, cxn_quantized_kind.format) == 0;
}

static enum cxn_status take_method(const struct cxn_tensors *list,
                                   struct cxn_quantized_about *about, struct cxn_error *err)
{
    static const char key[] = "method";
    const char *value = cxn_derived_value(list, key);
    if (value && cxn_calibration_method_parse(value, &about->method, NULL) == CXN_OK)
        return CXN_OK;
    return cxn_derived_fail(key, value, "a method of calibrate", err);
}

static enum cxn_status take_images(const struct cxn_tensors *list,
                                   struct cxn_quantized_about *about, struct cxn_error *err)
{
    char text[10];
    const struct cxn_derived_word word = { "images", text, sizeof text, "",
                                           "a number of 1 to 9 digits" };
    const enum cxn_status status = cxn_derived_take(list, &word, err);
    if (status != CXN_OK) return status;
    if (text[0] == '0' || text[strspn(text, "0123456789")] != '\0')
        return cxn_derived_fail(word.key, text, word.expected, err);
    about->images = strtoul(text, NULL, 10);
    return CXN_OK;
}

static enum cxn_status take_auc_drop(const struct cxn_tensors *list,
                                     struct cxn_quantized_about *about, struct cxn_error *err)
{
    const struct cxn_derived_word word = { "auc_drop", about->auc_drop, sizeof about->auc_drop, "",
                                           "nothing or a number" };
    const char *value = cxn_derived_value(list, word.key);
    double number;
    if (value && value[0] == '\0') return CXN_OK; /* about is zeroed */
    const enum cxn_status status = cxn_derived_take(list, &word, err);
    if (status != CXN_OK || cxn_double_parse(about->auc_drop, &number)) return status;
    return cxn_derived_fail(word.key, value, word.expected, err);
}

static enum cxn_status take_about(const struct cxn_tensors *list,
                                  struct cxn_quantized_about *about, struct cxn_error *err)
{
    enum cxn_status status =
        cxn_derived_take_sha256(list, "calibration_sha256", about->calibration_sha256, err);
    if (status == CXN_OK) status = take_method(list, about, err);
    if (status == CXN_OK) status = take_images(list, about, err);
    return status == CXN_OK ? take_auc_drop(list, about, err) : status;
}

/* How long the part's name is where text begins with it and a comma or nothing follows; else 0. */
static size_t starts_with(const char *text, const struct cxn_part *part)
{
    const size_t n = strlen(part->name);
    if (part->kind != CXN_PART_CONV || strncmp(text, part->name, n) != 0) return 0;
    return text[n] == ',' || text[n] == '\0' ? n : 0;
}

/* Layers put back, by name in the order in which they run, commas between. */
static enum cxn_status take_put_back(const struct cxn_tensors *list, const cxn_fold *fold,
                                     bool *two_parts, struct cxn_error *err)
{
    static const char key[] = "put_back";
    const char *value = cxn_derived_value(list, key), *at = value;
    for (size_t i = 0; value && i < fold->count; i++) {
        const size_t n = starts_with(at, &fold->parts[i]);
        two_parts[i] = n > 0;
        at += n > 0 && at[n] == ',' && at[n + 1] != '\0' ? n + 1 : n;
    }
    if (value && *at == '\0') return CXN_OK;
    return cxn_derived_fail(key, value, "names of convolutions in their order", err);
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* The number of the first that is outside, or count. */
static size_t find_outside(const int8_t *numbers, size_t count, int least, int most)
{
    size_t i = 0;
    while (i < count && numbers[i] >= least && numbers[i] <= most) i++;
    return i;
}

static enum cxn_status check_weights(const char *tensor, const int8_t *weights, size_t count,
                                     struct cxn_error *err)
{
    if (!memchr(weights, 0x80, count)) return CXN_OK; /* the one byte that is none */
    const size_t bad = find_outside(weights, count, -127, 127);
    return cxn_fail_number(err, tensor, bad, weights[bad], "-127 to 127");
}

static enum cxn_status check_low(const char *tensor, const int8_t *weights, size_t count,
                                 struct cxn_error *err)
{
    const size_t bad = find_outside(weights, count, -64, 63);
    if (bad == count) return CXN_OK;
    return cxn_fail_number(err, tensor, bad, weights[bad], "-64 to 63");
}

static enum cxn_status check_flip(const char *tensor, const uint8_t *flip, size_t count,
                                  struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (flip[i] != 0 && flip[i] != 255)
            return cxn_fail_number(err, tensor, i, flip[i], "0 or 255");
    return CXN_OK;
}

/* So that 128 m is finite too. */
static enum cxn_status check_m(const char *tensor, const float *m, size_t count,
                               struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(m[i]) < 0x1p121f))
            return cxn_fail_number(err, tensor, i, (double)m[i], "less than 2^121 in size");
    return CXN_OK;
}

static enum cxn_status read_array(struct cxn_quantized_file *file, size_t i, size_t array,
                                  struct cxn_error *err)
{
    const struct cxn_quantized_part *part = &file->quantized->parts[i];
    const size_t slot = CXN_QUANTIZED_ARRAYS * i + array;
    void *numbers = cxn_quantized_array_at(file->quantized, i, array).numbers;
    if (!numbers) return CXN_OK;
    enum cxn_status status = cxn_derived_read(&file->derived, slot, numbers, err);
    if (status != CXN_OK) return status;
    const struct cxn_tensor *t = cxn_derived_tensor(&file->derived, slot);
    const char *name = cxn_derived_name(&file->derived, slot);
    const size_t count = (size_t)t->count;
    if (numbers == part->weight) return check_weights(name, numbers, count, err);
    if (numbers == part->low) return check_low(name, numbers, count, err);
    if (numbers == part->flip) return check_flip(name, numbers, count, err);
    if (numbers == part->knot) return CXN_OK;
    status = cxn_derived_check_finite(&file->derived, slot, numbers, err);
    return status == CXN_OK && numbers == part->m ? check_m(name, numbers, count, err) : status;
}

static enum cxn_status read_all(struct cxn_quantized_file *file, struct cxn_error *err)
{
    const size_t count = CXN_QUANTIZED_ARRAYS * file->quantized->fold->count;
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < count; i++)
        status = read_array(file, i / CXN_QUANTIZED_ARRAYS, i % CXN_QUANTIZED_ARRAYS, err);
    return status;
}

/* ---- open --------------------------------------------------------------------------------- */

/* Room for the numbers of a file with those layers put back. */
static enum cxn_status open_room(struct cxn_quantized_file *file, const cxn_fold *fold,
                                 struct cxn_error *err)
{
    struct cxn_mem *mem = file->derived.list->mem;
    bool *two_parts = cxn_alloc(mem, fold->count, sizeof *two_parts);
    if (!two_parts)
        return cxn_fail_nomem(err, mem, fold->count * sizeof *two_parts, "layers put back");
    enum cxn_status status = take_put_back(file->derived.list, fold, two_parts, err);
    if (status == CXN_OK)
        status = cxn_quantized_open(&file->quantized, fold, two_parts, mem, err);
    cxn_free(two_parts);
    return status;
}

static enum cxn_status finish(struct cxn_quantized_file *file, struct cxn_error *err)
{
    struct cxn_out_pair pairs[CXN_QUANTIZED_PAIRS];
    char text[CXN_COUNT_TEXT_BYTES];
    cxn_quantized_pairs(&file->about, cxn_derived_value(file->derived.list, "put_back"), text,
                        pairs);
    return cxn_derived_finish(&file->derived, &cxn_quantized_kind, pairs, CXN_COUNTOF(pairs), err);
}

enum cxn_status cxn_quantized_read(struct cxn_quantized_file *file, const cxn_fold *fold,
                                   const struct cxn_tensors *list, const struct cxn_source *source,
                                   struct cxn_error *err)
{
    *file = (struct cxn_quantized_file){ 0 };
    enum cxn_status status =
        cxn_derived_begin(&file->derived, cxn_quantized_kind.format, list, source, err);
    if (status == CXN_OK) status = take_about(list, &file->about, err);
    if (status == CXN_OK) status = open_room(file, fold, err);
    if (status != CXN_OK) return status;
    const struct cxn_slots slots = cxn_quantized_slots(file->quantized);
    status = cxn_derived_match(&file->derived, &slots, err);
    if (status == CXN_OK) status = finish(file, err);
    return status == CXN_OK ? read_all(file, err) : status;
}

void cxn_quantized_file_close(struct cxn_quantized_file *file)
{
    cxn_derived_close(&file->derived);
    cxn_quantized_close(&file->quantized);
    *file = (struct cxn_quantized_file){ 0 };
}
